"""How the set-up of an organization is asked for."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle

from domain import ids
from domain.deliveries.tenants import TenantRequest, TenantSetup
from workflows.common.opening import opened
from workflows.tenants.tenant import TenantWorkflow


async def signal_tenant(
    client: Client, request: TenantRequest
) -> WorkflowHandle[TenantWorkflow, TenantSetup]:
    """Has an organization set up, or set up again. What is asked for meanwhile is done once.

    Raises:
        InvalidRequest: The name is not valid.
    """
    return await opened(
        client,
        TenantWorkflow.run,
        request,
        place=ids.tenant_id(request.organization),
        queue=ids.ORCHESTRATION_QUEUE,
        signal="changed",
        static_summary=f"set up {request.organization}",
        static_details=request.trigger.reference or request.trigger.actor,
    )
