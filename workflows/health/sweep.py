"""Looks once at the health of all that runs in an environment; begun by the clock.

What one look knows it gives to the next one as its result, so nothing is kept anywhere else. A
look that fails leaves the memory as it was, and the next one begins with that.
"""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.common.notices import NoticeActivities
from activities.health.looking import HealthActivities
from activities.health.planning import SweepActivities
from activities.health.schedules import ScheduleActivities
from domain import ids
from domain.deliveries import Trigger, TriggerKind
from domain.deliveries.notices import Notice
from domain.deliveries.schedules import ScheduleName
from domain.deliveries.sweeps import (
    HealthChange,
    HealthReport,
    PlaneSeen,
    PlaneSweep,
    SweepMemory,
    SweepPlan,
    SweepRequest,
    SweepResult,
    ToldHealth,
    Turn,
)
from domain.errors import PlatformError
from domain.policies import sweeps
from domain.records import FactResult
from runtime.errors import as_domain_error
from workflows.common.calls import PRESENCE, QUICK, Options, call, stop_if_cancelled
from workflows.common.facts import Facts

_PATIENCE = timedelta(minutes=2)
_SOON: Options = {**QUICK, "schedule_to_close_timeout": _PATIENCE}
"""The next look comes soon: this one does not wait long for anything."""
_LOOK: Options = {
    **PRESENCE,
    "start_to_close_timeout": timedelta(minutes=1),
    "schedule_to_close_timeout": _PATIENCE,
}
_RESULTS = {
    Turn.HEALTHY: FactResult.DONE,
    Turn.UNHEALTHY: FactResult.FAILED,
    Turn.UNSTEADY: FactResult.FAILED,
}


@workflow.defn
class SweepWorkflow:
    """One look at one environment: plan, look, judge, tell what changed.

    Nothing to undo: it reads, and tells what it read.
    """

    @workflow.init
    def __init__(self, request: SweepRequest) -> None:
        self._facts = Facts(
            request.organization,
            f"health of {request.environment}",
            Trigger(kind=TriggerKind.AUTOMATIC),
            environment=request.environment,
        )

    @workflow.run
    async def run(self, request: SweepRequest) -> SweepResult:
        """Returns what is known now; the next look begins with it."""
        known = workflow.get_last_completion_result(SweepMemory)
        plan = await call(
            SweepActivities.plan_sweep,
            request,
            f"what there is to look at in {request.environment}",
            queue=ids.CONTROL_QUEUE,
            options=_SOON,
        )
        if not plan.declared:
            await self._end(request)
            return SweepResult()
        seen, unanswered = await self._look(request, plan)
        result = await self._tell(request, plan, known, seen)
        return result.model_copy(update={"unanswered": unanswered})

    async def _end(self, request: SweepRequest) -> None:
        """Nobody wants it looked at any more, so nobody is to begin it any more."""
        schedule = ids.sweep_id(request.organization, request.environment)
        await call(
            ScheduleActivities.drop_schedule,
            ScheduleName(schedule=schedule),
            f"remove the schedule {schedule}",
            queue=ids.CONTROL_QUEUE,
            options=_SOON,
        )

    async def _look(self, request: SweepRequest, plan: SweepPlan) -> tuple[PlaneSeen | None, str]:
        """Returns what was seen, None with the reason when the plane does not answer."""
        if not plan.task_queue:
            return None, f"there is no DataPlane {plan.plane}"
        try:
            seen = await call(
                HealthActivities.look_at_plane,
                PlaneSweep(
                    organization=request.organization,
                    environment=request.environment,
                    components=tuple(one.component for one in plan.components),
                    checks=plan.checks,
                    metrics=plan.metrics,
                ),
                f"look at {request.environment} on plane {plan.plane}",
                queue=plan.task_queue,
                options=_LOOK,
            )
        except (FailureError, PlatformError) as failure:
            stop_if_cancelled()
            return None, as_domain_error(failure).message
        return seen, ""

    async def _tell(
        self,
        request: SweepRequest,
        plan: SweepPlan,
        known: SweepMemory | None,
        seen: PlaneSeen | None,
    ) -> SweepResult:
        """Judges, and tells resource, audit and people what changed; the first look says so too."""
        memory = known or SweepMemory()
        told = sweeps.still_wanted(plan, memory.told)
        changes: tuple[HealthChange, ...] = ()
        if seen is not None:
            counted = sweeps.observations(plan, seen, told)
            told, changes = sweeps.judge(told, counted, plan.damping, workflow.now())
        if known is None or sweeps.differ(memory.told, told):
            await self._record(request, told, changes)
        unsent = await self._notify(request, (*memory.unsent, *changes), sweeps.summary(told))
        return SweepResult(
            told=told,
            unsent=unsent,
            seen=len(seen.observations) if seen else 0,
            unhealthy=tuple(one.subject for one in told if not one.healthy),
            changes=changes,
        )

    async def _record(
        self,
        request: SweepRequest,
        told: tuple[ToldHealth, ...],
        changes: tuple[HealthChange, ...],
    ) -> None:
        await call(
            SweepActivities.record_health,
            HealthReport(
                organization=request.organization,
                environment=request.environment,
                told=told,
                at=workflow.now(),
            ),
            f"tell how {request.environment} is",
            queue=ids.CONTROL_QUEUE,
            options=_SOON,
        )
        for change in changes:
            self._facts.add(
                "health.changed",
                step=f"health.changed:{change.subject}",
                result=_RESULTS[change.turn],
                after=f"{change.subject} is {change.turn.value}",
                reason=change.reason,
                message=change.message,
                **sweeps.named(change.subject),
            )
        await self._facts.write()

    async def _notify(
        self, request: SweepRequest, changes: tuple[HealthChange, ...], summary: str
    ) -> tuple[HealthChange, ...]:
        """Tells people; returns what they could not be told, for the next look to try."""
        if not changes:
            return ()
        info = workflow.info()
        where = f"{request.environment} of {request.organization}"
        notice = Notice(
            key=f"{info.workflow_id}/{info.run_id}/health",
            organization=request.organization,
            kind="health.changed",
            title=f"{where}: {sweeps.headline(changes)}",
            text="\n".join(
                f"- {one.subject} is {one.turn.value}: {one.message or one.reason}"
                for one in changes
            ),
            subject=ids.sweep_id(request.organization, request.environment),
            environment=request.environment,
            facts={
                "state": summary,
                **{one.subject: one.turn.value for one in changes},
            },
            at=workflow.now(),
        )
        try:
            await call(
                NoticeActivities.send_notice,
                notice,
                f"tell people: {sweeps.headline(changes)}"[:200],
                queue=ids.CONTROL_QUEUE,
                options=_SOON,
            )
        except (FailureError, PlatformError):
            stop_if_cancelled()
            return changes[-sweeps.MOST_UNSENT :]
        return ()
