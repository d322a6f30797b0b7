"""Signed assertions of who decides what: made by the API, believed by workers and nobody else.

An assertion is bound to one approval, one hash, one round and the exact decision with its words,
so it cannot be turned into another one. It lives for minutes. Workers have public keys only: what
they believe they could not have made themselves.
"""

from __future__ import annotations

import hashlib
import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, KeySet, OKPKey, RSAKey

from domain.deliveries.approval_votes import ApprovalDecision, ApprovalPerson
from domain.errors import DependencyUnavailable, Unauthenticated

ISSUER = "pavane-api"
AUDIENCE = "pavane-approvals"
LIFETIME = timedelta(minutes=5)
_SKEW = timedelta(seconds=60)
_ALGORITHMS = ["Ed25519", "ES256", "PS256"]
_MOST_GROUPS = 200


@dataclass(frozen=True)
class Proof:
    """What an assertion proves."""

    person: ApprovalPerson
    id: str
    until: datetime


class AssertionSigner:
    """Signs decisions with the private key of the API."""

    def __init__(self, file: Path) -> None:
        """Reads the key.

        Raises:
            DependencyUnavailable: The file holds no private key.
        """
        self._key = _key(file)
        if not self._key.is_private:
            raise DependencyUnavailable(f"{file.name} holds no private key to sign decisions with")

    def sign(
        self,
        approval: str,
        decision: ApprovalDecision,
        person: ApprovalPerson,
        at: datetime | None = None,
    ) -> ApprovalDecision:
        """Returns the decision with the assertion that this person makes it now."""
        now = int(at.timestamp() if at else time.time())
        claims = {
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": person.subject,
            "email": person.email,
            "name": person.name,
            "groups": list(person.groups[:_MOST_GROUPS]),
            "iat": now,
            "exp": now + int(LIFETIME.total_seconds()),
            "jti": uuid.uuid4().hex,
            **_bound(approval, decision),
        }
        header = {"alg": _algorithm(self._key), "kid": self._key.thumbprint()}
        signed = jwt.encode(header, claims, self._key, algorithms=_ALGORITHMS)
        return decision.model_copy(update={"assertion": signed})


class AssertionVerifier:
    """Proves decisions by the public keys that a worker has."""

    def __init__(self, place: Path | None) -> None:
        """Reads a key, or all keys of a folder; None = no decision can be proven.

        Raises:
            DependencyUnavailable: A file holds no key.
        """
        files = [] if place is None else sorted(place.glob("*.pub")) if place.is_dir() else [place]
        keys = {key.thumbprint(): key for key in map(_key, files)}
        self._keys = keys
        self._claims = jwt.JWTClaimsRegistry(
            now=lambda: 0,
            iss={"essential": True, "value": ISSUER},
            aud={"essential": True, "value": AUDIENCE},
            sub={"essential": True},
            jti={"essential": True},
        )

    def verify(self, approval: str, decision: ApprovalDecision, received: datetime) -> Proof:
        """Returns who makes the decision.

        Raises:
            Unauthenticated: The assertion proves nothing about this decision at that time.
        """
        if not self._keys:
            raise Unauthenticated(
                "this worker has no key to prove decisions with (PAVANE_APPROVALS__VERIFY_KEYS)"
            )
        try:
            key_set = KeySet([*self._keys.values()])
            token = jwt.decode(decision.assertion, key_set, algorithms=_ALGORITHMS)
            claims = token.claims
            self._claims.validate({**claims, "exp": 1, "iat": 0, "nbf": 0})
        except (JoseError, ValueError, KeyError, TypeError) as error:
            said = str(getattr(error, "description", "")) or type(error).__name__
            raise Unauthenticated(f"its assertion is not signed by the API: {said}") from None
        for name, value in _bound(approval, decision).items():
            if claims.get(name) != value:
                raise Unauthenticated(f"its assertion is about another {name}")
        until = _in_time(claims, received)
        return Proof(person=_person(claims), id=str(claims["jti"]), until=until)


def _in_time(claims: dict[str, Any], received: datetime) -> datetime:
    try:
        issued = datetime.fromtimestamp(int(claims["iat"]), UTC)
        expires = datetime.fromtimestamp(int(claims["exp"]), UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        raise Unauthenticated("its assertion does not say when it was made") from None
    if expires - issued > 2 * LIFETIME:
        raise Unauthenticated("its assertion would live too long")
    if not issued - _SKEW <= received <= expires + _SKEW:
        raise Unauthenticated("its assertion is too old: decide again")
    return expires + _SKEW


def _bound(approval: str, decision: ApprovalDecision) -> dict[str, Any]:
    words = hashlib.sha256(f"{decision.delegate}\n{decision.text}".encode()).hexdigest()
    return {
        "approval": approval,
        "hash": decision.hash,
        "round": decision.round,
        "act": decision.act.value,
        "words": words,
    }


def _person(claims: dict[str, Any]) -> ApprovalPerson:
    groups = claims.get("groups")
    return ApprovalPerson(
        subject=str(claims["sub"]),
        email=str(claims.get("email") or ""),
        name=str(claims.get("name") or ""),
        groups=tuple(str(group) for group in groups) if isinstance(groups, list) else (),
    )


def _key(file: Path) -> OKPKey | ECKey | RSAKey:
    try:
        text = file.read_bytes()
    except OSError as error:
        raise DependencyUnavailable(
            f"the key of decisions cannot be read: {file.name}: {error.strerror}"
        ) from None
    for kind in (OKPKey, ECKey, RSAKey):
        try:
            return kind.import_key(text)
        except (JoseError, ValueError, TypeError, AttributeError):
            continue
    raise DependencyUnavailable(f"{file.name} holds no key (PEM, Ed25519, P-256 or RSA)")


def _algorithm(key: Key) -> str:
    return {"OKP": "Ed25519", "EC": "ES256"}.get(key.key_type, "PS256")
