"""What looks at secrets that expire are asked, pass on and answer. References, never a value."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from domain.deliveries.wire import Wire


class ExpiryRequest(Wire):
    """Looks which secrets expire soon."""

    organizations: tuple[str, ...] = ()
    """Only in these. Empty = in all."""


class OrganizationNames(Wire):
    """Which organizations there are."""

    names: tuple[str, ...] = ()


class FindExpiring(Wire):
    """Asks which secrets of some organizations expire before a moment."""

    organizations: tuple[str, ...]
    before: datetime


class ExpiringSecret(Wire):
    """A secret that works no more after a moment."""

    organization: str
    path: str
    expires: datetime
    owner: str = ""
    """Group or person who must replace it. Empty = nobody was named."""


class ExpiringSecrets(Wire):
    """Secrets that expire."""

    items: tuple[ExpiringSecret, ...] = ()


class ToldExpiry(Wire):
    """What people were told of one secret."""

    organization: str
    path: str
    expires: datetime
    days: int
    """They were told when so many days were left; 0 = when it had expired."""


class ExpiryLook(Wire):
    """What one look came to; the next one begins with it."""

    told: tuple[ToldExpiry, ...] = Field((), max_length=20_000)
    sent: int = 0
    """How many notices were sent."""
    unsent: tuple[str, ...] = ()
    """Organizations whose people could not be told: the next look tries again."""
