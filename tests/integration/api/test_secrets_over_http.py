"""Secrets through the API and the real OpenBao: who may what, and that no value is ever told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from temporalio import activity
from temporalio.client import Client

from api.services import Services
from clients.vault import SecretStore, VaultSession, VaultTenants
from devstack.core import roles
from devstack.state import StateDir
from domain.deliveries.secrets import (
    FindConsumers,
    PlaneQueues,
)
from domain.records import AuditFact
from tests.workflows.conftest import World, workers

SignIn = Callable[[str], httpx.AsyncClient]
PATH = "shop/development/db"
CANARY = "canary-71e0"


@activity.defn
async def list_planes(_request: FindConsumers) -> PlaneQueues:
    """Nobody uses it: delivering has tests of its own."""
    return PlaneQueues()


@pytest.fixture
async def world(temporal: Client) -> AsyncIterator[World]:
    world = World()
    world.more = (list_planes,)
    async with workers(temporal, world):
        yield world


@pytest.fixture
async def vault(stack: dict[str, str], services: Services, acme: str) -> SecretStore:
    """The engine of the organization, and the role that the API has in it."""
    state = StateDir(Path(stack["PAVANE_AUDIT__VERIFY_KEYS"]).parent.parent)

    def session(role: str) -> VaultSession:
        return VaultSession(stack["PAVANE_VAULT__ADDRESS"], role, roles.secret_id_file(state, role))

    await asyncio.to_thread(VaultTenants(session(roles.TENANTS)).ensure_engines, acme)
    services.store_of_secrets = SecretStore(session(roles.API))
    return services.store_of_secrets


def facts(world: World, organization: str) -> list[AuditFact]:
    batches = [argument for name, argument in world.calls if name == "record"]
    return [fact for batch in batches for fact in batch.facts if fact.organization == organization]


async def test_a_value_is_told_to_nobody_but_an_administrator_who_says_why(
    *,
    acme: str,
    vault: SecretStore,
    world: World,
    temporal: Client,
    sign_in: SignIn,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    order = {"path": PATH, "values": {"password": CANARY}, "reason": "the first"}
    shown = {"path": PATH, "field": "password", "reason": "an outage"}
    async with sign_in("dev") as dev, sign_in("viewer") as viewer, sign_in("ada") as ada:
        refused = await viewer.post(f"/v1/secrets/{acme}/set", json=order)
        done = await dev.post(f"/v1/secrets/{acme}/set", json=order)
        told = [
            await viewer.get(f"/v1/secrets/{acme}"),
            await viewer.get(f"/v1/secrets/{acme}/entry", params={"secret": PATH}),
            await dev.post(f"/v1/secrets/{acme}/show", json=shown),
            await ada.post(f"/v1/secrets/{acme}/show", json={**shown, "reason": ""}),
            await dev.post(f"/v1/secrets/{acme}/set", json={**order, "values": {"_x": CANARY}}),
        ]
        value = await ada.post(f"/v1/secrets/{acme}/show", json=shown)

    assert (refused.status_code, done.status_code, done.json()["version"]) == (403, 200, 1)
    assert [one.status_code for one in told] == [200, 200, 403, 422, 422]
    assert told[0].json()["items"] == [PATH]
    assert told[1].json()["fields"] == ["password"]
    assert value.json() == {"value": CANARY}
    assert value.headers["Cache-Control"] == "no-store"
    written = facts(world, acme)
    assert [(fact.action, fact.actor) for fact in written] == [
        ("secret.asked", "dev@example.test"),
        ("secret.set", "dev@example.test"),
        ("secret.shown", "ada@example.test"),
    ]
    assert "an outage" in written[-1].reason
    query = f"WorkflowId STARTS_WITH 'secret-change/{acme}/'"
    histories = [
        (await temporal.get_workflow_handle(one.id).fetch_history()).to_json()
        async for one in temporal.list_workflows(query)
    ]
    everything = [done.text, *(one.text for one in told), str(written), *histories, caplog.text]
    assert not [text for text in everything if CANARY in text]


async def test_a_secret_is_not_set_while_it_is_rotated(
    acme: str, vault: SecretStore, world: World, sign_in: SignIn
) -> None:
    await asyncio.to_thread(vault.write, acme, PATH, {"password": "a"}, expected=0)
    await asyncio.to_thread(vault.note, acme, PATH, {"rotation": "r1", "active": "1"})
    order = {"path": PATH, "values": {"password": CANARY}}
    async with sign_in("dev") as dev:
        refused = await dev.post(f"/v1/secrets/{acme}/set", json=order)
    entry = await asyncio.to_thread(vault.describe, acme, PATH)

    assert (refused.status_code, entry.newest) == (409, 1)
    assert "is being rotated" in refused.json()["detail"]
    assert CANARY not in refused.text
    assert [fact.action for fact in facts(world, acme)] == ["secret.asked"]


async def test_a_secret_that_expires_is_listed_with_its_owner_until_it_is_said_not_to(
    acme: str, vault: SecretStore, world: World, sign_in: SignIn
) -> None:
    soon, late = (datetime.now(UTC) + timedelta(days=days) for days in (3, 90))
    where = f"/v1/secrets/{acme}"
    async with sign_in("dev") as dev, sign_in("viewer") as viewer:

        async def keep(path: str, **more: object) -> None:
            order = {"path": path, "values": {"value": CANARY}, **more}
            done = await dev.post(f"{where}/set", json=order)
            assert done.status_code == 200, done.text

        async def listed(**params: int) -> list[tuple[str, str]]:
            found = (await viewer.get(f"{where}/expiring", params=params)).json()["items"]
            return [(one["path"], one["owner"]) for one in found]

        await keep(PATH, expires=late.isoformat(), owner="owners")
        await keep("shop/development/smtp", expires=soon.isoformat())
        await keep("shop/development/plain")
        month, year = await listed(), await listed(within_days=365)
        await keep(PATH, reason="a new one")
        kept = await viewer.get(f"{where}/entry", params={"secret": PATH})
        await keep(PATH, neverExpires=True)
        none = await listed(within_days=365)

    smtp = ("shop/development/smtp", "")
    assert (month, year, none) == ([smtp], [smtp, (PATH, "owners")], [smtp])
    assert kept.json()["owner"] == "owners"
    assert kept.json()["expires"].startswith(late.isoformat()[:16])
