"""Who is who: the same person under several names, and who may decide by whose right."""

from __future__ import annotations

import re
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.deliveries.approval_votes import (
    ApprovalPerson,
    Delegation,
    PeopleFacts,
)
from domain.deliveries.approvals import (
    ApprovalRequest,
)

_ADDRESS = re.compile(r"<([^<>]*)>")


SOMEBODY_ELSE = (
    "Ask somebody else who may decide: `pavane approvals show` tells whose approval is missing."
)
_ROLE = "Ask an administrator of the organization for a role that may approve there."
_GROUPS = (
    "Ask one of these groups to decide, or to delegate it to you: `pavane approvals delegate`."
)


class Right(BaseModel):
    """Whether a person may decide, and why or why not. Safe to show."""

    model_config = ConfigDict(frozen=True)

    allowed: bool
    reason: str = ""
    advice: str = ""
    """What the person can do about a no."""
    on_behalf_of: ApprovalPerson | None = None
    """Who delegated it; None = the person's own."""


def names(text: str) -> frozenset[str]:
    """Returns what a written person may be found by: all of it, and the email in ``<>``."""
    found = {text, *_ADDRESS.findall(text)}
    return frozenset(part.strip().casefold() for part in found if part.strip())


def is_named(person: ApprovalPerson, text: str) -> bool:
    """Tells whether a written person is this one.

    Rather once too often: who has the name of the requester cannot approve for them.
    """
    own = {person.subject, person.email, person.name}
    return bool(names(text) & {part.casefold() for part in own if part})


def is_same(one: ApprovalPerson, other: ApprovalPerson) -> bool:
    """Tells whether two are one person: by subject, or by the same email."""
    same_email = bool(one.email) and one.email.casefold() == other.email.casefold()
    return one.subject == other.subject or same_email


def barred(request: ApprovalRequest, person: ApprovalPerson) -> str:
    """Returns why four eyes rule a person out; empty when they do not."""
    rule = request.rule
    if not rule.allow_requester and request.requester and is_named(person, request.requester):
        return f"{person.shown} asked for it, and somebody else must approve"
    if not rule.allow_authors and any(is_named(person, author) for author in request.authors):
        return f"{person.shown} wrote commits of it, and somebody else must approve"
    return ""


def open_groups(request: ApprovalRequest) -> tuple[str, ...]:
    """Returns whose members may decide now; empty = all who have the right in that place."""
    rule = request.rule
    if not rule.groups:
        return ()
    return tuple(dict.fromkeys((*rule.groups, *rule.required_groups, *escalated_groups(request))))


def escalated_groups(request: ApprovalRequest) -> tuple[str, ...]:
    """Returns the groups that were asked because nobody decided in time."""
    return tuple(step.group for step in request.rule.escalation[: request.state.escalated])


def own_right(request: ApprovalRequest, person: ApprovalPerson, facts: PeopleFacts) -> Right:
    """Decides whether a person may decide by their own right, as the rules are now."""
    if why := barred(request, person):
        return Right(allowed=False, reason=why, advice=SOMEBODY_ELSE)
    if person.subject not in facts.permitted:
        why = facts.denials.get(person.subject, "the access rules do not permit it")
        reason = f"{person.shown} may not approve here: {why}"
        return Right(allowed=False, reason=reason, advice=_ROLE)
    groups = open_groups(request)
    if groups and not set(groups) & set(person.groups):
        wanted = " or ".join(groups)
        reason = f"{person.shown} is in none of the groups that decide here: {wanted}"
        return Right(allowed=False, reason=reason, advice=_GROUPS)
    return Right(allowed=True)


def right_of(request: ApprovalRequest, person: ApprovalPerson, facts: PeopleFacts) -> Right:
    """Decides whether a person may decide, by their own right or by one that was delegated.

    A right that was delegated is as good as the delegator's is now, and is not passed on further.
    """
    own = own_right(request, person, facts)
    if own.allowed or barred(request, person):
        return own
    for delegation in request.state.delegations:
        if not is_named(person, delegation.delegate):
            continue
        if own_right(request, delegation.person, facts).allowed:
            return Right(allowed=True, on_behalf_of=delegation.person)
    return own


def delegated(
    request: ApprovalRequest, person: ApprovalPerson, to: str, reason: str, at: datetime
) -> ApprovalRequest:
    """Returns the request with a delegation; the newest of a person takes the older one's place."""
    kept = [one for one in request.state.delegations if not is_same(one.person, person)]
    added = Delegation(person=person, delegate=to, reason=reason, at=at)
    state = request.state.model_copy(update={"delegations": (*kept, added)})
    return request.model_copy(update={"state": state})


def involved(request: ApprovalRequest) -> tuple[ApprovalPerson, ...]:
    """Returns everyone whose right matters for the votes so far, each once."""
    state = request.state
    people = [
        *(vote.person for vote in state.votes),
        *(vote.on_behalf_of for vote in state.votes if vote.on_behalf_of),
        *(delegation.person for delegation in state.delegations),
    ]
    return tuple({person.subject: person for person in people}.values())
