"""What looks at health mean: what is told, when, and what is only noise. Pure.

One look is no proof: a pod is moved, an answer is late. A change counts after several looks in a
row, and what changes again and again is told to be unsteady once instead of each time.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from domain.deliveries.sweeps import (
    Damping,
    HealthChange,
    Observation,
    PlaneSeen,
    SweepPlan,
    ToldHealth,
    Turn,
)

CALM = timedelta(hours=1)
"""How long something must stay as it is to be steady again."""
MOST_UNSENT = 200
"""Changes that are kept for people who cannot be told now; the oldest go first."""
_NAMED = 5
_MISSING = "its objects are not on the plane any more"


def component_subject(component: str) -> str:
    """Returns how a component is named among what is looked at."""
    return f"component {component}"


def check_subject(check: str) -> str:
    """Returns how a check is named among what is looked at."""
    return f"check {check}"


def metric_subject(metric: str) -> str:
    """Returns how a question to Prometheus is named among what is looked at."""
    return f"metric {metric}"


def observations(
    plan: SweepPlan, seen: PlaneSeen, told: Iterable[ToldHealth]
) -> tuple[Observation, ...]:
    """Returns what counts of what a look saw.

    What is being deployed is judged by its deployment. What was seen before, is to run and is not
    found is unwell; what was never seen may be of a kind that is not looked at.
    """
    found = {one.subject: one for one in seen.observations}
    known = {one.subject for one in told}
    for one in plan.components:
        subject = component_subject(one.component)
        if not one.settled:
            found.pop(subject, None)
        elif subject in known and subject not in found:
            found[subject] = Observation(
                subject=subject, healthy=False, reason="Missing", message=_MISSING
            )
    wanted = subjects(plan)
    return tuple(found[name] for name in sorted(found) if name in wanted)


def subjects(plan: SweepPlan) -> frozenset[str]:
    """Returns everything that is looked at."""
    return frozenset(
        [component_subject(one.component) for one in plan.components]
        + [check_subject(one.name) for one in plan.checks]
        + [metric_subject(one.name) for one in plan.metrics]
    )


def still_wanted(plan: SweepPlan, told: Iterable[ToldHealth]) -> tuple[ToldHealth, ...]:
    """Returns what is known of what there still is to look at."""
    wanted = subjects(plan)
    return tuple(one for one in told if one.subject in wanted)


def differ(before: Iterable[ToldHealth], after: Iterable[ToldHealth]) -> bool:
    """Tells whether there is something new to say; how long an answer took is not."""
    return _said(before) != _said(after)


def _said(told: Iterable[ToldHealth]) -> set[tuple[str, bool, bool]]:
    return {(one.subject, one.healthy, one.unsteady) for one in told}


def named(subject: str) -> dict[str, str]:
    """Returns the component of a subject, for lists; nothing of a check."""
    kind, _, name = subject.partition(" ")
    return {"component": name} if kind == "component" else {}


def headline(changes: Iterable[HealthChange]) -> str:
    """Returns the changes in one line."""
    said = [f"{one.subject} is {one.turn.value}" for one in changes]
    more = f" and {len(said) - _NAMED} more" if len(said) > _NAMED else ""
    return ", ".join(said[:_NAMED]) + more


def judge(
    told: Iterable[ToldHealth], seen: Iterable[Observation], damping: Damping, at: datetime
) -> tuple[tuple[ToldHealth, ...], tuple[HealthChange, ...]]:
    """Returns what is known after a look, and what is to be told; both by subject.

    What was not seen stays as it was. What is seen for the first time counts as well until enough
    looks said otherwise.
    """
    known = {one.subject: one for one in told}
    changes = []
    for one in seen:
        before = known.get(one.subject) or ToldHealth(subject=one.subject, since=at)
        after, change = _judged(before, one, damping, at)
        known[one.subject] = after
        if change is not None:
            changes.append(change)
    order = sorted(known)
    return tuple(known[name] for name in order), tuple(sorted(changes, key=lambda c: c.subject))


def _judged(
    before: ToldHealth, seen: Observation, damping: Damping, at: datetime
) -> tuple[ToldHealth, HealthChange | None]:
    turns = tuple(one for one in before.turns if at - one < CALM)
    held = before.model_copy(update={"turns": turns})
    if seen.healthy is before.healthy:
        held = held.model_copy(
            update={"against": 0, "reason": seen.reason, "message": seen.message}
        )
        if before.unsteady and not turns:
            calm = held.model_copy(update={"unsteady": False, "since": at})
            return calm, _told(calm, at)
        return held, None
    needed = damping.healthy_after if seen.healthy else damping.unhealthy_after
    against = before.against + 1
    if against < needed:
        return held.model_copy(update={"against": against}), None
    turned = held.model_copy(
        update={
            "healthy": seen.healthy,
            "since": at,
            "reason": seen.reason,
            "message": seen.message,
            "against": 0,
            "turns": (*turns, at),
            "ever_unwell": True,
        }
    )
    if before.unsteady:
        return turned, None
    if len(turned.turns) >= damping.flaps_per_hour:
        unsteady = turned.model_copy(update={"unsteady": True})
        return unsteady, _told(unsteady, at)
    return turned, _told(turned, at)


def _told(now: ToldHealth, at: datetime) -> HealthChange:
    message = now.message
    turn = Turn.HEALTHY if now.healthy else Turn.UNHEALTHY
    if now.unsteady:
        turn = Turn.UNSTEADY
        word = "well" if now.healthy else "unwell"
        message = f"changed {len(now.turns)} times within an hour, {word} now: {message}"
    return HealthChange(
        subject=now.subject, turn=turn, at=at, reason=now.reason, message=message.rstrip(": ")
    )


def summary(told: Iterable[ToldHealth]) -> str:
    """Returns one line about an environment."""
    everyone = tuple(told)
    bad = [one for one in everyone if not one.healthy]
    if not bad:
        return f"all {len(everyone)} are well" if everyone else "nothing is there to look at"
    named = "; ".join(f"{one.subject}: {one.message or one.reason}" for one in bad[:_NAMED])
    more = f"; and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
    return f"{len(bad)} of {len(everyone)} are unwell: {named}{more}"
