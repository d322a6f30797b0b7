"""What is to be done when secrets of a project leaked: which, for whom, and how long. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from domain import ids
from domain.deliveries.leaks import (
    MOST_SECRETS,
    ByHand,
    LeakedSecret,
    LeakEntry,
    LeakFacts,
    LeakOutcome,
    LeakPlan,
    LeakRequest,
)
from domain.errors import InvalidRequest
from domain.secrets.places import key_of, scope_of

QUIET = timedelta(seconds=5)
"""How long an old credential must be seen unused before it is locked, in a leak."""
LOCKED = timedelta(seconds=10)
"""How long it stays locked before it is destroyed, in a leak."""
LONGEST_USE = timedelta(minutes=2)
"""How long somebody may go on using a credential that leaked before it is locked all the same."""
_SHOWN = 10
_STEPS = timedelta(seconds=15)
_PODS = timedelta(seconds=30)
"""How long the pods of one consumer are expected to take to be replaced."""


def concerns(path: str, project: str, environment: str) -> bool:
    """Tells whether a secret is one of the project, and used in the environment (empty = any)."""
    scope = scope_of(path)
    return scope.project == project and environment in {"", scope.environment or environment}


def plan_of(request: LeakRequest, facts: LeakFacts) -> LeakPlan:
    """Returns what is to be done, the same for the same facts.

    Raises:
        InvalidRequest: There is no secret there, or there are too many for one response.
    """
    where = f" in {request.environment}" if request.environment else ""
    users = _users(facts)
    rotations = {
        one.path: one
        for one in sorted(facts.resources.rotations, key=lambda one: one.name, reverse=True)
        if concerns(one.path, request.project, request.environment)
    }
    paths = {*facts.paths, *rotations}
    own = sorted(one for one in paths if concerns(one, request.project, request.environment))
    if not own:
        raise InvalidRequest(f"project {request.project} has no secrets{where}")
    if len(own) > MOST_SECRETS:
        raise InvalidRequest(
            f"project {request.project} has {len(own)} secrets{where}, and {MOST_SECRETS} are "
            "turned over at once: name an environment"
        )
    entries = tuple(
        LeakEntry(
            path=path,
            rotation=rotations[path].name,
            engine=rotations[path].engine,
            consumers=users.get(path, ()),
            skips=rotations[path].approvers,
            expected=_STEPS + QUIET + LOCKED + _PODS * len(users.get(path, ())),
        )
        for path in own
        if path in rotations
    )
    plan = LeakPlan(
        entries=entries,
        by_hand=tuple(
            ByHand(path=path, consumers=users.get(path, ()))
            for path in own
            if path not in rotations
        ),
        silent_planes=tuple(sorted(facts.silent_planes)),
        expected=max((one.expected for one in entries), default=timedelta()),
    )
    return plan.model_copy(update={"hash": ids.content_hash(plan.model_dump(mode="json"))})


def _users(facts: LeakFacts) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for plane in facts.consumers:
        for one in plane.items:
            for path in {key_of(vault_key).path for vault_key in one.keys.values()}:
                found.setdefault(path, []).append(one.shown)
    return {path: tuple(sorted(users)) for path, users in found.items()}


def summary(secrets: Iterable[LeakedSecret], plan: LeakPlan) -> tuple[bool, str]:
    """Returns whether every secret was replaced, and that in words."""
    every = list(secrets)
    open_ones = [one.path for one in every if one.outcome is not LeakOutcome.REPLACED]
    open_ones += [one.path for one in plan.by_hand]
    done = sum(one.outcome is LeakOutcome.REPLACED for one in every)
    said = "1 secret was replaced" if done == 1 else f"{done} secrets were replaced"
    if not open_ones:
        return True, said
    shown = ", ".join(open_ones[:_SHOWN]) + (" and others" if open_ones[_SHOWN:] else "")
    return False, f"{said}; these may still be known to strangers: {shown}"
