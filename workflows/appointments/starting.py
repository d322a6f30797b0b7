"""How a deployment is ordered for later."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain import ids
from domain.deliveries import Deployment
from domain.deliveries.appointments import DeployAtRequest
from workflows.appointments.deploy_at import DeployAtWorkflow, title
from workflows.deployments.attributes import appointment_attributes


async def start_deploy_at(
    client: Client, request: DeployAtRequest
) -> WorkflowHandle[DeployAtWorkflow, Deployment]:
    """Orders a deployment for later.

    Raises:
        InvalidRequest: A name is not valid.
        WorkflowAlreadyStartedError: One waits for that place already.
    """
    by = request.trigger.actor or request.trigger.kind.value
    return await client.start_workflow(
        DeployAtWorkflow.run,
        request,
        id=ids.deploy_at_id(request.organization, request.component, request.environment),
        task_queue=ids.LANES_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
        search_attributes=appointment_attributes(request),
        static_summary=title(request)[:200],
        static_details=f"Asked by {by}",
    )
