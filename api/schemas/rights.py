"""What the API is asked and answers about rights that last for a while."""

from __future__ import annotations

from datetime import datetime
from typing import Self

from pydantic import Field

from api.schemas.deliveries import Request, View
from domain.resources.rights.grants import AccessGrant
from domain.resources.rights.rules import Role


class BreakGlassOrder(Request):
    """Asks for a role in one environment, for oneself."""

    role: Role = Role.ADMIN
    project: str = Field("", max_length=63, description="Empty = all projects.")
    environment: str = Field(min_length=1, max_length=63)
    reason: str = Field(min_length=3, max_length=1000, description="It is written down.")
    duration: str = Field("1h", max_length=24, description="How long, such as 30m.")


class GrantView(View):
    """A role that somebody has for a while."""

    id: str
    user: str
    role: Role
    project: str = ""
    environment: str
    reason: str
    approved_by: tuple[str, ...] = ()
    until: datetime

    @classmethod
    def of(cls, grant: AccessGrant) -> Self:
        """Returns the view of a grant."""
        return cls.model_validate(grant.model_dump())


class GrantList(View):
    """Who has what role for a while."""

    items: tuple[GrantView, ...]
