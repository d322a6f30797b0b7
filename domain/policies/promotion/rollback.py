"""Which release is brought back, and whether it may be."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from domain.deliveries.freezes import FreezeVerdict
from domain.deliveries.standings import RollbackNote, Standing

DAY = timedelta(days=1)
MAXIMUM_AGE = timedelta(days=30)
"""Older releases are brought back by name only: what surrounds them has changed too much."""


class KnownRelease(BaseModel):
    """A release that ran in the place and did well."""

    model_config = ConfigDict(frozen=True)

    name: str
    artifact: str = ""
    since: datetime
    """When it was last brought there with success."""
    is_stored: bool = True
    """Its objects are still kept."""


class RollbackCase(BaseModel):
    """What a rollback is judged by."""

    model_config = ConfigDict(frozen=True)

    running: str
    """Release that runs, or was tried last; empty = nothing."""
    known: tuple[KnownRelease, ...]
    """Oldest first."""
    wanted: str = ""
    """Release a person named; empty = the last verified one."""
    automatic: bool = False
    rollbacks: tuple[RollbackNote, ...] = ()
    per_day: int = 3
    now: datetime


class RollbackChoice(BaseModel):
    """What is brought back; without a release, why not."""

    model_config = ConfigDict(frozen=True)

    release: KnownRelease | None = None
    refused: str = ""


def choose(case: RollbackCase) -> RollbackChoice:
    """Chooses the release to bring back, or says why none is."""
    if case.automatic and (reason := _guarded(case)):
        return RollbackChoice(refused=reason)
    candidates = [one for one in case.known if one.name != case.running]
    if case.wanted:
        return _named(case, candidates)
    taken_away = {note.bad for note in case.rollbacks}
    good = [one for one in candidates if one.is_stored and one.name not in taken_away]
    if not good:
        return RollbackChoice(refused="no verified release from before is kept")
    last = max(good, key=lambda one: one.since)
    if case.now - last.since > MAXIMUM_AGE:
        days = (case.now - last.since).days
        return RollbackChoice(
            refused=f"the last verified release {last.name} is {days} days old: name it with --to"
        )
    return RollbackChoice(release=last)


def already_back(running: str, standing: Standing) -> str:
    """Says that what runs was brought back by a rollback that still counts; empty = it was not.

    It counts while its hold is there: who lifts that says that the matter is closed.
    """
    last = standing.rollbacks[-1] if standing.rollbacks else None
    if last is None or last.to != running or standing.hold is None:
        return ""
    return (
        f"{last.bad} was rolled back already: {running} runs since {last.at:%Y-%m-%d %H:%M} UTC; "
        f"to go further back: --bad {running}"
    )


def shut_for_all(freeze: FreezeVerdict | None) -> str:
    """Says which freeze lets nobody in, and so no rollback; empty = none does."""
    shut = [one for one in freeze.closed_by if one.override_by == "nobody"] if freeze else []
    if not shut:
        return ""
    windows = "; ".join(f"{one.window}: {one.reason}" for one in shut)
    return (
        f"freeze {windows}, and nobody may override it; a platform engineer can suspend the window"
    )


def _named(case: RollbackCase, candidates: Sequence[KnownRelease]) -> RollbackChoice:
    if case.wanted == case.running:
        return RollbackChoice(refused=f"{case.wanted} runs already")
    found = next((one for one in candidates if one.name == case.wanted), None)
    if found is None:
        return RollbackChoice(refused=f"{case.wanted} never ran here with success")
    if not found.is_stored:
        return RollbackChoice(refused=f"the objects of {case.wanted} are no longer kept")
    return RollbackChoice(release=found)


def _guarded(case: RollbackCase) -> str:
    """A person may do what automation must not: go in circles."""
    if case.rollbacks and case.rollbacks[-1].to == case.running:
        return f"{case.running} was brought back by a rollback itself: a person decides"
    today = [one for one in case.rollbacks if one.automatic and case.now - one.at < DAY]
    if len(today) >= case.per_day:
        return f"{len(today)} rollbacks within a day are as many as may be: a person decides"
    return ""
