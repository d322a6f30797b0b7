"""What procedures about secrets are asked and answer. References only: never a value."""

from __future__ import annotations

from pydantic import Field

from domain.deliveries.wire import Wire


class VaultPlace(Wire):
    """Where something of an organization may run."""

    project: str
    environment: str


class EnsureVaultTenant(Wire):
    """Sets up an organization in Vault or OpenBao, or brings it up to date."""

    organization: str
    places: tuple[VaultPlace, ...] = Field((), max_length=2000)
    """All places it has. What runs in a place may read what is of that place."""


class VaultTenant(Wire):
    """What an organization has in Vault or OpenBao."""

    mount: str = ""
    """Its KV v2 engine."""
    login: str = ""
    """Where its own AppRoles sign in."""
    policies: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    """Roles by which pods sign in with the token of their service account."""
    removed: tuple[str, ...] = ()
    """Roles of places there no longer are."""
    skipped: str = ""
    """Why nothing was set up; empty = it was."""
