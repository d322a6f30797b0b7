"""The course of an approval in time: asked, reminded, escalated, asked anew, expired."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.deliveries.approval_votes import (
    HELD,
    Rebinding,
    VoidedVote,
)
from domain.deliveries.approvals import (
    ApprovalChange,
    ApprovalOutcome,
    ApprovalRequest,
    ApprovalResult,
    ApprovalStanding,
    BoundFacts,
)
from domain.policies.approvals.votes import Judgement, judge


class Event(StrEnum):
    """What time alone brings about."""

    REMIND = "remind"
    ESCALATE = "escalate"
    EXPIRE = "expire"


class Due(BaseModel):
    """What happens next if nobody decides."""

    model_config = ConfigDict(frozen=True)

    event: Event
    at: datetime


_ORDER = (Event.EXPIRE, Event.ESCALATE, Event.REMIND)


def opened(request: ApprovalRequest, at: datetime) -> ApprovalRequest:
    """Returns the request as it begins; one that continues goes on as it was."""
    if request.state.opened is not None:
        return request
    state = request.state.model_copy(update={"opened": at, "asked": at})
    return request.model_copy(update={"state": state})


def upcoming(request: ApprovalRequest) -> Due:
    """Returns what time brings next; of two at once the one that leaves nothing to the other."""
    state, rule = request.state, request.rule
    assert state.asked is not None  # noqa: S101 - opened before anything is waited for
    found = [Due(event=Event.EXPIRE, at=state.asked + rule.expires_after)]
    if state.escalated < len(rule.escalation):
        step = rule.escalation[state.escalated]
        found.append(Due(event=Event.ESCALATE, at=state.asked + step.after))
    if not state.reminded:
        after = rule.remind_after if rule.remind_after is not None else rule.expires_after / 2
        found.append(Due(event=Event.REMIND, at=state.asked + after))
    return min(found, key=lambda due: (due.at, _ORDER.index(due.event)))


def passed(request: ApprovalRequest, event: Event) -> ApprovalRequest:
    """Returns the request after a reminder or a step of the escalation."""
    changes: dict[str, object] = {"reminded": True}
    if event is Event.ESCALATE:
        changes = {"escalated": request.state.escalated + 1}
    return request.model_copy(update={"state": request.state.model_copy(update=changes)})


def rebound(request: ApprovalRequest, change: ApprovalChange, at: datetime) -> ApprovalRequest:
    """Returns the request with changed facts: all votes are void, and it is asked anew.

    A change that leaves the hash as it is voids nothing.
    """
    rule = change.rule or request.rule
    fresh = request.model_copy(
        update={
            "facts": change.facts,
            "rule": rule,
            "asked": change.asked or request.asked,
            "details": change.details or request.details,
            "authors": request.authors if change.authors is None else change.authors,
        }
    )
    same_authors = set(fresh.authors) == set(request.authors)
    if fresh.hash == request.hash and same_authors:
        return fresh
    why = change.why or _changed(request, fresh)
    state = request.state
    voided = [VoidedVote(vote=vote, why=why, at=at) for vote in state.votes]
    news = Rebinding(hash=fresh.hash, why=why, at=at)
    return fresh.model_copy(
        update={
            "state": state.model_copy(
                update={
                    "round": state.round + 1,
                    "asked": at,
                    "votes": (),
                    "voided": (*state.voided, *voided)[-HELD:],
                    "rebindings": (*state.rebindings, news)[-HELD:],
                    "reminded": False,
                    "escalated": 0,
                    "told": False,
                }
            )
        }
    )


def _changed(before: ApprovalRequest, after: ApprovalRequest) -> str:
    parts = [
        name
        for name in BoundFacts.model_fields
        if getattr(before.facts, name) != getattr(after.facts, name)
    ]
    parts += ["approval rule"] if before.rule != after.rule else []
    parts += ["commit authors"] if set(before.authors) != set(after.authors) else []
    return f"{' and '.join(parts)} changed"


def standing(
    request: ApprovalRequest,
    judgement: Judgement | None = None,
    result: ApprovalResult | None = None,
) -> ApprovalStanding:
    """Returns where an approval stands, for people and programs."""
    judged = judgement or judge(request)
    asked, rule = request.state.asked, request.rule
    is_open = result is None and asked is not None
    remind, escalate = None, None
    if is_open and asked:
        after = rule.remind_after if rule.remind_after is not None else rule.expires_after / 2
        remind = None if request.state.reminded else asked + after
        steps = rule.escalation[request.state.escalated :]
        escalate = asked + steps[0].after if steps else None
    return ApprovalStanding(
        request=request,
        hash=request.hash,
        outcome=result.outcome if result else None,
        message=result.message if result else judged.message,
        approvals=judged.approvals,
        missing=() if result else judged.missing,
        remind_at=remind,
        escalate_at=escalate,
        expires=asked + rule.expires_after if asked else None,
    )


def concluded(
    request: ApprovalRequest, outcome: ApprovalOutcome, message: str, at: datetime
) -> ApprovalResult:
    """Returns the result of an approval that ends."""
    state = request.state
    return ApprovalResult(
        subject=request.subject,
        outcome=outcome,
        hash=request.hash,
        message=message,
        votes=state.votes,
        voided=state.voided,
        comments=state.comments,
        opened=state.opened,
        closed=at,
    )
