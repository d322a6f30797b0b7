"""Proves that a delivery comes from a Git server that knows the organization's secret."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path

from domain import ids
from domain.errors import InvalidRequest, Unauthenticated

_SHORTEST = 16
_REFUSED = "the delivery is not signed with this organization's webhook secret"


_ADVICE = (
    "Give the Git server the secret that stands under the organization's name in the folder "
    "PAVANE_API__WEBHOOK_SECRETS of the API."
)


class Provider(StrEnum):
    """Git servers whose deliveries are understood."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    FORGEJO = "forgejo"


def secret_of(folder: Path | None, organization: str) -> bytes:
    """Reads the secret of an organization now, so that a new one holds at once.

    An organization without a secret is refused like a wrong signature, so that nobody learns
    which organizations there are.

    Raises:
        Unauthenticated: There is no secret, or one that is too short to be one.
    """
    try:
        name = ids.slug(organization, "organization")
    except InvalidRequest:
        raise _refused() from None
    if folder is None:
        raise _refused()
    try:
        secret = (folder / name).read_bytes().strip()
    except OSError:
        raise _refused() from None
    if len(secret) < _SHORTEST:
        raise _refused()
    return secret


def _refused() -> Unauthenticated:
    return Unauthenticated(_REFUSED, facts={"advice": _ADVICE})


def verify(provider: Provider, headers: Mapping[str, str], body: bytes, secret: bytes) -> None:
    """Returns when the delivery is signed with the secret.

    GitHub, Gitea and Forgejo sign the body (HMAC-SHA256); GitLab sends the secret itself.

    Raises:
        Unauthenticated: It is not.
    """
    if provider is Provider.GITLAB:
        given, expected = headers.get("x-gitlab-token", ""), secret
    else:
        given = _signature(provider, headers)
        expected = hmac.new(secret, body, hashlib.sha256).hexdigest().encode()
    if not hmac.compare_digest(given.encode(), expected):
        raise _refused()


def _signature(provider: Provider, headers: Mapping[str, str]) -> str:
    if provider is Provider.GITHUB:
        scheme, _, digest = headers.get("x-hub-signature-256", "").partition("=")
        return digest if scheme == "sha256" else ""
    own = headers.get(f"x-{provider.value}-signature", "")
    return own or headers.get("x-gitea-signature", "")
