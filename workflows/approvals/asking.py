"""How a procedure asks for an approval: as a child, by its name.

    result = await approved(ApprovalRequest(subject=workflow.info().workflow_id, ...))
    if not result.approved or result.hash != bound_hash(facts_of_this_moment, rule): ...

The answer is about ``result.hash`` and nothing else: compare it with the facts of the moment in
which it is used, and tell an open approval at once when they change (``rebind``).
"""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.common import Priority

from domain import ids
from domain.deliveries.approvals import ApprovalChange, ApprovalRequest, ApprovalResult
from workflows.common.calls import heed_cancel

_WORKFLOW = "ApprovalWorkflow"
_SOONER = Priority(priority_key=2)
"""Whoever decides waits for the answer: what they say is looked at before what runs by itself."""
OpenApproval = workflow.ChildWorkflowHandle[Any, ApprovalResult]


async def ask_approval(request: ApprovalRequest) -> OpenApproval:
    """Asks; await the answer for the ``ApprovalResult``.

    Idempotent by ``request.subject`` while the approval is open: the id is made of it. It is
    cancelled with whoever asked. Do not continue as new while one is open.

    Raises:
        InvalidRequest: The subject is no name an approval can have.
        WorkflowAlreadyStartedError: Somebody else asked for the same subject.
        asyncio.CancelledError: Whoever asks was cancelled: people are asked nothing.
    """
    heed_cancel()
    handle: OpenApproval = await workflow.start_child_workflow(
        _WORKFLOW,
        request,
        id=ids.approval_id(request.subject),
        task_queue=ids.LANES_QUEUE,
        result_type=ApprovalResult,
        parent_close_policy=workflow.ParentClosePolicy.REQUEST_CANCEL,
        priority=_SOONER,
        static_summary=request.asked[:200],
    )
    return handle


async def approved(request: ApprovalRequest) -> ApprovalResult:
    """Asks and waits for the answer."""
    return await (await ask_approval(request))


async def rebind(approval: OpenApproval, change: ApprovalChange) -> None:
    """Tells an open approval that what it is about changed."""
    await approval.signal("rebind", change)
