"""Waits until people agree, for months if need be.

Everything that decides is in ``domain.policies.approvals``; here it is waited for, by one timer at
a time. Why decisions carry a signature: docs/decisions/0018.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.common.notices import NoticeActivities
from activities.promotions.approvals import ApprovalActivities
from domain import ids
from domain.deliveries import OperationStatus
from domain.deliveries.approval_votes import (
    ApprovalDecision,
    PeopleCheck,
    PeopleFacts,
    RefusedDecision,
)
from domain.deliveries.approvals import (
    ApprovalChange,
    ApprovalOutcome,
    ApprovalRequest,
    ApprovalResult,
    ApprovalStanding,
)
from domain.deliveries.notices import Notice
from domain.errors import Conflict, PlatformError
from domain.policies import approvals
from domain.policies.approvals import Due, Event
from runtime.errors import as_domain_error, as_failure
from workflows.approvals.facts import ApprovalFacts
from workflows.approvals.views import ApprovalView, status_of
from workflows.common.calls import QUICK, Options, call, to_the_end

_WHILE_SOMEBODY_WAITS: Options = {**QUICK, "schedule_to_close_timeout": timedelta(minutes=1)}
"""The caller of an Update, or the procedure that asked, waits for it: rather a clear no."""
_SUMMARIES = {
    Event.REMIND: "remind those who may decide",
    Event.ESCALATE: "ask the next group as well",
    Event.EXPIRE: "approval deadline",
}


@workflow.defn
class ApprovalWorkflow:
    """Asks people to approve one thing, and tells whoever asked what they said."""

    @workflow.init
    def __init__(self, request: ApprovalRequest) -> None:
        self._request = approvals.opened(request, workflow.now())
        self._result: ApprovalResult | None = None
        self._woken = False
        self._notices: set[asyncio.Task[None]] = set()
        self._view = ApprovalView(self._request)
        self._facts = ApprovalFacts(self._request)

    @workflow.run
    async def run(self, _request: ApprovalRequest) -> ApprovalResult:
        """Waits for a verdict. Cancelled = nobody needs it any more."""
        try:
            while self._result is None:
                await self._wait()
        except asyncio.CancelledError:
            reason = workflow.cancellation_reason() or "whoever asked was cancelled"
            if self._result is None:
                self._close(ApprovalOutcome.VOID, reason)
            await to_the_end(self._end())
            raise
        await self._end()
        await workflow.wait_condition(workflow.all_handlers_finished)
        assert self._result is not None  # noqa: S101 - the loop ended
        return self._result

    @workflow.update(description="Decide; answers at once whether it counts")
    async def decide(self, decision: ApprovalDecision) -> ApprovalStanding:
        """Takes a decision, a comment or a delegation; refuses with the reason."""
        try:
            return await self._decide(decision, _WHILE_SOMEBODY_WAITS)
        except PlatformError as error:
            raise as_failure(error) from error

    @decide.validator
    def _worth_a_look(self, decision: ApprovalDecision) -> None:
        try:
            self._must_be_open()
            approvals.check(self._request, decision)
        except PlatformError as error:
            raise as_failure(error) from error

    @workflow.signal(
        name="decide", description="Decide where nobody answers: look whether it counts"
    )
    async def decide_unanswered(self, decision: ApprovalDecision) -> None:
        """The same checks as the Update; a decision that does not count is shown."""
        try:
            self._must_be_open()
            approvals.check(self._request, decision)
            await self._decide(decision, QUICK)
        except PlatformError as error:
            refusal = RefusedDecision(
                act=decision.act,
                who=error.facts.get("who", ""),
                why=error.message,
                at=workflow.now(),
            )
            self._request = approvals.refused(self._request, refusal)
            self._facts.refused(decision, refusal)
            workflow.logger.warning("a decision by signal does not count: %s", error.message)
            self._view.show(self._request, self._result)

    @workflow.signal(description="What is asked about changed: votes are void, it is asked anew")
    def rebind(self, change: ApprovalChange) -> None:
        """Takes the changed facts; without a difference nothing happens."""
        if self._result is not None:
            return
        before = self._request
        self._request = approvals.rebound(before, change, workflow.now())
        if self._request.state.round != before.state.round:
            self._woken = True
            self._facts.rebound(before, self._request)
        self._view.show(self._request, None)

    @workflow.signal(description="It is needed no longer")
    def withdraw(self, why: str) -> None:
        """Ends it as void."""
        if self._result is None:
            self._close(ApprovalOutcome.VOID, why or "it is needed no longer")

    @workflow.query
    def approval(self) -> ApprovalStanding:
        """Everything about it: what is asked, who said what, what is missing."""
        return approvals.standing(self._request, result=self._result)

    @workflow.query
    def status(self) -> OperationStatus:
        """Where it stands, as every procedure tells it."""
        return status_of(self._request, self._result)

    async def _wait(self) -> None:
        """Waits for whatever comes first: a verdict, a change, or what time brings."""
        state = self._request.state
        if not state.told:
            told = state.model_copy(update={"told": True})
            self._request = self._request.model_copy(update={"state": told})
            self._facts.asked(self._request)
            self._tell("asked", f"approval is needed: {self._request.asked}")
        await self._facts.write()
        self._woken = False
        due = approvals.upcoming(self._request)
        if due.at > workflow.now():
            with suppress(TimeoutError):
                await workflow.wait_condition(
                    lambda: self._result is not None or self._is_wanted,
                    timeout=due.at - workflow.now(),
                    timeout_summary=_SUMMARIES[due.event],
                )
        if self._result is None and self._is_long:
            await workflow.wait_condition(lambda: not self._notices)
            await workflow.wait_condition(workflow.all_handlers_finished)
            if self._result is None and not self._facts.pending:
                workflow.continue_as_new(self._request)
        elif self._result is None and not self._woken and due.at <= workflow.now():
            self._passes(due)

    @property
    def _is_wanted(self) -> bool:
        return self._woken or self._facts.pending or self._is_long

    @property
    def _is_long(self) -> bool:
        return workflow.info().is_continue_as_new_suggested()

    def _passes(self, due: Due) -> None:
        if due.event is Event.EXPIRE:
            missing = approvals.judge(self._request).message
            self._close(ApprovalOutcome.EXPIRED, f"nobody decided in time: {missing}")
            return
        self._request = approvals.passed(self._request, due.event)
        self._facts.passed(self._request, due.event)
        self._view.show(self._request, None)
        word = "reminded" if due.event is Event.REMIND else "escalated"
        self._tell(word, f"approval is still needed: {self._request.asked}")

    def _must_be_open(self) -> None:
        if self._result is not None:
            raise Conflict(
                f"approval of {self._request.subject} is over: {self._result.message}",
                facts={"outcome": self._result.outcome.value},
            )

    async def _decide(self, decision: ApprovalDecision, options: Options) -> ApprovalStanding:
        facts = await self._people(decision, options)
        who = facts.person.shown if facts.person else ""
        try:
            self._must_be_open()
            decided = approvals.decide(self._request, decision, facts, workflow.now())
        except PlatformError as error:
            error.facts.setdefault("who", who)
            raise
        before, self._request = self._request, approvals.struck(decided, facts, workflow.now())
        self._facts.decided(decision, facts, before, self._request)
        judged = approvals.judge(self._request)
        if judged.outcome is not None:
            self._close(judged.outcome, judged.message)
        return self._view.show(self._request, self._result)

    async def _people(self, decision: ApprovalDecision, options: Options) -> PeopleFacts:
        request = self._request
        check = PeopleCheck(
            approval=workflow.info().workflow_id,
            organization=request.organization,
            project=request.project,
            environment=request.environment,
            decision=decision,
            received=workflow.now(),
            people=approvals.involved(request),
        )
        try:
            return await call(
                ApprovalActivities.check_people,
                check,
                f"who decides to {decision.act}, and who may",
                queue=ids.CONTROL_QUEUE,
                options=options,
            )
        except ActivityError as failure:
            raise as_domain_error(failure) from failure

    def _close(self, outcome: ApprovalOutcome, message: str) -> None:
        self._result = approvals.concluded(self._request, outcome, message, workflow.now())
        self._facts.closed(self._request, self._result)
        self._view.show(self._request, self._result)

    def _tell(self, what: str, title: str) -> None:
        """Tells people beside the waiting, so that a mail server that is away delays nobody."""
        task = asyncio.create_task(self._send(self._notice(what, title), QUICK))
        self._notices.add(task)
        task.add_done_callback(self._notices.discard)

    async def _end(self) -> None:
        """Writes down and tells how it ended."""
        assert self._result is not None  # noqa: S101 - only called then
        await self._facts.write_to_the_end()
        title = f"{self._result.outcome.value}: {self._request.asked}"
        notice = self._notice(self._result.outcome.value, title)
        await self._send(notice, {**_WHILE_SOMEBODY_WAITS, "start_to_close_timeout": _SAYING})

    async def _send(self, notice: Notice, options: Options) -> None:
        try:
            await call(
                NoticeActivities.send_notice,
                notice,
                f"tell: {notice.title}",
                queue=ids.CONTROL_QUEUE,
                options=options,
            )
        except ActivityError as failure:
            reason = as_domain_error(failure).message
            workflow.logger.warning("nobody was told (%s): %s", notice.kind, reason)

    def _notice(self, what: str, title: str) -> Notice:
        request, state = self._request, self._request.state
        standing = approvals.standing(request, result=self._result)
        run = workflow.info().first_execution_run_id
        return Notice(
            key=f"{workflow.info().workflow_id}/{run}/{state.round}/{what}/{state.escalated}",
            organization=request.organization,
            kind=f"approval.{what}",
            title=title,
            text=standing.message,
            groups=approvals.open_groups(request) if self._result is None else (),
            people=tuple(one.delegate for one in state.delegations)
            if self._result is None
            else (request.requester,) * bool(request.requester),
            subject=request.subject,
            project=request.project,
            component=request.component,
            environment=request.environment,
            facts={"hash": standing.hash, "requester": request.requester},
            at=workflow.now(),
        )


_SAYING = timedelta(seconds=15)
