"""Asks people whether a change of configuration may go to a place, where the place asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from temporalio import workflow

from domain import ids
from domain.deliveries import (
    ApprovalOutcome,
    ApprovalRequest,
    ApprovalResult,
    ApprovalRule,
    BoundFacts,
    ConfigurationConsumer,
    ConfigurationPlan,
    ConfigurationRequest,
)
from domain.errors import Denied
from runtime import search_attributes as attributes
from workflows.approvals.asking import ask_approval
from workflows.common.progress import Progress

_STEP = "approval"


class Consent:
    """What people agreed to, by the hash of it."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._agreed: set[str] = set()
        self._is_stirred = False

    def stir(self) -> None:
        """What is asked about may be different now."""
        self._is_stirred = True

    async def given(
        self,
        request: ConfigurationRequest,
        plan: ConfigurationPlan,
        wave: Sequence[ConfigurationConsumer],
    ) -> bool:
        """Returns True when exactly this may go to the place of a wave.

        False = look again: people agreed, which may have taken long, or the group may say something
        else by now. What they were asked is then taken back.

        Raises:
            Denied: People said no, or nothing in time.
        """
        self._is_stirred = False
        rules = list(dict.fromkeys(rule for one in wave for rule in one.rules))
        is_old = True
        for number, rule in enumerate(rules, start=1):
            touched = [one for one in wave if rule in one.rules]
            asked = _asked(request, plan, touched, rule, number)
            if asked.hash in self._agreed:
                continue
            is_old = False
            result = await self._answered(asked)
            if result is None:
                return False
            if not result.approved or result.hash != asked.hash:
                why = result.message or f"the approval was {result.outcome.value}"
                raise Denied(why, facts={"reason": _REASONS[result.outcome]})
            self._agreed.add(asked.hash)
        return is_old

    async def _answered(self, asked: ApprovalRequest) -> ApprovalResult | None:
        """Has the question answered; None when it is about something else before that."""
        rule = asked.rule
        who = ", ".join((*rule.groups, *rule.required_groups)) or "whoever may approve there"
        until = workflow.now() + rule.expires_after
        awaiting = f"{rule.quorum} approval{'s' if rule.quorum > 1 else ''}"
        workflow.upsert_search_attributes([attributes.AWAITING.value_set(True)])
        with self._progress.step(_STEP, awaiting=awaiting, until=until, who=who):
            child = await ask_approval(asked)
            try:
                await workflow.wait_condition(lambda: child.done() or self._is_stirred)
            except asyncio.CancelledError:
                child.cancel()
                await workflow.wait([child])
                raise
            if not child.done():
                child.cancel()
                await workflow.wait([child])
                result = None
            else:
                result = await child
        workflow.upsert_search_attributes([attributes.AWAITING.value_set(False)])
        return result


def _asked(
    request: ConfigurationRequest,
    plan: ConfigurationPlan,
    touched: Sequence[ConfigurationConsumer],
    rule: ApprovalRule,
    number: int,
) -> ApprovalRequest:
    group, place = request.group, touched[0].environment
    projects = {one.project for one in touched}
    names = ", ".join(one.component for one in touched)
    subject = ids.configuration_id(request.organization, group)
    lines = [f"- {one.component}: {', '.join(one.keys)}" for one in touched]
    return ApprovalRequest(
        subject=f"{subject}/{place}" if number == 1 else f"{subject}/{place}/{number}",
        organization=request.organization,
        project=next(iter(projects)) if len(projects) == 1 else "",
        environment=place,
        asked=f"release ConfigurationGroup {group} to {names} in {place}"[:200],
        details="\n".join([f"Revision {plan.revision}. Keys that differ:", "", *lines]),
        facts=BoundFacts(
            artifact=ids.content_hash(sorted((one.component, one.image) for one in touched)),
            configuration=plan.revision,
            policies=ids.content_hash(rule.model_dump(mode="json")),
            plan=ids.content_hash(sorted((one.component, one.hash) for one in touched)),
        ),
        rule=rule,
        requester=request.trigger.actor,
    )


_REASONS = {
    ApprovalOutcome.APPROVED: "Approved",
    ApprovalOutcome.REJECTED: "ApprovalRejected",
    ApprovalOutcome.EXPIRED: "ApprovalExpired",
    ApprovalOutcome.VOID: "ApprovalVoid",
}
