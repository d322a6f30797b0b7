"""How what is remembered of a place changes, and what it says about an artifact."""

from __future__ import annotations

from datetime import datetime

from domain.deliveries.standings import Pass, Pin, Standing, StandingChange

_PASSES = 20
"""Passes that are remembered: more than the ten releases that are kept."""
_ROLLBACKS = 100
_KEYS = 50


def changed(standing: Standing, change: StandingChange) -> Standing:
    """Returns what is remembered after a change. Idempotent by the key of the change."""
    if change.key in standing.done:
        return standing
    if change.forget:
        return Standing(
            organization=standing.organization,
            component=standing.component,
            environment=standing.environment,
            done=(*standing.done, change.key)[-_KEYS:],
        )
    passes = standing.passes
    if change.passed is not None:
        kept = [one for one in passes if one.hash != change.passed.hash]
        passes = (*kept, change.passed)[-_PASSES:]
    if change.revoked:
        passes = tuple(one for one in passes if one.release != change.revoked)
    if change.verified:
        passes = tuple(_verified(one, change.verified, change.at) for one in passes)
    vetoes = standing.vetoes
    if change.veto is not None:
        vetoes = tuple(one for one in vetoes if one.artifact != change.veto.artifact)
        vetoes = (*vetoes, change.veto)
        passes = tuple(one for one in passes if one.artifact != change.veto.artifact)
    if change.lift_veto:
        vetoes = tuple(one for one in vetoes if one.artifact != change.lift_veto)
    hold = None if change.lift_hold else change.hold or standing.hold
    rollbacks = standing.rollbacks
    if change.rolled_back is not None:
        rollbacks = (*rollbacks, change.rolled_back)[-_ROLLBACKS:]
    rollbacks = tuple(one for one in rollbacks if one.id != change.not_rolled_back)
    return standing.model_copy(
        update={
            "passes": passes,
            "vetoes": vetoes,
            "hold": hold,
            "pin": None if change.lift_pin else change.pin or standing.pin,
            "rollbacks": rollbacks,
            "done": (*standing.done, change.key)[-_KEYS:],
        }
    )


def passed(standing: Standing, release_hash: str) -> Pass | None:
    """Returns the pass of exactly these objects, None when they have none."""
    return next((one for one in standing.passes if one.hash == release_hash), None)


def is_vetoed(standing: Standing, artifact: str, image: str = "") -> bool:
    """Tells whether an artifact, or another one with the same image, must not come here."""
    return any(
        one.artifact == artifact or (bool(one.image) and one.image == image)
        for one in standing.vetoes
    )


def is_held(standing: Standing, now: datetime) -> bool:
    """Tells whether nothing may come here by itself."""
    held = standing.hold
    return held is not None and (held.until is None or held.until > now)


def pinned(standing: Standing, artifact: str, now: datetime) -> Pin | None:
    """Returns the pin that keeps an artifact away; None = nothing does."""
    pin = standing.pin
    if pin is None or pin.artifact == artifact or (pin.until is not None and pin.until <= now):
        return None
    return pin


def _verified(one: Pass, release: str, at: datetime) -> Pass:
    return one.model_copy(update={"verified": at}) if one.release == release else one
