"""What a decision does to an approval, and what all votes together mean."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.deliveries.approval_votes import (
    HELD,
    MOST_COMMENTS,
    Act,
    ApprovalDecision,
    ApprovalPerson,
    Comment,
    PeopleFacts,
    RefusedDecision,
    UsedAssertion,
    VoidedVote,
    Vote,
)
from domain.deliveries.approvals import (
    ApprovalOutcome,
    ApprovalRequest,
    ApprovalState,
)
from domain.errors import Conflict, Denied, InvalidRequest, StaleRevision
from domain.policies.approvals.people import (
    barred,
    delegated,
    escalated_groups,
    is_same,
    own_right,
    right_of,
)

_PROVE = "Decide through the API, or with `pavane approvals`, which prove who you are."


class Judgement(BaseModel):
    """What the votes of the moment mean."""

    model_config = ConfigDict(frozen=True)

    outcome: ApprovalOutcome | None = None
    """None = it is open."""
    approvals: int = 0
    """Distinct people by whose right it was approved."""
    missing: tuple[str, ...] = ()
    """What is needed still, in words."""
    message: str = ""


def check(request: ApprovalRequest, decision: ApprovalDecision) -> None:
    """Returns when a decision is worth being looked at; needs no facts from outside.

    Raises:
        StaleRevision: It is about something that is asked no longer.
        InvalidRequest: A reason, a text or a name is missing.
    """
    if decision.act in {Act.APPROVE, Act.REJECT} and (
        decision.hash != request.hash or decision.round != request.state.round
    ):
        why = request.state.rebindings[-1].why if request.state.rebindings else ""
        raise StaleRevision(
            f"approval of {request.subject}: what you looked at is asked no longer"
            f"{f' ({why})' if why else ''}: look again and decide anew",
            facts={"hash": request.hash, "round": str(request.state.round)},
        )
    if decision.act is Act.REJECT and not decision.text.strip():
        raise InvalidRequest(f"approval of {request.subject}: to reject takes a reason")
    if decision.act is Act.COMMENT and not decision.text.strip():
        raise InvalidRequest(f"approval of {request.subject}: the comment is empty")
    if decision.act is Act.COMMENT and len(request.state.comments) >= MOST_COMMENTS:
        raise InvalidRequest(
            f"approval of {request.subject} holds {MOST_COMMENTS} comments: no more"
        )
    if decision.act is Act.DELEGATE and not decision.delegate.strip():
        raise InvalidRequest(f"approval of {request.subject}: delegate to whom?")
    if not decision.assertion:
        raise Denied(
            f"approval of {request.subject}: the decision carries no assertion of who decides",
            facts={"advice": _PROVE},
        )


def decide(
    request: ApprovalRequest, decision: ApprovalDecision, facts: PeopleFacts, at: datetime
) -> ApprovalRequest:
    """Returns the request after a decision; the same decision again changes nothing.

    Raises:
        Denied: Nobody is proven to have made it, or the person may not decide.
        Conflict: The assertion was used for something else already.
        StaleRevision, InvalidRequest: As ``check`` says.
    """
    check(request, decision)
    person = facts.person
    if person is None:
        raise Denied(
            f"approval of {request.subject}: {facts.unproven or 'nobody is proven'}",
            facts={"advice": _PROVE},
        )
    if _is_known(request.state, person, decision):
        return request
    if any(one.id == facts.assertion_id for one in request.state.used):
        raise Conflict(f"approval of {request.subject}: this assertion was used already")
    used = _remembered(request, facts, at)
    if decision.act is Act.COMMENT:
        added = Comment(person=person, text=decision.text, at=at)
        return _with(used, comments=(*used.state.comments, added))
    if decision.act is Act.DELEGATE:
        return _delegate(used, person, decision, facts, at)
    right = right_of(request, person, facts)
    if not right.allowed:
        raise _refusal(request, right.reason, right.advice)
    vote = Vote(
        person=person,
        approves=decision.act is Act.APPROVE,
        reason=decision.text,
        hash=decision.hash,
        round=decision.round,
        at=at,
        on_behalf_of=right.on_behalf_of,
    )
    others = [one for one in used.state.votes if not is_same(one.person, person)]
    return _with(used, votes=(*others, vote))


def _delegate(
    request: ApprovalRequest,
    person: ApprovalPerson,
    decision: ApprovalDecision,
    facts: PeopleFacts,
    at: datetime,
) -> ApprovalRequest:
    if not request.rule.allow_delegation:
        raise _refusal(
            request,
            "its rule does not allow to delegate",
            "Decide yourself, or ask a platform engineer to change the rule in the pipeline.",
        )
    right = own_right(request, person, facts)
    if not right.allowed:
        raise _refusal(request, right.reason, right.advice)
    to = ApprovalPerson(subject=decision.delegate, email=decision.delegate)
    if why := barred(request, to):
        raise _refusal(request, why, "Delegate to somebody else.")
    return delegated(request, person, decision.delegate, decision.text, at)


def _refusal(request: ApprovalRequest, why: str, advice: str) -> Denied:
    return Denied(f"approval of {request.subject}: {why}", facts={"advice": advice})


def _is_known(state: ApprovalState, person: ApprovalPerson, decision: ApprovalDecision) -> bool:
    if decision.act is Act.COMMENT:
        last = state.comments[-1] if state.comments else None
        return bool(last and is_same(last.person, person) and last.text == decision.text)
    if decision.act is Act.DELEGATE:
        return any(
            is_same(one.person, person) and one.delegate == decision.delegate
            for one in state.delegations
        )
    approves = decision.act is Act.APPROVE
    return any(is_same(v.person, person) and v.approves is approves for v in state.votes)


def struck(request: ApprovalRequest, facts: PeopleFacts, at: datetime) -> ApprovalRequest:
    """Returns the request without the votes of those who lost the right to decide.

    Votes of people that the facts say nothing of came in meanwhile and stay: they were looked at
    themselves.
    """
    known = {*facts.permitted, *facts.denials}
    kept, voided = [], []
    for vote in request.state.votes:
        right = own_right(request, vote.authority, facts)
        if vote.authority.subject not in known or right.allowed:
            kept.append(vote)
        else:
            voided.append(VoidedVote(vote=vote, why=right.reason, at=at))
    if not voided:
        return request
    return _with(request, votes=tuple(kept), voided=(*request.state.voided, *voided)[-HELD:])


def judge(request: ApprovalRequest) -> Judgement:
    """Says what the votes mean. Their order does not matter, and only those for this hash count."""
    state, rule = request.state, request.rule
    votes = [one for one in state.votes if one.hash == request.hash and one.round == state.round]
    against = [vote for vote in votes if not vote.approves]
    people = _distinct([vote.authority for vote in votes if vote.approves])
    if against:
        first = min(against, key=lambda vote: (vote.at, vote.person.subject))
        return Judgement(
            outcome=ApprovalOutcome.REJECTED,
            approvals=len(people),
            message=f"rejected by {first.person.shown}: {first.reason}",
        )
    missing = _missing(request, people)
    if missing:
        message = f"{len(people)} of {rule.quorum} approvals; needs {' and '.join(missing)}"
        return Judgement(approvals=len(people), missing=missing, message=message)
    who = ", ".join(sorted(vote.person.shown for vote in votes))
    return Judgement(
        outcome=ApprovalOutcome.APPROVED, approvals=len(people), message=f"approved by {who}"
    )


def _missing(request: ApprovalRequest, people: list[ApprovalPerson]) -> tuple[str, ...]:
    rule = request.rule
    missing = []
    if (lacking := rule.quorum - len(people)) > 0:
        missing.append(f"{lacking} more approval{'s' if lacking > 1 else ''}")
    required = set(rule.required_groups)
    absent = sorted(required - {group for person in people for group in person.groups})
    stand_ins = set(escalated_groups(request))
    spare = sum(
        bool(stand_ins & set(person.groups)) and not required & set(person.groups)
        for person in people
    )
    missing += [f"one of group {group}" for group in absent[min(spare, len(absent)) :]]
    return tuple(missing)


def _distinct(people: list[ApprovalPerson]) -> list[ApprovalPerson]:
    found: list[ApprovalPerson] = []
    for person in sorted(people, key=lambda one: (one.subject, one.email)):
        if not any(is_same(person, other) for other in found):
            found.append(person)
    return found


def refused(request: ApprovalRequest, refusal: RefusedDecision) -> ApprovalRequest:
    """Returns the request with a decision that did not count, so that it is shown."""
    return _with(request, refused=(*request.state.refused, refusal)[-HELD:])


def _remembered(request: ApprovalRequest, facts: PeopleFacts, at: datetime) -> ApprovalRequest:
    still = [one for one in request.state.used if one.until >= at]
    until = facts.assertion_until or at
    return _with(request, used=(*still, UsedAssertion(id=facts.assertion_id, until=until)))


def _with(request: ApprovalRequest, **changes: object) -> ApprovalRequest:
    return request.model_copy(update={"state": request.state.model_copy(update=changes)})
