"""What runs by the clock: Temporal Schedules, made by workers when they start."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)

from domain import ids
from domain.records import SigningRequest
from workflows.records.audit_signing import SignAuditHeadsWorkflow

AUDIT_SIGNING = "sign-audit-heads"
_MOST_JITTER = timedelta(seconds=30)


async def schedule_audit_signing(client: Client, interval: timedelta) -> bool:
    """Has the heads of audit chains signed every ``interval``; False = that was so already.

    Idempotent, also when several workers start at once. Whoever paused the schedule has paused it:
    an interval that changed does not start it again.
    """
    wanted = _every(interval)
    try:
        await client.create_schedule(AUDIT_SIGNING, wanted)
    except ScheduleAlreadyRunningError:
        return await _bring_up_to_date(client, wanted)
    return True


def _every(interval: timedelta) -> Schedule:
    return Schedule(
        action=ScheduleActionStartWorkflow(
            SignAuditHeadsWorkflow.run,
            SigningRequest(),
            id=AUDIT_SIGNING,
            task_queue=ids.ORCHESTRATION_QUEUE,
            static_summary="sign the heads of the audit chains",
        ),
        spec=ScheduleSpec(
            intervals=[ScheduleIntervalSpec(every=interval)],
            jitter=min(interval / 10, _MOST_JITTER),
        ),
        policy=SchedulePolicy(
            overlap=ScheduleOverlapPolicy.SKIP, catchup_window=max(interval, timedelta(minutes=1))
        ),
        state=ScheduleState(note="signs the heads of the audit chains"),
    )


async def _bring_up_to_date(client: Client, wanted: Schedule) -> bool:
    changed = False

    async def update(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
        nonlocal changed
        known = found.description.schedule
        changed = known.spec.intervals != wanted.spec.intervals
        if not changed:
            return None
        wanted.state = known.state
        return ScheduleUpdate(schedule=wanted)

    await client.get_schedule_handle(AUDIT_SIGNING).update(update)
    return changed
