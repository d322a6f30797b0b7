"""The order in which deployments of one component to one place are carried out.

Requests run in the order in which they came, one at a time, so that the last one decides what
runs; only a rollback goes first. A request of a person is never dropped. A newer automatic request
makes older automatic ones that still wait pointless, as it renders everything they would have.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.deliveries import DeployRequest
from domain.errors import Denied


class Admission(BaseModel):
    """What became of a request that asked for its place."""

    model_config = ConfigDict(frozen=True)

    waiting: tuple[DeployRequest, ...]
    """Requests that wait from now on, in order."""
    position: int
    """Place of the request: 0 = runs now or next as nothing runs, 1 = after the running one."""
    duplicate: bool = False
    """True when an equal request runs or waits already; nothing was added."""
    superseded: tuple[DeployRequest, ...] = ()
    """Automatic requests that gave way to this one."""


def admit(
    waiting: Sequence[DeployRequest], running: DeployRequest | None, request: DeployRequest
) -> Admission:
    """Gives a request its place: a rollback goes before all but other rollbacks, others last.

    Idempotent: a request whose ``request_id`` runs or waits keeps the place it has.
    """
    known = position(waiting, running, request.request_id)
    if known is not None:
        return Admission(waiting=tuple(waiting), position=known, duplicate=True)
    superseded = tuple(older for older in waiting if _supersedes(request, older))
    kept = tuple(older for older in waiting if older not in superseded)
    first = sum(1 for older in kept if older.rollback) if request.rollback else len(kept)
    order = (*kept[:first], request, *kept[first:])
    return Admission(waiting=order, position=first + (running is not None), superseded=superseded)


def position(
    waiting: Iterable[DeployRequest], running: DeployRequest | None, request_id: str
) -> int | None:
    """Returns the place of a request (0 = runs), or None when it neither runs nor waits."""
    order = ([] if running is None else [running]) + list(waiting)
    for place, request in enumerate(order):
        if request.request_id == request_id:
            return place
    return None


def withdraw(waiting: Iterable[DeployRequest], request_id: str) -> tuple[DeployRequest, ...]:
    """Returns the queue without one request. Idempotent: an unknown id changes nothing."""
    return tuple(request for request in waiting if request.request_id != request_id)


def is_answered(request: DeployRequest, generation: int) -> bool:
    """Tells whether a deployment that rendered that generation of the binding answers a request.

    A person's order changes the binding, and the change asks by itself as well: what was carried
    out for the order need not be carried out, or fail, once more.
    """
    return 0 < request.generation <= generation


def check_in_time(request: DeployRequest, now: datetime) -> None:
    """Returns while a deployment may still be begun.

    Raises:
        Denied: It waited for too long, for others or for a freeze.
    """
    if request.expires is not None and now >= request.expires:
        raise Denied(
            f"it was not begun by {request.expires:%Y-%m-%d %H:%M} UTC",
            facts={"reason": "Expired"},
        )


def _supersedes(newer: DeployRequest, older: DeployRequest) -> bool:
    """Tells whether the newer request brings everything that the older one would have brought.

    An older request that names an artifact is covered only by one that names an artifact too:
    the other would deploy what the binding said before.
    """
    if not (newer.trigger.is_automatic and older.trigger.is_automatic) or older.rollback:
        return False
    if newer.put_back or older.put_back:
        # A put-back brings nothing newer, and a rendering that equals what runs puts nothing back.
        return bool(newer.put_back) and set(newer.put_back) == set(older.put_back)
    covers_artifact = bool(newer.artifact) or not older.artifact
    covers_force = newer.force_conflicts or not older.force_conflicts
    covers_class = older.class_revision in {"", newer.class_revision}
    covers_configuration = set(older.configuration) <= set(newer.configuration)
    return covers_artifact and covers_force and covers_class and covers_configuration
