"""What an approval tells the records: each vote, change, step of time and end is one fact."""

from __future__ import annotations

from temporalio import workflow

from activities.records.facts import RecordActivities
from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.approval_votes import Act, ApprovalDecision, PeopleFacts, RefusedDecision
from domain.deliveries.approvals import ApprovalOutcome, ApprovalRequest, ApprovalResult
from domain.policies.approvals import Event
from domain.records import AuditFact, FactBatch, FactResult
from workflows.common.calls import QUICK, Options, call, stop_if_cancelled
from workflows.common.facts import Facts

_UNTIL_WRITTEN: Options = {
    "start_to_close_timeout": QUICK["start_to_close_timeout"],
    "heartbeat_timeout": QUICK["heartbeat_timeout"],
    "retry_policy": QUICK["retry_policy"],
    "cancellation_type": QUICK["cancellation_type"],
}
"""No approval counts that is not written down, and no database that is away ends one: it is tried
for as long as it takes."""
_SAID = {
    Act.APPROVE: "approval.voted",
    Act.REJECT: "approval.voted",
    Act.COMMENT: "approval.commented",
    Act.DELEGATE: "approval.delegated",
}
_RESULTS = {
    ApprovalOutcome.APPROVED: FactResult.DONE,
    ApprovalOutcome.REJECTED: FactResult.REFUSED,
    ApprovalOutcome.EXPIRED: FactResult.FAILED,
    ApprovalOutcome.VOID: FactResult.UNDONE,
}


class ApprovalFacts:
    """Collects the facts of one run, and writes them when the workflow gets to it."""

    def __init__(self, request: ApprovalRequest) -> None:
        self._facts = Facts(
            request.organization,
            request.subject,
            Trigger(actor=request.requester),
            component=request.component,
            environment=request.environment,
        )
        self._facts.is_about(project=request.project)
        self._count = 0
        self._unwritten: tuple[AuditFact, ...] = ()

    @property
    def pending(self) -> bool:
        """Tells whether something is to be written."""
        return bool(self._unwritten)

    def asked(self, request: ApprovalRequest) -> None:
        """People are asked, for the first time or anew."""
        self._add(
            "approval.asked", after_hash=request.hash, reason=request.asked, result=FactResult.ASKED
        )

    def decided(
        self,
        decision: ApprovalDecision,
        facts: PeopleFacts,
        before: ApprovalRequest,
        after: ApprovalRequest,
    ) -> None:
        """Somebody decided, commented or delegated; votes of others may have been struck."""
        if after.state == before.state or facts.person is None:
            return
        own = [vote for vote in after.state.votes if vote.person.subject == facts.person.subject]
        behalf = own[0].on_behalf_of if own else None
        self._add(
            _SAID[decision.act],
            actor=facts.person.shown,
            authority=f"delegated by {behalf.shown}" if behalf else "",
            after=decision.act.value,
            after_hash=decision.hash,
            reason=decision.text,
            message=f"to {decision.delegate}" if decision.delegate else "",
        )
        for one in after.state.voided[len(before.state.voided) :]:
            self._add(
                "approval.struck",
                before=one.vote.person.shown,
                before_hash=one.vote.hash,
                reason=one.why,
                result=FactResult.UNDONE,
            )

    def refused(self, decision: ApprovalDecision, refusal: RefusedDecision) -> None:
        """A decision did not count."""
        self._add(
            _SAID[decision.act],
            actor=refusal.who or "somebody unproven",
            after=decision.act.value,
            after_hash=decision.hash,
            result=FactResult.REFUSED,
            message=refusal.why,
        )

    def rebound(self, before: ApprovalRequest, after: ApprovalRequest) -> None:
        """What is asked about changed; how many votes that made void."""
        self._add(
            "approval.rebound",
            before_hash=before.hash,
            after_hash=after.hash,
            reason=after.state.rebindings[-1].why,
            message=f"{len(before.state.votes)} votes are void",
        )

    def passed(self, request: ApprovalRequest, event: Event) -> None:
        """Time brought a reminder or a further group."""
        if event is Event.ESCALATE:
            group = request.rule.escalation[request.state.escalated - 1].group
            self._add("approval.escalated", after=group, reason="nobody decided in time")

    def closed(self, request: ApprovalRequest, result: ApprovalResult) -> None:
        """It ended."""
        self._add(
            f"approval.{'ended' if result.outcome is ApprovalOutcome.VOID else result.outcome}",
            after_hash=request.hash,
            reason=result.message,
            result=_RESULTS[result.outcome],
            message=f"{len(result.votes)} votes count, {len(result.voided)} are void",
        )

    async def write(self) -> None:
        """Writes what is collected, however long the database is away; raises a cancel afterwards.

        Raises:
            asyncio.CancelledError: Nobody needs the approval. What was collected is written.
        """
        await self.write_to_the_end()
        stop_if_cancelled()

    async def write_to_the_end(self) -> None:
        """Writes what is collected, however long the database is away and whatever is cancelled."""
        batch, self._unwritten = self._unwritten, ()
        if not batch:
            return
        await call(
            RecordActivities.record,
            FactBatch(facts=batch),
            f"write down {', '.join(fact.action for fact in batch)}"[:200],
            queue=ids.CONTROL_QUEUE,
            options=_UNTIL_WRITTEN,
            even_if_cancelled=True,
        )

    def _add(self, action: str, *, result: FactResult = FactResult.DONE, **more: str) -> None:
        self._count += 1
        self._facts.add(
            action,
            step=f"{self._count}-{action}",
            result=result,
            evidence=(workflow.info().workflow_id,),
            **more,
        )
        self._unwritten = (*self._unwritten, *self._facts.take())
