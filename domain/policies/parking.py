"""Which way out a person has when a flow exhausted its budget, and how long it waits. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.deliveries.parking import Choice, Parked, Resolution
from domain.errors import CompensationFailed, Errored, PlatformError

PATIENCE = timedelta(days=7)
"""How long a parked flow waits for a person before it gives up by itself."""

_ALWAYS = (Choice.RETRY, Choice.COMPENSATE)
_MORE: dict[tuple[str, str], tuple[Choice, ...]] = {
    # What is applied stays; only that its pods are ready was not seen.
    ("deploy", "rollout"): (Choice.SKIP, Choice.FIX),
    ("deploy", "apply"): (Choice.FIX,),
    ("deploy", "prepare"): (Choice.FIX,),
    # A plane that never comes back has nothing to be removed from.
    ("teardown", "planes"): (Choice.SKIP,),
}
_NEVER = {("build", "queue")}
"""A build that waited a day for its slot would only wait again."""


def parks(kind: str, step: str, failure: PlatformError, *, others_wait: bool = False) -> bool:
    """Tells whether a flow waits for a person instead of ending.

    A verdict (``Failed``, ``Denied``, an invalid request) is no fault, and a failed undo has ended
    all that could be done. A queue in which others wait is not held up: they may be the remedy.
    """
    technical = isinstance(failure, Errored) and not isinstance(failure, CompensationFailed)
    return technical and not others_wait and (kind, step) not in _NEVER


def parked(kind: str, step: str, message: str, now: datetime) -> Parked:
    """Returns what is told of a flow that parks now."""
    return Parked(
        step=step,
        message=message,
        since=now,
        reminder=now + PATIENCE / 2,
        until=now + PATIENCE,
        choices=choices(kind, step),
    )


def choices(kind: str, step: str) -> tuple[Choice, ...]:
    """Returns what may be chosen when that step did not succeed, in the order of ``Choice``."""
    allowed = {*_ALWAYS, *_MORE.get((kind, step), ())}
    return tuple(choice for choice in Choice if choice in allowed)


def refusal(flow: Parked | None, resolution: Resolution) -> str:
    """Returns why a resolution cannot be taken; empty = it can."""
    if flow is None:
        return "it is not parked: it needs no resolution"
    if not resolution.reason.strip():
        return "a reason is required: it is written down"
    if resolution.choice not in flow.choices:
        possible = ", ".join(flow.choices)
        return f"the step {flow.step} cannot be resolved by {resolution.choice}: {possible} can"
    fixes = bool(resolution.artifact or resolution.force_conflicts)
    if resolution.choice is Choice.FIX and not fixes:
        return "fix needs what to change: an artifact, or to take over conflicting fields"
    if resolution.choice is not Choice.FIX and fixes:
        return f"only fix changes the input, {resolution.choice} does not"
    return ""
