"""A leak in a project: a plan, one confirmation, everything turned over, strangers cut off."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.worker import Worker

from activities.secrets import rotations
from activities.secrets.paths import SecretPathActivities
from activities.secrets.rotations import RotationActivities
from clients.databases import DatabaseRoles
from clients.vault import SecretStore
from clients.vault.approles import AppRoles
from devstack.core.signing import ROLE as ROTATOR
from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.leaks import (
    Confirmation,
    LeakReport,
    LeakRequest,
    LeakResources,
    LeakRotation,
)
from domain.deliveries.rotations import RotationPlan, RotationRequest
from domain.secrets import leaks
from tests.integration.secrets.shop import (
    ADMIN,
    CANARY,
    PATH,
    STEPS,
    UNDOS,
    Around,
    Database,
    SessionOf,
    in_step,
    nothing_leaked,
    until,
)
from tests.serving import own_client, served
from workflows.leaks.response import LeakResponseWorkflow
from workflows.leaks.starting import confirm_leak, start_leak_response
from workflows.secrets.rotation import RotationWorkflow
from workflows.secrets.starting import start_rotation

pytestmark = [pytest.mark.integration, pytest.mark.sampled]

Handle = WorkflowHandle[LeakResponseWorkflow, LeakReport]
WORD = "shop/production/word"
PLACE = {"db": PATH, "word": WORD}


class Resources(Around):
    """Two SecretRotations: one of the database, one of a value that nobody checks."""

    def __init__(self, shop: Database, plane: str) -> None:
        self._planes = (plane,)
        self.quiet = 0
        super().__init__(
            shop,
            RotationPlan(organization=shop.organization, rotation="db", path=PATH, engine=""),
        )

    @activity.defn
    async def plan_rotation(self, request: RotationRequest) -> RotationPlan:
        target = self._shop.target if request.rotation == "db" else {"engine": "KV"}
        return RotationPlan(
            organization=request.organization,
            rotation=request.rotation,
            path=PLACE[request.rotation],
            planes=self._planes,
            quiet_seconds=0 if request.leaked else self.quiet,
            destroy_after_seconds=1,
            leaked=request.leaked,
            **target,
        )

    @activity.defn
    async def read_leak(self, _request: LeakRequest) -> LeakResources:
        return LeakResources(
            rotations=tuple(LeakRotation(name=name, path=path) for name, path in PLACE.items()),
            planes=self._planes,
        )

    def all(self) -> list[Any]:
        own = {*vars(Around), *vars(type(self))} - {"all"}
        return [getattr(self, name) for name in own if not name.startswith("_")]


@asynccontextmanager
async def serving(
    temporal: Client, shop: Database, session_of: SessionOf
) -> AsyncIterator[tuple[Client, Resources]]:
    """Serves all queues, with the real steps on the real targets."""
    client = await own_client(temporal)
    plane, session = f"test-{uuid4().hex[:8]}", session_of(ROTATOR)
    around, store = Resources(shop, plane), SecretStore(session)
    real = RotationActivities(store, AppRoles(session), DatabaseRoles())
    steps = [getattr(real, name) for name in (*STEPS, *UNDOS)]
    flows = [RotationWorkflow, LeakResponseWorkflow]
    own = [*steps, SecretPathActivities(store).list_secrets]
    workers = [
        Worker(client, task_queue=ids.LANES_QUEUE, workflows=flows),
        Worker(client, task_queue=plane, activities=around.all()),
        Worker(client, task_queue=ids.CONTROL_QUEUE, activities=around.all()),
        Worker(client, task_queue=ids.SECRETS_QUEUE, activities=own),
    ]
    await shop.keep(WORD, {"value": f"{CANARY}-word"})
    async with served(workers):
        yield client, around


async def reported(client: Client, shop: Database) -> tuple[Handle, LeakReport]:
    """Somebody reports it; returns it when there is a plan."""
    request = LeakRequest(
        organization=shop.organization,
        project="shop",
        reason="a laptop was stolen",
        trigger=Trigger(actor="ada"),
    )
    handle = await start_leak_response(client, request)
    async with asyncio.timeout(60):
        while True:
            found: LeakReport = await handle.query(LeakResponseWorkflow.report)
            if found.awaits_confirmation:
                return handle, found
            await asyncio.sleep(0.05)


async def failed(handle: Handle) -> str:
    with pytest.raises(WorkflowFailureError) as error:
        await handle.result()
    return str(error.value.cause)


async def test_what_leaked_is_replaced_and_who_holds_it_is_cut_off_after_one_confirmation(
    own_temporal: Client,
    database: Database,
    session_of: SessionOf,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rotations, "LONGEST_USE", leaks.QUIET / 5)
    first = dict(database.held)
    stranger = await database.connect(first["username"], first["password"])
    async with serving(own_temporal, database, session_of) as (client, _):
        handle, seen = await reported(client, database)
        await confirm_leak(handle, Confirmation(plan=seen.plan.hash, actor="ben"))
        ended = await failed(handle)
        found: LeakReport = await handle.query(LeakResponseWorkflow.report)
        await nothing_leaked(handle, database)
    await database.log_in()

    assert [(one.path, one.outcome, one.before, one.version) for one in found.secrets] == [
        (PATH, "Replaced", 1, 2),
        (WORD, "Replaced", 1, 2),
    ]
    # Nothing can turn over what has no SecretRotation: that is told, not passed over.
    assert [one.path for one in found.plan.by_hand] == [ADMIN]
    assert ADMIN in ended
    assert (found.reported_by, found.confirmed_by) == ("ada", "ben")
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await stranger.fetchval("SELECT 1")
    assert await database.accepts(first)
    database.kept_its_promises()
    facts = [(one.action, one.actor) for one in database.facts if one.action.startswith("leak")]
    assert facts == [("leak.reported", "ada"), ("leak.confirmed", "ben"), ("leak.answered", "ada")]


async def test_only_the_plan_that_a_person_saw_is_carried_out(
    own_temporal: Client, database: Database, session_of: SessionOf
) -> None:
    async with serving(own_temporal, database, session_of) as (client, _):
        handle, seen = await reported(client, database)
        await database.keep("shop/production/new", {"value": f"{CANARY}-new"})
        with pytest.raises(WorkflowUpdateFailedError) as refused:
            await confirm_leak(handle, Confirmation(plan=seen.plan.hash, actor="ben"))
        now: LeakReport = await handle.query(LeakResponseWorkflow.report)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    entry = await asyncio.to_thread(database.store.describe, database.organization, PATH)

    assert "is another now" in str(refused.value.cause)
    assert "shop/production/new" in [one.path for one in now.plan.by_hand]
    assert now.awaits_confirmation
    assert (entry.newest, entry.rotation) == (1, "")
    assert database.failures == []


async def test_a_response_that_is_stopped_keeps_what_it_replaced_and_undoes_the_rest(
    own_temporal: Client, database: Database, session_of: SessionOf
) -> None:
    first = dict(database.held)
    stranger = await database.connect(first["username"], first["password"])
    async with serving(own_temporal, database, session_of) as (client, _):
        handle, seen = await reported(client, database)
        await confirm_leak(handle, Confirmation(plan=seen.plan.hash, actor="ben"))
        async with asyncio.timeout(60):
            while "Replaced" not in [one.outcome for one in seen.secrets]:
                seen = await handle.query(LeakResponseWorkflow.report)
                await asyncio.sleep(0.05)
        rotation = client.get_workflow_handle(ids.rotation_id(database.organization, "db"))
        await until(rotation, in_step("observe"))
        await handle.cancel(reason="ada: a false alarm")
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        found: LeakReport = await handle.query(LeakResponseWorkflow.report)
        undone = (await rotation.describe()).status
    await database.log_in()
    stranger.terminate()

    assert [one.outcome for one in found.secrets] == ["Failed", "Replaced"]
    assert found.secrets[0].message == "stopped by a person"
    assert undone is WorkflowExecutionStatus.CANCELED
    assert (database.held, await database.count_valid()) == (first, 1)
    database.kept_its_promises()


async def test_a_rotation_that_goes_its_usual_way_gives_way_to_a_leak(
    own_temporal: Client, database: Database, session_of: SessionOf
) -> None:
    async with serving(own_temporal, database, session_of) as (client, resources):
        resources.quiet = 3000
        asked = RotationRequest(organization=database.organization, rotation="db")
        usual = await start_rotation(client, asked)
        await until(usual, in_step("observe"))
        handle, seen = await reported(client, database)
        await confirm_leak(handle, Confirmation(plan=seen.plan.hash, actor="ben"))
        await failed(handle)
        found: LeakReport = await handle.query(LeakResponseWorkflow.report)
    entry = await asyncio.to_thread(database.store.describe, database.organization, PATH)

    assert [one.outcome for one in found.secrets] == ["Replaced", "Replaced"]
    assert [one.number for one in entry.versions if one.is_readable] == [entry.active] == [3]
    database.kept_its_promises()
