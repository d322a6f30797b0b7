from __future__ import annotations

import base64
import hashlib
import hmac
import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from clients import identity
from clients.identity import OidcVerifier, Person
from domain.errors import DependencyUnavailable, Unauthenticated

pytestmark = pytest.mark.unit

ISSUER = "https://issuer.example"


class Provider:
    """Serves discovery and keys as a provider does, and counts."""

    def __init__(self, *keys: Key) -> None:
        self.keys = list(keys)
        self.fetches = 0
        self.away = False

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("away")
        if request.url.path.endswith("openid-configuration"):
            return httpx.Response(200, json={"issuer": ISSUER, "jwks_uri": f"{ISSUER}/keys"})
        self.fetches += 1
        return httpx.Response(200, json={"keys": [key.as_dict(private=False) for key in self.keys]})

    def verifier(self) -> OidcVerifier:
        return OidcVerifier(
            f"{ISSUER}/.well-known/openid-configuration",
            ISSUER,
            "pavane",
            transport=httpx.MockTransport(self.answer),
        )


def key(kid: str) -> ECKey:
    return ECKey.generate_key("P-256", {"kid": kid, "use": "sig"})


def token(signer: Any, algorithm: str = "ES256", **claims: Any) -> str:
    now = int(time.time())
    given = {"iss": ISSUER, "aud": "pavane", "sub": "u1", "iat": now, "exp": now + 300} | claims
    given = {name: value for name, value in given.items() if value is not None}
    header = {"alg": algorithm, "kid": signer.kid}
    return jwt.encode(header, given, signer, algorithms=[algorithm])


async def test_valid_token_names_the_person() -> None:
    signer = key("k1")
    person = (
        await Provider(signer)
        .verifier()
        .verify(token(signer, name="Ada", email="ada@example.com", groups=["devs", "ops"]))
    )

    assert person == Person("u1", "Ada", "ada@example.com", ("devs", "ops"))


async def test_audience_may_be_one_of_several() -> None:
    signer = key("k1")

    verifier = Provider(signer).verifier()

    assert (await verifier.verify(token(signer, aud=["other", "pavane"]))).subject == "u1"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://evil.example"},
        {"iss": None},
        {"aud": "other"},
        {"aud": None},
        {"exp": None},
        {"exp": int(time.time()) - 120},
        {"nbf": int(time.time()) + 600},
        {"sub": None},
        {"sub": ""},
    ],
)
async def test_claims_that_do_not_hold_are_refused(claims: dict[str, Any]) -> None:
    signer = key("k1")

    with pytest.raises(Unauthenticated):
        await Provider(signer).verifier().verify(token(signer, **claims))


async def test_clock_skew_of_a_minute_is_forgiven() -> None:
    signer = key("k1")
    now = int(time.time())

    verifier = Provider(signer).verifier()

    person = await verifier.verify(token(signer, exp=now - 30, nbf=now + 30))

    assert person.subject == "u1"


async def test_signature_of_somebody_else_is_refused() -> None:
    provider = Provider(key("k1"))

    with pytest.raises(Unauthenticated):
        await provider.verifier().verify(token(key("k1")))


async def test_public_key_passed_off_as_a_shared_secret_is_refused() -> None:
    signer = RSAKey.generate_key(2048, {"kid": "k1"})
    head, body, _ = token(signer, "RS256").split(".")
    head = encoded(b'{"alg":"HS256","kid":"k1"}')
    secret = signer.as_pem(private=False)
    forged = hmac.new(secret, f"{head}.{body}".encode(), hashlib.sha256).digest()

    with pytest.raises(Unauthenticated):
        await Provider(signer).verifier().verify(f"{head}.{body}.{encoded(forged)}")


async def test_published_shared_secret_is_not_used() -> None:
    secret = OctKey.generate_key(256, {"kid": "k1"})

    with pytest.raises(Unauthenticated):
        await Provider(secret, key("k2")).verifier().verify(token(secret, "HS256"))


@pytest.mark.parametrize("text", ["", "nonsense", "a.b.c", "e30.e30.", "x" * 20_000])
async def test_what_is_no_token_is_refused_without_being_quoted(text: str) -> None:
    with pytest.raises(Unauthenticated) as caught:
        await Provider(key("k1")).verifier().verify(text)

    assert not text or text not in str(caught.value)


async def test_keys_are_fetched_once() -> None:
    signer = key("k1")
    provider = Provider(signer)
    verifier = provider.verifier()
    for _ in range(3):
        await verifier.verify(token(signer))

    assert provider.fetches == 1
    await verifier.close()


async def test_rotated_key_is_found_by_asking_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(identity, "_REFRESH_SECONDS", 0)
    old, new = key("k1"), key("k2")
    provider = Provider(old)
    verifier = provider.verifier()
    await verifier.verify(token(old))
    provider.keys = [old, new]

    assert (await verifier.verify(token(new))).subject == "u1"
    assert provider.fetches == 2


async def test_unknown_keys_do_not_make_it_ask_again_and_again() -> None:
    signer = key("k1")
    provider = Provider(signer)
    verifier = provider.verifier()
    await verifier.verify(token(signer))
    for number in range(5):
        with pytest.raises(Unauthenticated):
            await verifier.verify(token(key(f"unknown{number}")))

    assert provider.fetches == 1


async def test_known_keys_go_on_while_the_provider_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(identity, "_KEYS_FRESH_SECONDS", 0)
    monkeypatch.setattr(identity, "_REFRESH_SECONDS", 0)
    signer = key("k1")
    provider = Provider(signer)
    verifier = provider.verifier()
    await verifier.verify(token(signer))
    provider.away = True

    assert (await verifier.verify(token(signer))).subject == "u1"


async def test_without_any_key_the_provider_is_an_unavailable_dependency() -> None:
    signer = key("k1")
    provider = Provider(signer)
    provider.away = True
    verifier = provider.verifier()
    with pytest.raises(DependencyUnavailable):
        await verifier.verify(token(signer))
    provider.away = False

    assert (await verifier.verify(token(signer))).subject == "u1"


def encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "Ed25519"])
async def test_asymmetric_algorithms_are_accepted(algorithm: str) -> None:
    signer: Any = (
        OKPKey.generate_key("Ed25519", {"kid": "k1"})
        if algorithm == "Ed25519"
        else RSAKey.generate_key(2048, {"kid": "k1"})
    )

    verifier = Provider(signer).verifier()

    assert (await verifier.verify(token(signer, algorithm))).subject == "u1"
