"""Roles, what each may do, and the rules that give them."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from domain.resources.model import Model, Rule
from domain.resources.types import NameOrEmpty, exactly_one

Principal = Annotated[str, Field(max_length=256, pattern=r"^\S*$")]


class Role(StrEnum):
    """What someone is to an organization; each role can do what the one after it can."""

    ADMIN = "admin"
    DEVELOPER = "developer"
    VIEWER = "viewer"


class Action(StrEnum):
    """What can be done through the API."""

    READ = "read"
    LOGS = "logs"
    BUILD = "build"
    DEPLOY = "deploy"
    CANCEL = "cancel"
    APPROVE = "approve"
    """Decide what other people ask for."""
    HOTFIX = "hotfix"
    """Promote in a hurry: without the gates that the pipeline lets a hotfix leave out."""
    WRITE = "write"
    """Create and change resources of developers."""
    ADMINISTER = "administer"
    """Create and change resources of platform engineers."""


_VIEWER = frozenset({Action.READ, Action.LOGS})
_DEVELOPER = _VIEWER | {
    Action.BUILD,
    Action.DEPLOY,
    Action.CANCEL,
    Action.APPROVE,
    Action.WRITE,
}
ROLE_ACTIONS: dict[Role, frozenset[Action]] = {
    Role.ADMIN: frozenset(Action),
    Role.DEVELOPER: _DEVELOPER,
    Role.VIEWER: _VIEWER,
}


class AccessRule(Model):
    """Gives one group or person a role, everywhere in the organization or in a part of it."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one("an access rule names exactly one of group and user", "group", "user"),
    )

    group: Principal = ""
    """Group as the identity provider names it. Empty = the rule is for one person."""
    user: Principal = ""
    """Person, as in the claim `sub` or `email`. Empty = the rule is for a group."""
    role: Role
    """What they are: admin, developer or viewer."""
    project: NameOrEmpty = ""
    """Project the rule is limited to. Empty = all projects."""
    environment: NameOrEmpty = ""
    """Environment the rule is limited to. Empty = all environments."""
    actions: tuple[Action, ...] = Field(
        (), max_length=16, json_schema_extra={"x-kubernetes-list-type": "set"}
    )
    """Narrows the role to these actions. Empty = all that the role can do."""

    def names(self, *, subject: str, email: str = "", groups: frozenset[str] = frozenset()) -> bool:
        """Tells whether the rule is about this person."""
        if self.group:
            return self.group in groups
        return self.user in {subject, email} - {""}

    def grants(self, action: Action, *, project: str = "", environment: str = "") -> bool:
        """Tells whether the rule permits an action there.

        A rule limited to a project or environment says nothing about the whole organization, for
        which ``project`` and ``environment`` are empty.
        """
        here = self.project in {"", project} and self.environment in {"", environment}
        narrowed = not self.actions or action in self.actions
        return here and narrowed and action in ROLE_ACTIONS[self.role]
