"""Where a secret lies, and from that whose it is.

The path of a secret inside its organization says who may set it and what may use it:

    shop/production/orders-db     of project shop, in production
    shop/all/smtp                 of project shop, everywhere
    shop/smtp                     the same
    shared/production/proxy       of all projects, in production
    shared/proxy                  of all projects, everywhere
    _planes/west                  credentials of a plane: of the organization, no pod may use them
    _observability/metrics        the same of what measures and keeps logs

A key (``vaultKey``) is such a path and the name of one field of what lies there:
``shop/production/orders-db/password``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from domain import ids
from domain.errors import Denied, InvalidRequest

SHARED = "shared"
"""First part of what belongs to no project."""
EVERYWHERE = "all"
"""Second part of what belongs to no environment."""
PLANES = "_planes"
"""First part of credentials of planes; no project can have that name."""
OBSERVABILITY = "_observability"
"""First part of credentials of ObservabilityPlanes, which workers of planes read."""
_PART = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}")
_FIELD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_MOST = 6
_LEAST = 2


@dataclass(frozen=True)
class SecretScope:
    """Whose a secret is."""

    project: str
    """Empty = of all projects."""
    environment: str
    """Empty = in all environments."""

    def serves(self, project: str, environment: str) -> bool:
        """Tells whether what runs there may use it."""
        return self.project in {"", project} and self.environment in {"", environment}


@dataclass(frozen=True)
class SecretKey:
    """One field of one secret."""

    path: str
    field: str


def mount(organization: str) -> str:
    """Returns where the secrets of an organization are mounted: a KV v2 engine of its own."""
    return f"org/{ids.slug(organization, 'organization')}"


def certificates_mount(organization: str) -> str:
    """Returns where certificates of an organization are issued: a PKI engine that people mount."""
    return f"pki/{ids.slug(organization, 'organization')}"


def checked(path: str) -> str:
    """Returns the path of a secret if it is one.

    Raises:
        InvalidRequest: It is not; says what a path looks like.
    """
    parts = path.split("/")
    if not _LEAST <= len(parts) <= _MOST or not all(_PART.fullmatch(part) for part in parts):
        raise InvalidRequest(
            f"{path[:200]!r} is not the path of a secret: it is PROJECT/ENVIRONMENT/NAME, with "
            f"`{SHARED}` for all projects and `{EVERYWHERE}` for all environments, of letters, "
            f"digits, dots, hyphens and underscores, in {_MOST} parts at most"
        )
    return path


def field(name: str) -> str:
    """Returns the name of a field if it is one; those with an underscore first are Pavane's own.

    Raises:
        InvalidRequest: It is not.
    """
    if not _FIELD.fullmatch(name):
        raise InvalidRequest(
            f"{name[:100]!r} is not the name of a field: letters, digits, dots, hyphens and "
            "underscores, with a letter or digit first"
        )
    return name


def scope_of(path: str) -> SecretScope:
    """Returns whose the secret at a path is."""
    project, *rest = checked(path).split("/")
    environment = rest[0] if len(rest) > 1 else ""
    return SecretScope(
        "" if project == SHARED else project, "" if environment == EVERYWHERE else environment
    )


def is_of_plane(path: str) -> bool:
    """Tells whether credentials of a plane lie there, which only administrators may change."""
    return path.split("/", 1)[0] in {PLANES, OBSERVABILITY}


def is_of_observability(path: str) -> bool:
    """Tells whether credentials of an ObservabilityPlane lie there."""
    return path.split("/", 1)[0] == OBSERVABILITY


def key_of(vault_key: str) -> SecretKey:
    """Takes a ``vaultKey`` apart: the last part is the field.

    Raises:
        InvalidRequest: It is no such key.
    """
    path, _, name = vault_key.strip("/").rpartition("/")
    return SecretKey(checked(path), field(name))


def permit_use(path: str, project: str, environment: str) -> None:
    """Returns when what runs there may use a secret.

    Raises:
        Denied: It may not; says whose the secret is.
    """
    scope = scope_of(path)
    if not scope.serves(project, environment):
        owner = f"project {scope.project}" if scope.project else "all projects"
        where = f"environment {scope.environment}" if scope.environment else "all environments"
        raise Denied(
            f"secret {path} is of {owner} in {where}: project {project} in {environment} may not "
            f"use it; it may use {project}/{environment}/..., {project}/{EVERYWHERE}/... and "
            f"{SHARED}/..."
        )
