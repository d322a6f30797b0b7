"""The members of a set on their way: promoted as children, taken back by rollbacks."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from domain import ids
from domain.deliveries.promotions import Promotion, PromotionRequest
from domain.deliveries.rollbacks import Rollback, RollbackRequest
from domain.deliveries.sets import MemberPhase, MemberState, SetMember, SetRequest
from runtime.errors import as_domain_error
from workflows.deployments.attributes import promotion_attributes
from workflows.promotions.passage import title
from workflows.promotions.promotion import PromotionWorkflow
from workflows.promotions.rollback import RollbackWorkflow


class Members:
    """What each member of one set does. Lives inside one workflow run."""

    def __init__(self, request: SetRequest) -> None:
        self._request = request
        self.states = {
            one.component: MemberState(component=one.component) for one in request.members
        }
        self.done: list[str] = []
        """In the order in which they came."""
        self._children: dict[str, asyncio.Task[Any]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    @property
    def are_running(self) -> bool:
        """Tells whether some are on their way."""
        return any(not task.done() for task in self._tasks.values())

    @property
    def ended(self) -> int:
        """How many came to their end, one way or another."""
        return sum(task.done() for task in self._tasks.values())

    def tell(self, component: str, phase: MemberPhase, message: str = "", **more: str) -> None:
        """Says how a member goes."""
        changed = {"phase": phase, "message": message, **more}
        self.states[component] = self.states[component].model_copy(update=changed)

    def begin(self, component: str) -> None:
        """Sends a member on its way."""
        member = next(one for one in self._request.members if one.component == component)
        self.tell(component, MemberPhase.RUNNING)
        self._tasks[component] = asyncio.create_task(self._promote(member))

    async def stop(self) -> None:
        """Cancels those on their way and waits until each has undone what it did."""
        for child in self._children.values():
            if not child.done():
                child.cancel()
        if tasks := list(self._tasks.values()):
            await workflow.wait(tasks)

    async def take_back(self, component: str, why: str) -> bool:
        """Rolls a member back that came; tells whether that is so now."""
        request, state = self._request, self.states[component]
        if not state.release:
            return True  # it was there before
        ask = RollbackRequest(
            organization=request.organization,
            component=component,
            environment=request.environment,
            request_id=f"{workflow.info().run_id}-{component}",
            bad=state.release,
            reason=why[:500],
            trigger=request.trigger,
        )
        try:
            back: Rollback = await workflow.execute_child_workflow(
                RollbackWorkflow.run,
                ask,
                id=ids.rollback_id(request.organization, component, request.environment),
                task_queue=ids.ORCHESTRATION_QUEUE,
                parent_close_policy=ParentClosePolicy.ABANDON,
                static_summary=f"roll {component} back in {request.environment}",
            )
        except (FailureError, WorkflowAlreadyStartedError) as failure:
            self.tell(component, MemberPhase.DONE, f"not rolled back: {_said(failure)}")
            return False
        self.tell(component, MemberPhase.UNDONE, back.message)
        return True

    async def _promote(self, member: SetMember) -> None:
        request, name = self._request, member.component
        asked = PromotionRequest(
            organization=request.organization,
            component=name,
            environment=request.environment,
            request_id=f"{workflow.info().run_id}-{name}",
            artifact=member.artifact,
            reason=request.reason,
            trigger=request.trigger,
        )
        try:
            child = await workflow.start_child_workflow(
                PromotionWorkflow.run,
                asked,
                id=ids.promotion_id(request.organization, name, request.environment),
                task_queue=ids.LANES_QUEUE,
                parent_close_policy=ParentClosePolicy.ABANDON,
                search_attributes=promotion_attributes(asked),
                static_summary=title(asked),
            )
            self._children[name] = child
            promotion: Promotion = await child
        except (FailureError, WorkflowAlreadyStartedError, asyncio.CancelledError) as failure:
            self.tell(name, MemberPhase.FAILED, _said(failure))
            return
        if promotion.request_id != asked.request_id:
            message = "another promotion took its place"
            self.tell(name, MemberPhase.FAILED, message)
            return
        self.done.append(name)
        release = promotion.release if promotion.changed else ""
        self.tell(name, MemberPhase.DONE, promotion.message, release=release)


def _said(failure: BaseException) -> str:
    if isinstance(failure, WorkflowAlreadyStartedError):
        return f"{failure.workflow_id} is on its way already"
    if isinstance(failure, asyncio.CancelledError):
        return "cancelled"
    return as_domain_error(failure).message or "cancelled"
