"""Which versions of secrets are in use, for those who are told numbers instead of values."""

from __future__ import annotations

from collections.abc import Iterable

from clients.vault import SecretStore
from domain.deliveries.secrets import SecretConsumer
from domain.errors import InvalidRequest, NotFound


def versions_in_use(
    store: SecretStore, found: SecretConsumer, paths: Iterable[str]
) -> dict[str, int]:
    """Returns path -> version in use. Blocking.

    Raises:
        InvalidRequest: A secret is not there; says how to set it.
    """
    versions = {}
    for path in sorted(set(paths)):
        try:
            versions[path] = store.describe(found.organization, path).active
        except NotFound:
            raise missing(found, path) from None
    return versions


def missing(found: SecretConsumer, path: str) -> InvalidRequest:
    """Returns what to say of a secret that is not there."""
    return InvalidRequest(
        f"{found.shown} needs the secret {path}, which is not there: set it with "
        f"`pavane secret set {path}`",
        facts={"reason": "SecretMissing"},
    )


def check_fields(
    found: SecretConsumer, path: str, fields: Iterable[str], there: Iterable[str]
) -> None:
    """Returns when a secret has all fields that are needed of it.

    Raises:
        InvalidRequest: One is not there; says which ones are.
    """
    known = sorted(there)
    lacking = sorted(set(fields) - set(known))
    if lacking:
        raise InvalidRequest(
            f"{found.shown} needs the field {lacking[0]} of the secret {path}, which has "
            f"{', '.join(known) or 'none'}",
            facts={"reason": "SecretMissing"},
        )
