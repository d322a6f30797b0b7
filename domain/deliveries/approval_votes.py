"""Who decides about an approval, what they do about it, and what becomes of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from domain.deliveries.wire import Wire

HELD = 100
"""How many voided votes, refused decisions and past changes are remembered, the newest."""
MOST_COMMENTS = 200


class ApprovalPerson(Wire):
    """A person as the API vouched for them."""

    subject: str
    email: str = ""
    name: str = ""
    groups: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """How the person is written down."""
        return self.email or self.name or self.subject


class Act(StrEnum):
    """What somebody does about an approval."""

    APPROVE = "approve"
    REJECT = "reject"
    COMMENT = "comment"
    DELEGATE = "delegate"


class ApprovalDecision(Wire):
    """One act of one person. Who it is says the assertion and nothing else."""

    act: Act
    hash: str
    """The bound hash that was looked at; a decision about another one does not count."""
    round: int = 1
    """How often it had been asked when the person looked."""
    text: str = Field("", max_length=2000)
    """Reason or comment."""
    delegate: str = Field("", max_length=256)
    """Of a delegation: subject or email of who is to decide instead."""
    assertion: str = Field("", max_length=8192)
    """Signed by the API: who decides, about what, when. Worthless elsewhere and soon."""


class Vote(Wire):
    """A decision that counted when it was made."""

    person: ApprovalPerson
    approves: bool
    reason: str = ""
    hash: str
    round: int
    at: datetime
    on_behalf_of: ApprovalPerson | None = None
    """Who delegated the decision; None = the person's own right."""

    @property
    def authority(self) -> ApprovalPerson:
        """By whose right it was given."""
        return self.on_behalf_of or self.person


class VoidedVote(Wire):
    """A vote that no longer counts."""

    vote: Vote
    why: str
    at: datetime


class Comment(Wire):
    """What somebody said."""

    person: ApprovalPerson
    text: str
    at: datetime


class Delegation(Wire):
    """Lets somebody decide by the right of somebody else."""

    person: ApprovalPerson
    delegate: str
    """Subject or email."""
    reason: str = ""
    at: datetime


class RefusedDecision(Wire):
    """A decision that did not count, for those who sent it where nobody answers."""

    act: Act
    who: str = ""
    """Empty = nobody proved who it was."""
    why: str
    at: datetime


class Rebinding(Wire):
    """What is asked about changed."""

    hash: str
    """The new one."""
    why: str
    at: datetime


class UsedAssertion(Wire):
    """Remembered until it would be refused for its age."""

    id: str
    until: datetime


class PeopleCheck(Wire):
    """Asks who a decision is from, and who of those involved still has the right to decide."""

    approval: str
    """Workflow id."""
    organization: str
    project: str = ""
    environment: str = ""
    decision: ApprovalDecision
    received: datetime
    """The age of the assertion is judged by this, however long the check was waited for."""
    people: tuple[ApprovalPerson, ...] = ()
    """Those who voted or delegated before."""


class PeopleFacts(Wire):
    """Who decides, as proven, and who may."""

    person: ApprovalPerson | None = None
    """None = nobody is proven."""
    unproven: str = ""
    """Why nobody is."""
    assertion_id: str = ""
    assertion_until: datetime | None = None
    permitted: tuple[str, ...] = ()
    """Subjects of those who have the right to approve in that place now."""
    denials: dict[str, str] = Field(default_factory=dict)
    """Subject -> why not, of the others."""
