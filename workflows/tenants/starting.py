"""How the set-up of an organization is asked for."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

from domain import ids
from domain.deliveries.tenants import TenantRequest, TenantSetup
from workflows.tenants.tenant import TenantWorkflow


async def signal_tenant(
    client: Client, request: TenantRequest
) -> WorkflowHandle[TenantWorkflow, TenantSetup]:
    """Has an organization set up, or set up again. What is asked for meanwhile is done once.

    Raises:
        InvalidRequest: The name is not valid.
    """
    return await client.start_workflow(
        TenantWorkflow.run,
        request,
        id=ids.tenant_id(request.organization),
        task_queue=ids.ORCHESTRATION_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        start_signal="changed",
        start_signal_args=[request],
        static_summary=f"set up {request.organization}",
        static_details=request.trigger.reference or request.trigger.actor,
    )
