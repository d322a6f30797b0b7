"""OpenBao breaks while a secret is turned over."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client

from clients.vault import SecretEntry, SecretStore, VaultSession, VaultTenants
from devstack import faults
from devstack.core import roles
from devstack.core.signing import ROLE as ROTATOR
from devstack.state import StateDir
from domain.deliveries.rotations import RotationRequest
from tests.faults.breaking import fault
from tests.faults.organization import Organization
from tests.faults.people import retrying, told
from tests.faults.promises import promise
from tests.faults.sight import PROJECT
from workflows.secrets.starting import start_rotation

pytestmark = pytest.mark.faults
PATH = f"{PROJECT}/all/word"


@pytest.fixture
async def store(stack: dict[str, str], broken: StateDir, org: Organization) -> SecretStore:
    """A secret of the organization, and the SecretRotation that turns it over."""

    def session(role: str) -> VaultSession:
        secret_id = roles.secret_id_file(broken, role)
        return VaultSession(stack["PAVANE_VAULT__ADDRESS"], role, secret_id)

    made = SecretStore(session(ROTATOR))
    await asyncio.to_thread(VaultTenants(session(roles.TENANTS)).ensure_engines, org.name)
    await asyncio.to_thread(made.write, org.name, PATH, {"value": "the-first"}, expected=0)
    spec: dict[str, Any] = {"engine": "KV", "vaultPath": PATH}
    times = {"graceSeconds": 1, "destroyAfterSeconds": 1}
    await org.mine("SecretRotation", "word", {**spec, **times})
    return made


async def rotating(server: Client, org: Organization) -> str:
    asked = RotationRequest(organization=org.name, rotation="word")
    return (await start_rotation(server, asked)).id


async def turned_over(org: Organization, store: SecretStore) -> SecretEntry:
    """The secret, of which exactly one version works."""
    entry = await asyncio.to_thread(store.describe, org.name, PATH)
    assert [one.is_readable for one in entry.versions] == [False, True]
    return entry


@promise(
    "OpenBao sealed while a secret is rotated",
    "openbao-sealed",
    sees="the rotation tells that OpenBao does not answer, and when it is tried again",
    retried="the step that was under way, for two hours; then it parks",
    ends="the rotation goes on where it was: one new version, and the old one destroyed",
    cheap=True,
)
async def test_a_rotation_goes_on_when_openbao_is_unsealed(
    broken: StateDir, server: Client, org: Organization, store: SecretStore
) -> None:
    # An API that knows no keys of the identity provider yet lets nobody in meanwhile.
    assert (await org.person.client.get("/v1/whoami")).is_success
    async with fault(broken, "openbao-sealed"):
        operation = await rotating(server, org)
        shown = await org.person.sees(operation, retrying)
    done = await org.person.ended(operation)

    assert "OpenBao does not answer" in str(retrying(shown))
    assert done["phase"] == "Succeeded", told(done)
    entry = await turned_over(org, store)
    assert (entry.active, entry.rotation) == (2, "")


@promise(
    "OpenBao restarted while a secret is rotated",
    "openbao-killed",
    sees="the rotation, which takes some seconds longer",
    retried="the step that was under way",
    ends="one new version, and the old one destroyed",
)
async def test_a_rotation_outlives_a_restart_of_openbao(
    broken: StateDir, server: Client, org: Organization, store: SecretStore
) -> None:
    operation = await rotating(server, org)
    await faults.begin(broken, "openbao-killed")
    done = await org.person.ended(operation)

    assert done["phase"] == "Succeeded", told(done)
    entry = await turned_over(org, store)
    assert (entry.active, entry.rotation) == (2, "")


@promise(
    "OpenBao too slow to answer while a secret is rotated",
    "openbao-frozen",
    sees="the rotation tells that OpenBao does not answer, and when it is tried again",
    retried="the step that was under way, after ten seconds without an answer",
    ends="the rotation goes on where it was: one new version, and the old one destroyed",
)
async def test_a_rotation_outwaits_an_openbao_that_takes_requests_and_answers_none(
    broken: StateDir, server: Client, org: Organization, store: SecretStore
) -> None:
    assert (await org.person.client.get("/v1/whoami")).is_success
    async with fault(broken, "openbao-frozen"):
        operation = await rotating(server, org)
        shown = await org.person.sees(operation, retrying)
    done = await org.person.ended(operation)

    assert "OpenBao does not answer" in str(retrying(shown))
    assert done["phase"] == "Succeeded", told(done)
    entry = await turned_over(org, store)
    assert (entry.active, entry.rotation) == (2, "")
