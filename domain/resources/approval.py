"""The approval rule as platform engineers write it, part of other kinds."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from domain.deliveries.approvals import ApprovalRule, EscalationStep
from domain.durations import parse_duration
from domain.resources.model import Model
from domain.resources.types import Duration, Group

_DEFAULT_EXPIRY = timedelta(days=14)


class EscalationRule(Model):
    """Whom else to ask when nobody decided in time."""

    after: Duration = Field(min_length=2)
    """How long after it was asked, such as 4h."""
    group: Group
    """Group that may decide from then on as well."""


class ApprovalPolicy(Model):
    """Who must agree, and how long they have for it."""

    quorum: int = Field(1, ge=1, le=20)
    """How many distinct people must approve."""
    groups: tuple[Group, ...] = Field((), max_length=20)
    """Whose members may decide. Empty = all who have the right to approve in that place."""
    required_groups: tuple[Group, ...] = Field((), max_length=20)
    """Each of these must have approved by one of its members."""
    allow_requester: bool = False
    """The requester's own approval counts."""
    allow_authors: bool = False
    """Approvals of those who wrote the commits count."""
    allow_delegation: bool = True
    """Who may decide may name somebody to decide instead."""
    expires_after: Duration = ""
    """How long it is asked for. Empty = 14 days."""
    remind_after: Duration = ""
    """When those who may decide are reminded. Empty = at half time."""
    escalation: tuple[EscalationRule, ...] = Field((), max_length=10)
    """Groups that may decide as well when nobody did."""

    @property
    def rule(self) -> ApprovalRule:
        """The rule as procedures carry it."""
        steps = [
            EscalationStep(after=parse_duration(step.after), group=step.group)
            for step in self.escalation
        ]
        return ApprovalRule(
            quorum=self.quorum,
            groups=self.groups,
            required_groups=self.required_groups,
            allow_requester=self.allow_requester,
            allow_authors=self.allow_authors,
            allow_delegation=self.allow_delegation,
            expires_after=parse_duration(self.expires_after) or _DEFAULT_EXPIRY,
            remind_after=parse_duration(self.remind_after) or None,
            escalation=tuple(sorted(steps, key=lambda step: (step.after, step.group))),
        )
