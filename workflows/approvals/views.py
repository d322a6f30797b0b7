"""What an open approval shows: lists, memo for the inbox, Markdown in Temporal's UI."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from domain.deliveries import OperationStatus, Waiting
from domain.deliveries.approvals import (
    ApprovalOutcome,
    ApprovalRequest,
    ApprovalResult,
    ApprovalStanding,
)
from domain.phases import Phase
from domain.policies import approvals
from runtime import search_attributes as attributes

_PHASES = {
    ApprovalOutcome.APPROVED: Phase.SUCCEEDED,
    ApprovalOutcome.REJECTED: Phase.DENIED,
    ApprovalOutcome.EXPIRED: Phase.DENIED,
    ApprovalOutcome.VOID: Phase.CANCELLED,
}
_SHOWN = 20
_ASKED_LIMIT = 300
_HOW = """Decide with `pavane approvals approve` or `reject`. For the Temporal CLI or this page, \
`pavane approvals sign` makes the input of the Update or Signal `decide`: a decision without the \
API's assertion of who decides does not count."""


def phase_of(result: ApprovalResult | None) -> Phase:
    """Returns the phase of an approval."""
    return _PHASES[result.outcome] if result else Phase.RUNNING


class ApprovalView:
    """Tells visibility and the UI, and only what changed."""

    def __init__(self, request: ApprovalRequest) -> None:
        self._told: dict[str, Any] = {}
        facts = [
            attributes.KIND.value_set(attributes.APPROVAL),
            attributes.ORGANIZATION.value_set(request.organization),
            *(
                key.value_set(value)
                for key, value in (
                    (attributes.PROJECT, request.project),
                    (attributes.COMPONENT, request.component),
                    (attributes.ENVIRONMENT, request.environment),
                    (attributes.ACTOR, request.requester),
                )
                if value
            ),
        ]
        self.show(request, None, facts)

    def show(
        self,
        request: ApprovalRequest,
        result: ApprovalResult | None,
        facts: list[SearchAttributeUpdate[Any]] | None = None,
    ) -> ApprovalStanding:
        """Shows where it stands; returns that."""
        standing = approvals.standing(request, result=result)
        updates: list[SearchAttributeUpdate[Any]] = [
            attributes.PHASE.value_set(phase_of(result).value),
            attributes.AWAITING.value_set(result is None),
            attributes.APPROVERS.value_set(list(deciders(request))),
        ]
        if standing.expires:
            updates.append(attributes.DEADLINE.value_set(standing.expires))
        news = [one for one in updates if self._told.get(one.key.name) != one.value]
        self._told |= {one.key.name: one.value for one in updates}
        if facts or news:
            workflow.upsert_search_attributes([*(facts or []), *news])
        memo = {
            "asked": request.asked[:_ASKED_LIMIT],
            "message": standing.message[:_ASKED_LIMIT],
            "approvals": standing.approvals,
            "quorum": request.rule.quorum,
            "round": request.state.round,
            "hash": standing.hash,
            "outcome": result.outcome.value if result else "",
        }
        if self._told.get("memo") != memo:
            self._told["memo"] = memo
            workflow.upsert_memo(memo)
        workflow.set_current_details(_markdown(standing))
        return standing


def deciders(request: ApprovalRequest) -> tuple[str, ...]:
    """Returns who finds it in the inbox: groups, ``user:`` and a delegate, ``*`` for everyone."""
    groups = approvals.open_groups(request) or ("*",)
    named = {f"user:{one.delegate.casefold()}" for one in request.state.delegations}
    return (*groups, *sorted(named))


def status_of(request: ApprovalRequest, result: ApprovalResult | None) -> OperationStatus:
    """Returns the answer of the query ``status``."""
    standing = approvals.standing(request, result=result)
    waiting = None
    if result is None and request.state.asked:
        groups = approvals.open_groups(request)
        waiting = Waiting(
            what=f"approval: {standing.message}",
            since=request.state.asked,
            until=standing.expires,
            who=f"members of {', '.join(groups)}" if groups else "whoever may approve there",
        )
    summary = result.message if result else request.asked
    return OperationStatus(phase=phase_of(result), summary=summary, waiting_for=waiting)


def _markdown(standing: ApprovalStanding) -> str:
    request, state = standing.request, standing.request.state
    lines = [f"**{request.asked}**", "", standing.message or "nobody decided yet", ""]
    lines += [f"- hash `{standing.hash}`, round {state.round}"]
    if request.requester:
        lines.append(f"- asked by {request.requester}")
    if standing.expires and standing.outcome is None:
        lines.append(f"- until {standing.expires:%Y-%m-%d %H:%M} UTC")
    for vote in state.votes:
        mark = "✓" if vote.approves else "✗"
        behalf = f" for {vote.on_behalf_of.shown}" if vote.on_behalf_of else ""
        lines.append(f"- {mark} {vote.person.shown}{behalf}: {vote.reason}")
    lines += [f"- void: {one.vote.person.shown}, {one.why}" for one in state.voided[-_SHOWN:]]
    lines += [
        f"- does not count: {one.act} by {one.who or 'somebody'}: {one.why}"
        for one in state.refused[-_SHOWN:]
    ]
    lines += [f"- {one.person.shown} says: {one.text}" for one in state.comments[-_SHOWN:]]
    if standing.outcome is None:
        lines += ["", _HOW]
    if request.details:
        lines += ["", request.details]
    return "\n".join(lines)[:18_000]
