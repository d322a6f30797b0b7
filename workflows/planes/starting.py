"""How looking after a plane is asked for."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle

from domain import ids
from domain.deliveries.planes import ObservabilityRequest, PlaneRequest
from domain.resources import ObservabilityPlane
from workflows.common.opening import opened
from workflows.planes.check import PlaneCheckWorkflow
from workflows.planes.observability import ObservabilityCheckWorkflow


async def signal_plane_check(
    client: Client, request: PlaneRequest
) -> WorkflowHandle[PlaneCheckWorkflow, None]:
    """Has a plane looked after; one that is already learns what its resource says now.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await opened(
        client,
        PlaneCheckWorkflow.run,
        request,
        place=ids.plane_check_id(request.organization, request.plane, request.plane_kind),
        queue=ids.LANES_QUEUE,
        signal="changed",
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
    return await opened(
        client,
        ObservabilityCheckWorkflow.run,
        request,
        place=ids.plane_check_id(request.organization, request.plane, ObservabilityPlane.kind),
        queue=ids.LANES_QUEUE,
        signal="changed",
        static_summary=f"look after {ObservabilityPlane.kind} {request.plane}",
        static_details=request.trigger.reference or request.trigger.actor,
    )
