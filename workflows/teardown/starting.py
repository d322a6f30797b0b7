"""How a teardown is asked for."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle

from domain import ids
from domain.deliveries.teardown import TeardownRequest, TornDown
from workflows.common.opening import opened
from workflows.teardown.teardown import TeardownWorkflow


async def signal_teardown(
    client: Client, request: TeardownRequest
) -> WorkflowHandle[TeardownWorkflow, TornDown]:
    """Has a resource that is being deleted taken down; one that is on its way looks again.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await opened(
        client,
        TeardownWorkflow.run,
        request,
        place=ids.teardown_id(request.organization, request.kind, request.name),
        queue=ids.LANES_QUEUE,
        signal="changed",
        static_summary=f"delete {request.kind} {request.name}",
        static_details=request.trigger.actor or request.trigger.reference,
    )
