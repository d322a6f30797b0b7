"""Who a bearer token speaks for, by OpenID Connect.

The keys come from the discovery document that the operator names. The token's issuer is compared
with the configured one, not with that document: some providers announce themselves under another
address there than in their tokens.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import Key, KeySet, import_key

from domain.errors import DependencyUnavailable, Unauthenticated

_LOG = logging.getLogger(__name__)
_ALGORITHMS = [
    "ES256", "ES384", "ES512", "Ed25519", "EdDSA",
    "PS256", "PS384", "PS512", "RS256", "RS384", "RS512",
]  # fmt: skip
"""Asymmetric ones only: with a shared secret the verifier could issue tokens, and a public key
could be passed off as the secret."""
_TOKEN_LIMIT = 16 * 1024
_SKEW_SECONDS = 60
_KEYS_FRESH_SECONDS = 600
_REFRESH_SECONDS = 10
_TIMEOUT = httpx.Timeout(10, connect=5)


@dataclass(frozen=True)
class Person:
    """Who is asking, as their identity provider says."""

    subject: str
    """Stable id; unique at its issuer."""
    name: str = ""
    email: str = ""
    groups: tuple[str, ...] = ()


class OidcVerifier:
    """Verifies tokens of one issuer. Ended by ``close``.

    Keys are kept for ten minutes and while the issuer is away; a token signed with an unknown key
    makes it ask again, at most every ten seconds.
    """

    def __init__(
        self,
        discovery_url: str,
        issuer: str,
        audience: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self._discovery_url = discovery_url
        self._claims = jwt.JWTClaimsRegistry(
            leeway=_SKEW_SECONDS,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "values": [audience]},
            exp={"essential": True},
            sub={"essential": True},
        )
        self._http = httpx.AsyncClient(timeout=_TIMEOUT, transport=transport)
        self._keys = KeySet([])
        self._fetched = float("-inf")
        self._asked = float("-inf")
        self._lock = asyncio.Lock()

    async def close(self) -> None:
        """Closes all connections."""
        await self._http.aclose()

    async def verify(self, token: str) -> Person:
        """Returns the person a token was issued to.

        Raises:
            Unauthenticated: It is not a valid token of the issuer for this audience, now.
            DependencyUnavailable: The issuer's keys have never been had and cannot be had now.
        """
        if len(token) > _TOKEN_LIMIT:
            raise Unauthenticated("the token is too long")
        if time.monotonic() - self._fetched > _KEYS_FRESH_SECONDS:
            await self._refresh()
        try:
            try:
                decoded = self._decode(token)
            except InvalidKeyIdError:
                await self._refresh()
                decoded = self._decode(token)
            self._claims.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            # The message of the library names the claim or the check, never the token.
            raise Unauthenticated(f"the token is not valid: {_reason(error)}") from None
        return _person(decoded.claims)

    def _decode(self, token: str) -> jwt.Token:
        return jwt.decode(token, self._keys, algorithms=_ALGORITHMS)

    async def _refresh(self) -> None:
        async with self._lock:
            if time.monotonic() - self._asked < _REFRESH_SECONDS:
                return
            self._asked = time.monotonic()
            try:
                document = await self._document(self._discovery_url)
                keys = await self._document(str(document["jwks_uri"]))
                self._keys = KeySet(list(_usable(keys.get("keys") or [])))
                self._fetched = time.monotonic()
            except (httpx.HTTPError, KeyError, ValueError) as error:
                self._keep_or_fail(error)

    def _keep_or_fail(self, error: Exception) -> None:
        reason = type(error).__name__
        if not self._keys:
            self._asked = float("-inf")
            raise DependencyUnavailable(f"identity provider: no keys: {reason}") from error
        _LOG.warning("identity provider did not answer, going on with known keys: %s", reason)

    async def _document(self, url: str) -> dict[str, Any]:
        response = await self._http.get(url)
        response.raise_for_status()
        document = response.json()
        if not isinstance(document, dict):
            raise ValueError("not an object")  # noqa: TRY004 - what was sent, not what was passed
        return document


def _usable(keys: list[Any]) -> list[Key]:
    """Imports the keys for signatures that the library knows; providers publish others too."""
    usable: list[Key] = []
    for raw in keys:
        if not isinstance(raw, dict) or raw.get("kty") == "oct" or raw.get("use", "sig") != "sig":
            continue
        try:
            usable.append(import_key(raw))
        except (JoseError, ValueError, KeyError) as error:
            _LOG.warning("identity provider: a key is left out: %s", type(error).__name__)
    return usable


def _reason(error: Exception) -> str:
    return str(getattr(error, "description", "")) or type(error).__name__


def _person(claims: dict[str, Any]) -> Person:
    groups = claims.get("groups") or ()
    return Person(
        subject=str(claims["sub"]),
        name=str(claims.get("name") or claims.get("preferred_username") or ""),
        email=str(claims.get("email") or ""),
        groups=(groups,) if isinstance(groups, str) else tuple(str(group) for group in groups),
    )
