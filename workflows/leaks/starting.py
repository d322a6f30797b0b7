"""How responses to leaks are started and confirmed."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from domain import ids
from domain.deliveries.leaks import Confirmation, LeakReport, LeakRequest
from workflows.leaks.response import LeakResponseWorkflow


async def start_leak_response(
    client: Client, request: LeakRequest
) -> WorkflowHandle[LeakResponseWorkflow, LeakReport]:
    """Starts answering a leak in a project, or returns the answer that is on its way."""
    return await client.start_workflow(
        LeakResponseWorkflow.run,
        request,
        id=ids.leak_id(request.organization, request.project, request.environment),
        task_queue=ids.LANES_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"answer a leak in project {request.project}",
        static_details=f"Reported by {request.trigger.actor or request.trigger.kind.value}",
    )


async def confirm_leak(
    handle: WorkflowHandle[LeakResponseWorkflow, LeakReport], confirmation: Confirmation
) -> LeakReport:
    """Gives a person's word for a plan. Idempotent by plan and person.

    Raises:
        WorkflowUpdateFailedError: It cannot be taken; the cause says why.
        RPCError: NOT_FOUND when nothing waits.
    """
    return await handle.execute_update(
        LeakResponseWorkflow.confirm,
        confirmation,
        id=f"confirm-{confirmation.plan[:16]}-{ids.content_hash(confirmation.actor)[:8]}",
    )
