"""Rights for a while: what may be asked for in an emergency, and what was given."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from pydantic import ConfigDict, Field

from domain.resources.approval import ApprovalPolicy
from domain.resources.model import Model, Rule
from domain.resources.rights.rules import AccessRule, Action, Principal, Role
from domain.resources.types import Duration, Name, NameOrEmpty, Text


class BreakGlassPolicy(Model):
    """What people may ask for beyond their role, for a while, when others agree."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "has(self.approval.groups) && size(self.approval.groups) > 0",
            "approval.groups names who must agree to break-glass",
            lambda policy: bool(policy.approval.groups),
        ),
    )

    roles: tuple[Role, ...] = Field(
        (Role.ADMIN, Role.DEVELOPER, Role.VIEWER),
        min_length=1,
        max_length=3,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    """Roles that may be asked for."""
    environments: tuple[Name, ...] = Field((), max_length=50)
    """Where. Empty = in every environment."""
    longest: Duration = "4h"
    """How long it may be given at most."""
    approval: ApprovalPolicy
    """Who must agree, by groups. Whoever asks is none of them, unless it says so."""


class AccessGrant(Model):
    """A role that one person has for a while, because others agreed."""

    model_config = ConfigDict(extra="ignore")

    id: Name
    """Name of the grant."""
    user: Principal
    """Person, as in the claim `sub` or `email`."""
    role: Role
    """What they are meanwhile."""
    project: NameOrEmpty = ""
    """Project it is limited to. Empty = all projects."""
    environment: Name
    """Environment it is limited to."""
    reason: Text = Field(min_length=1)
    """Why it was asked for."""
    approved_by: tuple[Text, ...] = Field((), max_length=20)
    """Who agreed."""
    until: datetime
    """When it ends by itself."""

    def permits(
        self,
        action: Action,
        at: datetime,
        *,
        subject: str,
        email: str = "",
        project: str = "",
        environment: str = "",
    ) -> bool:
        """Tells whether the person may do that there by this grant.

        Never to decide what others ask for: rights of one emergency must not open the next one.
        """
        if action is Action.APPROVE or at >= self.until:
            return False
        rule = AccessRule(
            user=self.user, role=self.role, project=self.project, environment=self.environment
        )
        about = rule.names(subject=subject, email=email)
        return about and rule.grants(action, project=project, environment=environment)
