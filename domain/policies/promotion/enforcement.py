"""Whether what a binding asks for may be rolled out, whoever asked (docs/decisions/0012).

A binding asks, the pipeline decides. Into an environment that is the target of a step only the
exact objects come that the promotion procedure let pass; its word for it is a ``Pass``, which only
that procedure can write.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.deliveries.standings import Pin, Standing
from domain.policies.promotion.standing import is_held, is_vetoed, passed, pinned
from domain.resources.pipeline import DeploymentPipeline


class Wish(BaseModel):
    """What is to be rolled out, by whom."""

    model_config = ConfigDict(frozen=True)

    component: str
    environment: str
    artifact: str
    image: str = ""
    release: str
    hash: str
    changes: bool
    """False = exactly this runs already, so nothing is rolled out."""
    by_person: bool
    """A person asked for it through the API."""


class Admission(BaseModel):
    """Whether it may be rolled out; when not, which gate is closed and why."""

    model_config = ConfigDict(frozen=True)

    allowed: bool
    gate: str = ""
    message: str = ""


_ALLOWED = Admission(allowed=True)


def admit(wish: Wish, pipeline: DeploymentPipeline, standing: Standing, now: datetime) -> Admission:
    """Decides whether a release may be rolled out."""
    if not wish.changes:
        return _ALLOWED
    if problems := pipeline.problems():
        return _closed("order", f"pipeline {pipeline.name} cannot be used: {'; '.join(problems)}")
    if (pin := pinned(standing, wish.artifact, now)) and not _past(pin, wish, standing):
        return _closed(
            "pin",
            f"{wish.component} in {wish.environment} is pinned to {pin.artifact}: {pin.reason}; "
            f"lift it with: pavane unpin {wish.component} {wish.environment}",
        )
    if wish.environment != pipeline.first_environment:
        admission = _through_gates(wish, pipeline, standing)
        if not admission.allowed:
            return admission
    return _ALLOWED if wish.by_person else _left_alone(wish, standing, now)


def _past(pin: Pin, wish: Wish, standing: Standing) -> bool:
    """Tells whether a hotfix was let past the pin."""
    let = passed(standing, wish.hash)
    return let is not None and let.hotfix and let.at >= pin.since


def _through_gates(wish: Wish, pipeline: DeploymentPipeline, standing: Standing) -> Admission:
    """Looks for the pass of exactly these objects."""
    place = f"{wish.component} in {wish.environment}"
    if not pipeline.sources_of(wish.environment):
        return _closed("order", f"pipeline {pipeline.name} has no way to {wish.environment}")
    if is_vetoed(standing, wish.artifact, wish.image):
        return _vetoed(wish)
    if passed(standing, wish.hash) is not None:
        return _ALLOWED
    ask = f"ask for it with: pavane promote {wish.component} {wish.environment}"
    if any(one.artifact == wish.artifact for one in standing.passes):
        return _closed(
            "configuration",
            f"{wish.artifact} passed the gates of {place} with another configuration, class or "
            f"workload than now; {ask}",
        )
    return _closed("promotion", f"{wish.artifact} has not passed the gates of {place}; {ask}")


def admit_rollback(
    wish: Wish, pipeline: DeploymentPipeline, standing: Standing, *, is_intact: bool
) -> Admission:
    """Decides whether a stored release may be brought back: it ran here, and is what it was."""
    if not is_intact:
        return _closed("release", f"Release {wish.release} is not what was written down: changed")
    if wish.environment == pipeline.first_environment or passed(standing, wish.hash) is not None:
        return _ALLOWED
    return _closed("promotion", f"Release {wish.release} never passed the gates of its place")


def _left_alone(wish: Wish, standing: Standing, now: datetime) -> Admission:
    """What comes by itself, or by an edit, yields to holds and vetoes; an order does not."""
    if is_vetoed(standing, wish.artifact, wish.image):
        return _vetoed(wish)
    if standing.hold is not None and is_held(standing, now):
        return _closed(
            "hold",
            f"{wish.component} in {wish.environment} is held: {standing.hold.reason}; lift it "
            f"with: pavane hold lift {wish.component} {wish.environment}",
        )
    return _ALLOWED


def _vetoed(wish: Wish) -> Admission:
    return _closed(
        "veto",
        f"{wish.artifact} is vetoed in {wish.environment}; lift it with: "
        f"pavane veto lift {wish.component} {wish.environment}",
    )


def _closed(gate: str, message: str) -> Admission:
    return Admission(allowed=False, gate=gate, message=message)
