"""What an approval asks, who answered what, and how it ended.

Another procedure asks for one with an ``ApprovalRequest`` and gets an ``ApprovalResult``. What is
approved is a hash: it must be compared again with the facts of the moment at which it is used.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from domain import ids
from domain.deliveries.approval_votes import (
    Comment,
    Delegation,
    Rebinding,
    RefusedDecision,
    UsedAssertion,
    VoidedVote,
    Vote,
)
from domain.deliveries.wire import Wire


class BoundFacts(Wire):
    """What is approved, each part as a digest or hash. A change of any part is another thing."""

    artifact: str = ""
    """Digest of what is delivered."""
    configuration: str = ""
    policies: str = ""
    plan: str = ""


class EscalationStep(Wire):
    """Whom else to ask when nobody decided in time."""

    after: timedelta
    """Counted from when it was asked."""
    group: str


class ApprovalRule(Wire):
    """Who must agree, and how long they have for it."""

    quorum: int = Field(1, ge=1, le=20)
    """How many distinct people must approve."""
    groups: tuple[str, ...] = ()
    """Whose members may decide. Empty = all who have the right to approve in that place."""
    required_groups: tuple[str, ...] = ()
    """Each of these must have approved by one of its members."""
    allow_requester: bool = False
    """The requester's own approval counts."""
    allow_authors: bool = False
    """Approvals of those who wrote the commits count."""
    allow_delegation: bool = True
    """Who may decide may name somebody to decide instead."""
    expires_after: timedelta = timedelta(days=14)
    remind_after: timedelta | None = None
    """When those who may decide are reminded. None = at half time."""
    escalation: tuple[EscalationStep, ...] = ()
    """Groups that may decide as well when nobody did. Their approval stands for a missing one of
    a required group."""


class ApprovalState(Wire):
    """All that an approval knows besides what was asked; carried on when it continues as new."""

    round: int = 1
    opened: datetime | None = None
    """When it was first asked."""
    asked: datetime | None = None
    """When it was last asked."""
    votes: tuple[Vote, ...] = ()
    voided: tuple[VoidedVote, ...] = ()
    comments: tuple[Comment, ...] = ()
    delegations: tuple[Delegation, ...] = ()
    refused: tuple[RefusedDecision, ...] = ()
    rebindings: tuple[Rebinding, ...] = ()
    used: tuple[UsedAssertion, ...] = ()
    reminded: bool = False
    escalated: int = 0
    """How many steps of the escalation were taken."""
    told: bool = False
    """Those who may decide were told that they are asked."""


class ApprovalRequest(Wire):
    """Asks people to approve something."""

    subject: str
    """What waits for it: the id of an operation, such as ``promotion/acme/web/production``."""
    organization: str
    project: str = ""
    component: str = ""
    environment: str = ""
    asked: str
    """What is asked, in words: ``promote web 3f2a91c from staging to production``."""
    details: str = ""
    """Markdown for those who look closer, such as the plan."""
    facts: BoundFacts = BoundFacts()
    rule: ApprovalRule = ApprovalRule()
    requester: str = ""
    """Subject, email or name; empty = automation."""
    authors: tuple[str, ...] = ()
    """Who wrote the commits: ``Name <email>`` or an email."""
    state: ApprovalState = ApprovalState()
    """For a run that continues as a new one; callers leave it alone."""

    @property
    def hash(self) -> str:
        """The bound hash: of the facts and of the rule by which they are approved."""
        return bound_hash(self.facts, self.rule)


class ApprovalChange(Wire):
    """Tells an open approval that what it is about changed."""

    facts: BoundFacts
    why: str = ""
    """In words; empty = the changed parts are named."""
    asked: str = ""
    """The new question; empty = as before."""
    details: str = ""
    rule: ApprovalRule | None = None
    """The new rule; None = as before."""
    authors: tuple[str, ...] | None = None
    """Who wrote the commits now; None = as before."""


class ApprovalOutcome(StrEnum):
    """How an approval ended."""

    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "expired"
    VOID = "void"
    """It is needed no longer."""


class ApprovalResult(Wire):
    """How an approval ended, for whom, and by whom."""

    subject: str
    outcome: ApprovalOutcome
    hash: str
    """What was decided about. Use it only for facts that have this hash."""
    message: str = ""
    votes: tuple[Vote, ...] = ()
    voided: tuple[VoidedVote, ...] = ()
    comments: tuple[Comment, ...] = ()
    opened: datetime | None = None
    closed: datetime | None = None

    @property
    def approved(self) -> bool:
        """Tells whether it may be done."""
        return self.outcome is ApprovalOutcome.APPROVED


class ApprovalStanding(Wire):
    """Answer of the query ``approval`` and of the Update ``decide``."""

    request: ApprovalRequest
    hash: str
    outcome: ApprovalOutcome | None = None
    """None = it is open."""
    message: str = ""
    approvals: int = 0
    """How many distinct people count at the moment."""
    missing: tuple[str, ...] = ()
    """What is needed still, in words."""
    remind_at: datetime | None = None
    escalate_at: datetime | None = None
    expires: datetime | None = None


def bound_hash(facts: BoundFacts, rule: ApprovalRule) -> str:
    """Returns what an approval is bound to: equal only when all facts and the rule are equal.

    What is not said is left out, so that a new optional field changes no hash of an open approval.
    """
    parts = {"facts": facts, "rule": rule}
    return ids.content_hash(
        {name: part.model_dump(mode="json", exclude_defaults=True) for name, part in parts.items()}
    )
