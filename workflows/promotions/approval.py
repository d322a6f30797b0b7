"""Asks people whether a promotion may go on; what they say counts for what they were asked."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.promotions.standing import PromotionActivities
from domain import ids
from domain.deliveries import (
    ApprovalChange,
    ApprovalOutcome,
    ApprovalRequest,
    ApprovalResult,
)
from domain.deliveries.promotions import PromotionFacts, PromotionRequest
from domain.errors import Denied
from domain.policies.promotion.plan import described_plan
from domain.resources.gates import APPROVAL
from runtime import search_attributes as attributes
from workflows.approvals.asking import OpenApproval, ask_approval, rebind
from workflows.common.calls import QUICK, call
from workflows.common.progress import Progress

_STEP = "approval"


class ApprovalDesk:
    """Knows what was approved, by the hash of it."""

    def __init__(self, request: PromotionRequest, progress: Progress) -> None:
        self._request = request
        self._progress = progress
        self._approved = ""
        self._is_stirred = False
        self._is_withdrawn = False
        self.approved_by: tuple[str, ...] = ()

    def stir(self) -> None:
        """What is asked about may be different now."""
        self._is_stirred = True

    async def is_approved(self, facts: PromotionFacts) -> bool:
        """Tells whether exactly this may go on; False = people agreed, now look again.

        Raises:
            Denied: People said no, or nothing in time.
        """
        if facts.rules.approval is None:
            self._progress.skip(_STEP, "nobody needs to agree")
            return True
        if self._request.hotfix and APPROVAL in facts.rules.skips:
            self._progress.skip(_STEP, f"left out by a hotfix: {self._request.reason}")
            return True
        asked = self._asked(facts)
        if asked.hash == self._approved:
            return True
        result = await self._ask(asked)
        if self._is_withdrawn and result.outcome is ApprovalOutcome.VOID:
            return False
        if not result.approved:
            why = result.message or f"the approval was {result.outcome.value}"
            raise Denied(why, facts={"reason": _REASONS[result.outcome]})
        self._approved = result.hash
        self.approved_by = tuple(vote.person.shown for vote in result.votes if vote.approves)
        return False

    async def _ask(self, asked: ApprovalRequest) -> ApprovalResult:
        """Has the question answered; when the facts change meanwhile, it is asked again."""
        rule = asked.rule
        who = ", ".join((*rule.groups, *rule.required_groups)) or "whoever may approve there"
        until = workflow.now() + rule.expires_after
        awaiting = f"{rule.quorum} approval{'s' if rule.quorum > 1 else ''}"
        workflow.upsert_search_attributes([attributes.AWAITING.value_set(True)])
        with self._progress.step(_STEP, awaiting=awaiting, until=until, who=who):
            result = await self._answered(asked)
        workflow.upsert_search_attributes([attributes.AWAITING.value_set(False)])
        return result

    async def _answered(self, asked: ApprovalRequest) -> ApprovalResult:
        child = await ask_approval(asked)
        self._is_stirred = self._is_withdrawn = False
        try:
            while not child.done():
                await workflow.wait_condition(lambda: child.done() or self._is_stirred)
                if not child.done():
                    asked = await self._look_again(child, asked)
        except asyncio.CancelledError:
            child.cancel()
            await workflow.wait([child])
            if not child.cancelled():
                child.exception()  # looked at: nobody waits for the answer any more
            raise
        result: ApprovalResult = await child
        return result

    async def _look_again(self, child: OpenApproval, asked: ApprovalRequest) -> ApprovalRequest:
        """Tells the people who decide when it is about something else now."""
        self._is_stirred = False
        facts = await call(
            PromotionActivities.read_promotion,
            self._request,
            "look whether what is to be approved is still the same",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )
        if facts.rules.approval is None or facts.artifact is None:
            await self._withdraw(child)
            return asked
        now_asked = self._asked(facts)
        if now_asked.hash == asked.hash:
            return asked
        change = ApprovalChange(
            facts=now_asked.facts,
            asked=now_asked.asked,
            details=now_asked.details,
            authors=now_asked.authors,
            rule=now_asked.rule,
        )
        try:
            await rebind(child, change)
        except FailureError:
            workflow.logger.info("the approval was decided before it could be told of a change")
        return now_asked

    async def _withdraw(self, child: OpenApproval) -> None:
        """Nobody needs to agree any more, or there is nothing left: the gates say what follows."""
        self._is_withdrawn = True
        with suppress(FailureError):  # it was decided in this moment
            await child.signal("withdraw", "the pipeline asks for no approval of it any more")

    def _asked(self, facts: PromotionFacts) -> ApprovalRequest:
        artifact, rule = facts.artifact, facts.rules.approval
        assert rule is not None  # noqa: S101 - the caller looked
        version = (artifact.version or artifact.name) if artifact else ""
        return ApprovalRequest(
            subject=ids.promotion_id(facts.organization, facts.component, facts.environment),
            organization=facts.organization,
            project=facts.project,
            component=facts.component,
            environment=facts.environment,
            asked=f"promote {facts.component} {version} from {facts.source.environment} to "
            f"{facts.environment}",
            details=described_plan(facts),
            facts=facts.asked,
            rule=rule,
            requester=self._request.trigger.actor,
            authors=artifact.authors if artifact else (),
        )


_REASONS = {
    ApprovalOutcome.APPROVED: "Approved",
    ApprovalOutcome.REJECTED: "ApprovalRejected",
    ApprovalOutcome.EXPIRED: "ApprovalExpired",
    ApprovalOutcome.VOID: "ApprovalVoid",
}
