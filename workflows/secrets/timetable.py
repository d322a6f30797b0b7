"""Turns secrets over by the clock: a Temporal Schedule for each SecretRotation that has times."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleState,
)
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain import ids
from domain.deliveries import Trigger, TriggerKind
from domain.deliveries.rotations import RotationRequest
from domain.resources.rotation import SecretRotation
from workflows.common.timetables import drop, keep
from workflows.secrets.rotation import RotationWorkflow

_CATCH_UP = timedelta(days=35)
"""How long ago a time may be that passed while everything was away and is made up for, once for all
of them: longer than a month, so that no timetable skips a turn for an outage."""


@workflow.defn
class ScheduledRotationWorkflow:
    """Begins a rotation when its time has come; a schedule cannot give it the id that locks it."""

    @workflow.run
    async def run(self, request: RotationRequest) -> bool:
        """Returns at once; False = it runs already."""
        try:
            _ = await workflow.start_child_workflow(
                RotationWorkflow.run,
                request,
                id=ids.rotation_id(request.organization, request.rotation),
                task_queue=ids.LANES_QUEUE,
                parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                static_summary=f"rotate {request.rotation}",
            )
        except WorkflowAlreadyStartedError:
            return False
        return True


async def keep_timetable(client: Client, rotation: SecretRotation) -> bool:
    """Makes the schedule of a rotation as its resource says; False = it was so already.

    Idempotent. One without times, or that is deleted, has no schedule; one that is suspended keeps
    it paused, and so does one that a person paused.
    """
    if not rotation.spec.cron or rotation.is_deleted:
        return await forget_timetable(client, rotation.organization, rotation.name)
    name = ids.rotation_id(rotation.organization, rotation.name)
    return await keep(client, name, _schedule(name, rotation))


async def forget_timetable(client: Client, organization: str, rotation: str) -> bool:
    """Removes the schedule of a rotation; False = there was none. Idempotent."""
    return await drop(client, ids.rotation_id(organization, rotation))


def _schedule(name: str, rotation: SecretRotation) -> Schedule:
    spec = rotation.spec
    request = RotationRequest(
        organization=rotation.organization,
        rotation=rotation.name,
        trigger=Trigger(kind=TriggerKind.AUTOMATIC, reference=f"SecretRotation {rotation.name}"),
    )
    return Schedule(
        action=ScheduleActionStartWorkflow(
            ScheduledRotationWorkflow.run,
            request,
            id=f"timetable/{name}",
            task_queue=ids.ORCHESTRATION_QUEUE,
            static_summary=f"begin the rotation {rotation.name}",
        ),
        spec=ScheduleSpec(
            cron_expressions=[spec.cron],
            time_zone_name=spec.time_zone or "UTC",
            jitter=timedelta(seconds=spec.jitter_seconds),
        ),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP),
        state=ScheduleState(note=f"turns {spec.vault_path} over", paused=spec.suspended),
    )
