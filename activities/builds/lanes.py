"""Lets builds reach the lane of their organization, and the lane see what is outside of it."""

from __future__ import annotations

import asyncio

from temporalio import activity
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.service import RPCError, RPCStatusCode

from activities.common.reading import find, read
from activities.common.statuses import judged, now, write_status
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries import BuildLane, BuildTurn, LaneCheck, LaneFacts, SlotRef, SlotRequest
from domain.phases import Phase
from domain.resources import Build, Organization
from domain.resources.conditions import Reason

LANE_WORKFLOW = "BuildLaneWorkflow"
"""By name, as activities know no workflows."""
_AT_ONCE = 10


class BuildLaneActivities:
    """What builds and their lane need of Temporal and of the control plane."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def enter_build_lane(self, request: SlotRequest) -> None:
        """Asks for a slot with the limit of this moment; begins the lane when there is none.

        Idempotent: the lane counts a run of a build once.

        Raises:
            NotFound: There is no such organization.
        """
        organization = await read(self._cluster, Organization, request.organization)
        limit = {
            "limit": organization.spec.builds.concurrency,
            "generation": organization.metadata.generation,
        }
        await request_slot(activity.client(), request.model_copy(update=limit))

    @activity.defn
    async def inspect_build_lane(self, check: LaneCheck) -> LaneFacts:
        """Reads how many builds an organization may run, and which of the given runs are over.

        Idempotent: a reading.
        """
        organization = await find(self._cluster, Organization, check.organization)
        return LaneFacts(
            limit=organization.spec.builds.concurrency if organization else 0,
            generation=organization.metadata.generation if organization else 0,
            ended=await ended_runs(activity.client(), check.holders),
        )

    @activity.defn
    async def show_build_turn(self, turn: BuildTurn) -> None:
        """Shows in the Build resource that a build waits for its turn, or that it has come.

        Idempotent: equal content writes nothing, and the status of another run or of a build that
        is over is left alone.
        """
        build = await read(self._cluster, Build, turn.name, turn.organization)
        status = build.status
        if status.operation.run_id != activity.info().workflow_run_id:
            return
        if status.phase is None or status.phase.is_terminal:
            return
        waits = turn.place is not None
        message = f"waits for a build slot: {turn.place}" if waits else "the build runs"
        phase = Phase.PENDING if waits else Phase.RUNNING
        told = judged(
            status.model_copy(update={"phase": phase, "message": message}),
            ready=False,
            reason=Reason.QUEUED if waits else Reason.BUILDING,
            message=message,
            generation=build.metadata.generation,
            at=now(),
        )
        await write_status(self._cluster, build, told)


async def request_slot(client: Client, request: SlotRequest) -> None:
    """Tells the lane of an organization, which is begun when there is none, in one message.

    Raises:
        RPCError: Temporal did not take it.
    """
    await client.start_workflow(
        LANE_WORKFLOW,
        BuildLane(organization=request.organization),
        id=ids.build_lane_id(request.organization),
        task_queue=ids.LANES_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal="slot_requested",
        start_signal_args=[request],
        static_summary=f"build slots of {request.organization}",
    )


async def ended_runs(client: Client, runs: tuple[SlotRef, ...]) -> tuple[SlotRef, ...]:
    """Returns which of the runs are over, or so long ago that Temporal forgot them.

    Raises:
        RPCError: Temporal did not answer.
    """
    hands = asyncio.Semaphore(_AT_ONCE)

    async def has_ended(run: SlotRef) -> bool:
        handle = client.get_workflow_handle(run.build, run_id=run.run_id)
        async with hands:
            try:
                found = await handle.describe()
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return True
                raise
        return found.status is not WorkflowExecutionStatus.RUNNING

    over = await asyncio.gather(*(has_ended(run) for run in runs))
    return tuple(run for run, is_over in zip(runs, over, strict=True) if is_over)
