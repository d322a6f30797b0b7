"""Certificates are turned over while two services call each other with them all the time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import hvac
import pytest
from temporalio.client import Client, WorkflowFailureError

from clients.vault import SecretEntry, SecretStore
from devstack.core.openbao import root_token
from devstack.state import StateDir
from tests.integration.secrets.mesh import SERVICES, Mesh
from tests.integration.secrets.shop import (
    PATH,
    TRUST,
    Fault,
    SessionOf,
    in_step,
    nothing_leaked,
    serving,
    until,
)

pytestmark = [pytest.mark.integration, pytest.mark.sampled]
OLD, BOTH, SWITCHED, NEW = "1 of 1", "1 of 2", "2 of 2", "1 of 1"
_DYING = (*TRUST[:5], "create_version", "test_version", "use_version", "destroy_old")


@pytest.fixture
async def mesh(
    stack: dict[str, str], state: StateDir, store: SecretStore, organization: str
) -> AsyncIterator[Mesh]:
    bao = hvac.Client(stack["PAVANE_VAULT__ADDRESS"], root_token(state))
    made = Mesh(store, organization, bao=bao)
    await made.set_up()
    async with made.observed():
        yield made


async def entry(mesh: Mesh) -> SecretEntry:
    return await asyncio.to_thread(mesh.store.describe, mesh.organization, PATH)


@pytest.mark.parametrize("step", ["", *_DYING])
async def test_an_issuer_is_exchanged_without_a_failed_handshake_whatever_step_dies(
    own_temporal: Client, mesh: Mesh, session_of: SessionOf, step: str
) -> None:
    first = dict(mesh.held)
    async with serving(own_temporal, mesh, session_of, Fault(step)) as handle:
        done = await handle.result()
        await mesh.log_in()
        await nothing_leaked(handle, mesh)
    found = await entry(mesh)

    mesh.kept_its_promises()
    assert (done.before, done.version, found.active, found.rotation) == (1, 4, 4, "")
    assert [one.is_readable for one in found.versions] == [False, False, False, True]
    assert {mesh.runs[name]["ca.crt"] for name in SERVICES}.isdisjoint({first["ca.crt"]})
    assert await mesh.accepts(first)
    assert await mesh.count_valid() == 1
    assert found.expires is not None
    assert found.expires < datetime.now(UTC) + timedelta(seconds=3600)
    assert mesh.notes[-1].expires == found.expires


async def test_everybody_trusts_a_new_issuer_before_anybody_shows_a_certificate_of_it(
    own_temporal: Client, mesh: Mesh, session_of: SessionOf
) -> None:
    async with serving(own_temporal, mesh, session_of) as handle:
        await handle.result()
    await mesh.log_in()

    mesh.kept_its_promises()
    one, two = (OLD, OLD), (NEW, NEW)
    half = [(BOTH, OLD), (BOTH, BOTH), (SWITCHED, BOTH), (SWITCHED, SWITCHED), (NEW, SWITCHED)]
    assert mesh.states == [one, *half, two]


@pytest.mark.parametrize("waits_in", ["observe", "finish"])
async def test_the_old_issuer_is_back_when_its_exchange_is_rolled_back(
    own_temporal: Client, mesh: Mesh, session_of: SessionOf, waits_in: str
) -> None:
    first = dict(mesh.held)
    waits: dict[str, Any] = {
        "quiet_seconds" if waits_in == "observe" else "destroy_after_seconds": 3000
    }
    async with serving(own_temporal, mesh, session_of, **waits) as handle:
        await until(handle, in_step(waits_in))
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    await mesh.log_in()
    found = await entry(mesh)

    mesh.kept_its_promises()
    assert [mesh.runs[name] for name in SERVICES] == [first, first]
    assert (found.active, found.rotation, await mesh.count_valid()) == (1, "", 1)
    assert [one.number for one in found.versions if one.is_readable] == [1]


async def test_a_present_issuer_goes_on_signing_and_what_it_signed_before_is_revoked(
    own_temporal: Client, mesh: Mesh, session_of: SessionOf
) -> None:
    mesh.always = False
    first = dict(mesh.held)
    async with serving(own_temporal, mesh, session_of) as handle:
        done = await handle.result()
        status = await handle.query("status")
    await mesh.log_in()
    revoked = await asyncio.to_thread(mesh.bao.list, f"{mesh.root}/certs/revoked")

    mesh.kept_its_promises()
    assert (done.version, mesh.runs["web"]["ca.crt"]) == (2, first["ca.crt"])
    assert mesh.runs["web"]["web.crt"] != first["web.crt"]
    assert len(revoked["data"]["keys"]) == len(SERVICES)
    assert await mesh.count_valid() == 1
    said = {one["name"]: one["message"] for one in status["steps"]}
    assert (said["trust"], said["untrust"]) == ("the present issuer goes on",) * 2


async def test_a_leak_exchanges_the_issuer_so_that_what_is_known_to_strangers_opens_nothing(
    own_temporal: Client, mesh: Mesh, session_of: SessionOf
) -> None:
    mesh.always = False
    first = dict(mesh.held)
    async with serving(own_temporal, mesh, session_of, leaked=True) as handle:
        done = await handle.result()

    mesh.kept_its_promises()
    assert done.version == 4
    assert await mesh.accepts(first)


async def test_the_issuer_of_a_rotation_that_was_ended_by_force_is_removed_by_the_next_one(
    own_temporal: Client, mesh: Mesh, session_of: SessionOf
) -> None:
    stays = Fault("use_trust", after=False, tries=1_000_000)
    async with serving(own_temporal, mesh, session_of, stays) as handle:
        async with asyncio.timeout(60):
            while (await entry(mesh)).newest == 1:  # noqa: ASYNC110 - OpenBao tells of nothing
                await asyncio.sleep(0.05)
        await handle.terminate()
    assert await mesh.count_valid() == 2

    async with serving(own_temporal, mesh, session_of) as handle:
        done = await handle.result()

    # The observer saw two at most: what was left went before another one was made.
    mesh.kept_its_promises()
    assert (done.before, await mesh.count_valid()) == (1, 1)


async def test_a_role_that_does_not_allow_a_name_changes_nothing_and_says_where_to_look(
    own_temporal: Client, mesh: Mesh, session_of: SessionOf
) -> None:
    rules = {"allowed_domains": "other.internal", "key_type": "ec"}
    await asyncio.to_thread(mesh.bao.adapter.post, f"/v1/{mesh.root}/roles/mesh", json={**rules})
    first = dict(mesh.held)
    async with serving(own_temporal, mesh, session_of) as handle:
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    await mesh.log_in()

    mesh.kept_its_promises()
    assert "does not sign it: look at the names it allows" in str(failed.value.cause)
    assert [mesh.runs[name] for name in SERVICES] == [first, first]
    assert ((await entry(mesh)).active, await mesh.count_valid()) == (1, 1)
