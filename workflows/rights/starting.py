"""How rights for a while are asked for."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle

from domain import ids
from domain.deliveries.break_glass import BreakGlass, BreakGlassRequest
from workflows.common.opening import opened
from workflows.rights.break_glass import BreakGlassWorkflow, title


async def start_break_glass(
    client: Client, request: BreakGlassRequest
) -> WorkflowHandle[BreakGlassWorkflow, BreakGlass]:
    """Asks for a right, or finds the one that the person has or asked for in that environment.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await opened(
        client,
        BreakGlassWorkflow.run,
        request,
        place=ids.break_glass_id(request.organization, request.person, request.environment),
        queue=ids.LANES_QUEUE,
        static_summary=title(request)[:200],
        static_details=request.reason[:1000],
    )
