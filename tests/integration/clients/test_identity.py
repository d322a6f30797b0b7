"""The verifier against the identity provider of the stack."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from clients.identity import OidcVerifier
from domain.errors import DependencyUnavailable, Unauthenticated

pytestmark = pytest.mark.integration


@pytest.fixture
async def verifier(stack: dict[str, str]) -> AsyncIterator[OidcVerifier]:
    made = OidcVerifier(
        stack["PAVANE_OIDC__DISCOVERY_URL"],
        stack["PAVANE_OIDC__ISSUER"],
        stack["PAVANE_OIDC__AUDIENCE"],
    )
    yield made
    await made.close()


async def test_keys_of_the_provider_are_found_and_a_strange_token_is_refused(
    verifier: OidcVerifier,
) -> None:
    with pytest.raises(Unauthenticated):
        await verifier.verify("e30.e30.e30")

    assert list(verifier._keys)


async def test_address_that_is_no_provider_is_unavailable(stack: dict[str, str]) -> None:
    address = f"{stack['VAULT_ADDR']}/v1/nowhere/{secrets.token_hex(4)}"
    verifier = OidcVerifier(address, "x", "y")
    try:
        with pytest.raises(DependencyUnavailable):
            await verifier.verify("e30.e30.e30")
    finally:
        await verifier.close()


async def test_token_of_a_person_of_the_stack_names_the_person(
    stack: dict[str, str], verifier: OidcVerifier
) -> None:
    people = Path(stack["PAVANE_API__WEBHOOK_SECRETS"]).parent / "people.json"
    name, password = next(iter(json.loads(people.read_text()).items()))
    async with httpx.AsyncClient(base_url=stack["VAULT_ADDR"]) as vault:
        login = await vault.post(f"/v1/auth/userpass/login/{name}", json={"password": password})
        login.raise_for_status()
        answer = await vault.get(
            "/v1/identity/oidc/token/pavane",
            headers={"X-Vault-Token": login.json()["auth"]["client_token"]},
        )
    token = answer.json()["data"]["token"]
    person = await verifier.verify(token)

    assert person.subject
    assert person.groups
    head, body, signature = token.split(".")
    with pytest.raises(Unauthenticated):
        await verifier.verify(f"{head}.{body}.{signature[::-1]}")
