"""What the API is sent and answers about approvals."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from api.schemas.deliveries import Request, View
from domain.deliveries.approval_votes import ApprovalPerson
from domain.deliveries.approvals import ApprovalStanding
from domain.policies.approvals import barred, open_groups

_HASH = r"^[0-9a-f]{64}$"


class DecisionOrder(Request):
    """Approves or rejects what was looked at."""

    decision: Literal["approve", "reject"]
    reason: str = Field("", max_length=2000, description="Why. To reject takes one.")
    hash: str = Field(
        pattern=_HASH, description="`hash` of the approval as you saw it: what you decide about."
    )
    round: int = Field(1, ge=1, description="`round` of the approval as you saw it.")


class CommentOrder(Request):
    """Says something without deciding."""

    text: str = Field(min_length=1, max_length=2000)


class DelegationOrder(Request):
    """Names who is to decide instead."""

    to: str = Field(min_length=1, max_length=256, description="Their email or subject.")
    reason: str = Field("", max_length=2000)


class ApprovalSummary(View):
    """One approval in a list."""

    subject: str
    organization: str
    project: str = ""
    component: str = ""
    environment: str = ""
    asked: str
    message: str = ""
    approvals: int = 0
    quorum: int = 1
    outcome: str = Field("", description="Empty = it is open.")
    requester: str = ""
    opened: datetime
    closed: datetime | None = None
    expires: datetime | None = None


class ApprovalList(View):
    """A page of approvals, newest first."""

    items: tuple[ApprovalSummary, ...]
    next_page: str = ""


class VoteView(View):
    """One decision of one person."""

    who: str
    decision: str
    reason: str = ""
    at: datetime
    on_behalf_of: str = ""
    void: str = Field("", description="Why it does not count; empty = it counts.")


class RemarkView(View):
    """Something said or refused."""

    who: str
    text: str
    at: datetime


class ApprovalView(View):
    """An approval in all detail."""

    subject: str
    organization: str
    project: str = ""
    component: str = ""
    environment: str = ""
    asked: str
    details: str = ""
    hash: str
    round: int = 1
    artifact: str = ""
    outcome: str = ""
    message: str = ""
    approvals: int = 0
    quorum: int = 1
    missing: tuple[str, ...] = ()
    groups: tuple[str, ...] = Field((), description="Who may decide. Empty = by role.")
    requester: str = ""
    authors: tuple[str, ...] = ()
    votes: tuple[VoteView, ...] = ()
    comments: tuple[RemarkView, ...] = ()
    refused: tuple[RemarkView, ...] = ()
    delegations: tuple[RemarkView, ...] = ()
    opened: datetime | None = None
    expires: datetime | None = None
    remind_at: datetime | None = None
    escalate_at: datetime | None = None
    barred: str = Field("", description="Why four eyes rule you out; empty = they do not.")

    @classmethod
    def of(cls, standing: ApprovalStanding, person: ApprovalPerson) -> ApprovalView:
        """Makes the view for one person."""
        request, state = standing.request, standing.request.state
        votes = [(vote, "") for vote in state.votes]
        votes += [(one.vote, one.why) for one in state.voided]
        return cls(
            subject=request.subject,
            organization=request.organization,
            project=request.project,
            component=request.component,
            environment=request.environment,
            asked=request.asked,
            details=request.details,
            hash=standing.hash,
            round=state.round,
            artifact=request.facts.artifact,
            outcome=standing.outcome.value if standing.outcome else "",
            message=standing.message,
            approvals=standing.approvals,
            quorum=request.rule.quorum,
            missing=standing.missing,
            groups=open_groups(request),
            requester=request.requester,
            authors=request.authors,
            votes=tuple(
                VoteView(
                    who=vote.person.shown,
                    decision="approve" if vote.approves else "reject",
                    reason=vote.reason,
                    at=vote.at,
                    on_behalf_of=vote.on_behalf_of.shown if vote.on_behalf_of else "",
                    void=why,
                )
                for vote, why in votes
            ),
            comments=tuple(
                RemarkView(who=one.person.shown, text=one.text, at=one.at) for one in state.comments
            ),
            refused=tuple(
                RemarkView(who=one.who or "unproven", text=f"{one.act}: {one.why}", at=one.at)
                for one in state.refused
            ),
            delegations=tuple(
                RemarkView(who=one.person.shown, text=f"to {one.delegate}", at=one.at)
                for one in state.delegations
            ),
            opened=state.opened,
            expires=standing.expires,
            remind_at=standing.remind_at,
            escalate_at=standing.escalate_at,
            barred=barred(request, person),
        )


class SignedDecision(View):
    """A decision that Temporal's CLI or UI may send to the workflow."""

    workflow_id: str
    update: str = "decide"
    input: dict[str, object]
    command: str
    expires_in_seconds: int
