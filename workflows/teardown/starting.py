"""How a teardown is asked for."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain import ids
from domain.deliveries.teardown import TeardownRequest, TornDown
from workflows.teardown.teardown import TeardownWorkflow


async def signal_teardown(
    client: Client, request: TeardownRequest
) -> WorkflowHandle[TeardownWorkflow, TornDown]:
    """Has a resource that is being deleted taken down; one that is on its way looks again.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await client.start_workflow(
        TeardownWorkflow.run,
        request,
        id=ids.teardown_id(request.organization, request.kind, request.name),
        task_queue=ids.LANES_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal="changed",
        start_signal_args=[request],
        static_summary=f"delete {request.kind} {request.name}",
        static_details=request.trigger.actor or request.trigger.reference,
    )
