"""Why an artifact is not in an environment yet: all that stands between, in one list."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.deliveries import OperationStatus
from domain.deliveries.promotions import GateState, PromotionPlan
from domain.phases import StepPhase
from domain.records.stops import Stop
from domain.resources.gates import APPROVAL


class Obstacle(BaseModel):
    """One thing that stands between, since when, until when, and who can end it."""

    model_config = ConfigDict(frozen=True)

    what: str
    reason: str
    since: datetime | None = None
    until: datetime | None = None
    """None = it does not end by itself."""
    who: str = ""


_SHOWN_BY_THE_PLAN = {"gates", "freeze"}
"""What is waited for there is in the list already, as it is now."""


def obstacles(
    plan: PromotionPlan,
    running: OperationStatus | None,
    deploying: OperationStatus | None = None,
    stops: Iterable[Stop] = (),
) -> tuple[Obstacle, ...]:
    """Returns everything that stands between; nothing, when it is there.

    Args:
        plan: What a promotion would be judged by now.
        running: Where the promotion of the place stands; None = none is on its way.
        deploying: Where the deployments of the place stand; None = none is under way.
        stops: Emergency stops that hold in the place.
    """
    if plan.nothing_to_do:
        return ()
    stopped = tuple(_of_stop(one) for one in stops)
    if plan.facts.environment == plan.facts.first:
        return (*stopped, *_of_first(plan, deploying))
    found = (*stopped, *_obstacles(plan, running), *_of_queue(deploying))
    if found or running is None:
        return found
    return (Obstacle(what="promotion", reason=f"under way: {running.summary}"),)


def stage_before(plan: PromotionPlan) -> str:
    """Returns the environment to which the artifact must come first; empty = it runs there."""
    facts = plan.facts
    if facts.artifact is None or facts.source.artifact == facts.artifact.name:
        return ""
    return facts.source.environment


def _obstacles(plan: PromotionPlan, running: OperationStatus | None) -> Iterable[Obstacle]:
    facts = plan.facts
    for gate in plan.gates:
        if not gate.is_open:
            asked = " (asked on the way)" if gate.state is GateState.PENDING else ""
            yield Obstacle(
                what=f"gate {gate.name}",
                reason=f"{gate.reason}{asked}",
                since=gate.since,
                until=gate.until,
                who=gate.who,
            )
    if facts.problem:
        yield Obstacle(what="rendering", reason=facts.problem, who="whoever can change it")
    if facts.refused:
        yield Obstacle(
            what="limits",
            reason=facts.refused,
            who="a platform engineer, by the quotas and registries; or whoever makes room",
        )
    yield from _of_freeze(plan)
    yield from _of_promotion(plan, running)


def _of_freeze(plan: PromotionPlan) -> Iterable[Obstacle]:
    freeze = plan.facts.freeze
    for one in freeze.closed_by if freeze else ():
        may = one.override_by != "nobody"
        yield Obstacle(
            what=f"freeze {one.window}",
            reason=one.reason,
            until=one.until,
            who=f"{one.override_by}: pavane freeze override {one.window}" if may else "",
        )


def _of_stop(stop: Stop) -> Obstacle:
    return Obstacle(
        what="emergency stop",
        reason=str(stop),
        since=stop.since,
        who=f"who may administer {stop.place}: pavane resume",
    )


def _of_queue(deploying: OperationStatus | None) -> Iterable[Obstacle]:
    """What the queue of the place does, and what it waits for; a parked one waits for a person."""
    if deploying is None:
        return
    waiting = deploying.waiting_for
    behind = f"; {len(deploying.queue)} wait behind it" if deploying.queue else ""
    if waiting is None:
        yield Obstacle(what="deployment", reason=f"under way: {deploying.summary}{behind}")
    elif _step_of(deploying) not in _SHOWN_BY_THE_PLAN:
        yield Obstacle(
            what="deployment",
            reason=f"waiting for {waiting.what}{behind}",
            since=waiting.since,
            until=waiting.until,
            who=waiting.who,
        )


def _step_of(status: OperationStatus) -> str:
    return next((one.name for one in status.steps if one.phase is StepPhase.RUNNING), "")


def _of_first(plan: PromotionPlan, deploying: OperationStatus | None) -> Iterable[Obstacle]:
    """Into the first environment leads no promotion: a build or a person brings it there."""
    target, held = plan.facts.target, plan.facts.standing.hold
    if held is not None:
        yield Obstacle(
            what="hold", reason=held.reason, since=held.since, until=held.until, who="hold lift"
        )
    pin, component = plan.facts.standing.pin, plan.facts.component
    if pin is not None and (pin.until is None or pin.until > plan.facts.at):
        yield Obstacle(
            what="pin",
            reason=f"pinned to {pin.artifact}: {pin.reason}",
            since=pin.since,
            until=pin.until,
            who=f"whoever may deploy here: pavane unpin {component} {target.environment}",
        )
    yield from _of_queue(deploying)
    wanted = plan.facts.artifact.name if plan.facts.artifact else target.artifact
    if target.artifact and target.artifact != wanted:
        yield Obstacle(
            what="deployment",
            reason=f"{target.environment} runs {target.artifact}",
            since=target.since,
            who=f"whoever may deploy there: pavane deploy {component} -e {target.environment} "
            f"-a {wanted}",
        )
    elif not target.ready and deploying is None:
        reason = ": ".join(part for part in (target.reason, target.message) if part)
        yield Obstacle(
            what="deployment", reason=reason or "nothing was deployed there", since=target.since
        )
    yield from _of_freeze(plan)


def _of_promotion(plan: PromotionPlan, running: OperationStatus | None) -> Iterable[Obstacle]:
    facts = plan.facts
    place = f"{facts.component} {facts.environment}"
    if running is None:
        yield Obstacle(
            what="promotion",
            reason="nobody asked for it",
            who=f"whoever may deploy there: pavane promote {place}"
            if not facts.rules.auto
            else "the platform, once the source is ready",
        )
        yield from _of_approval(plan)
        return
    waiting, step = running.waiting_for, _step_of(running)
    if any(one.name == APPROVAL and one.phase is StepPhase.WAITING for one in running.steps):
        yield from _of_approval(plan)
    if waiting is not None and step not in _SHOWN_BY_THE_PLAN:
        yield Obstacle(
            what=step or "promotion",
            reason=f"waiting for {waiting.what}",
            since=waiting.since,
            until=waiting.until,
            who=waiting.who,
        )


def _of_approval(plan: PromotionPlan) -> Iterable[Obstacle]:
    """It comes after the gates, and is needed although nobody is asked yet."""
    if plan.facts.rules.approval is not None:
        yield Obstacle(what=APPROVAL, reason=f"needs {'; '.join(plan.approvals)}")
