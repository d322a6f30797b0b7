"""How looking after a plane is asked for."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain import ids
from domain.deliveries.planes import ObservabilityRequest, PlaneRequest
from domain.resources import ObservabilityPlane
from workflows.planes.check import PlaneCheckWorkflow
from workflows.planes.observability import ObservabilityCheckWorkflow


async def signal_plane_check(
    client: Client, request: PlaneRequest
) -> WorkflowHandle[PlaneCheckWorkflow, None]:
    """Has a plane looked after; one that is already learns what its resource says now.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await client.start_workflow(
        PlaneCheckWorkflow.run,
        request,
        id=ids.plane_check_id(request.organization, request.plane, request.plane_kind),
        task_queue=ids.LANES_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal="changed",
        start_signal_args=[request],
        static_summary=f"look after {request.plane_kind} {request.plane}",
        static_details=request.trigger.reference or request.trigger.actor,
    )


async def signal_observability_check(
    client: Client, request: ObservabilityRequest
) -> WorkflowHandle[ObservabilityCheckWorkflow, None]:
    """Has an ObservabilityPlane looked after; one that is already learns what it says now.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await client.start_workflow(
        ObservabilityCheckWorkflow.run,
        request,
        id=ids.plane_check_id(request.organization, request.plane, ObservabilityPlane.kind),
        task_queue=ids.LANES_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal="changed",
        start_signal_args=[request],
        static_summary=f"look after {ObservabilityPlane.kind} {request.plane}",
        static_details=request.trigger.reference or request.trigger.actor,
    )
