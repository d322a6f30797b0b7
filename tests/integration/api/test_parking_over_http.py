"""What a technical fault parked, and emergency stops, through the API with roles."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from temporalio.client import Client

from activities.guards.stops import StopActivities
from api.services import Services
from domain.errors import Errored
from tests.integration.api.conftest import resource
from tests.integration.api.test_operations_over_http import ended
from tests.workflows.conftest import World, workers

SignIn = Callable[[str], httpx.AsyncClient]


@pytest.fixture
async def world(temporal: Client, services: Services) -> AsyncIterator[World]:
    """Workers that play everything but the stops, which are the real ones."""
    world = World()
    records = services.records()
    stops = StopActivities(records)
    world.more = (stops.change_stop, stops.read_stops, stops.tell_flows)
    async with workers(temporal, world):
        yield world


async def parked(client: httpx.AsyncClient, operation_id: str) -> dict[str, Any]:
    async with asyncio.timeout(60):
        while True:
            found: dict[str, Any] = (await client.get(f"/v1/operations/{operation_id}")).json()
            if found["parked"]:
                return found
            await asyncio.sleep(0.05)


async def deployed(client: httpx.AsyncClient, organization: str) -> str:
    order = {"organization": organization, "component": "web", "environment": "development"}
    answer = await client.post("/v1/deployments", json=order)
    assert answer.status_code == 202, answer.text
    accepted: str = answer.json()["id"]
    return accepted


async def test_a_parked_operation_is_listed_and_decided_by_who_may(
    acme: str, dev: httpx.AsyncClient, world: World, sign_in: SignIn
) -> None:
    faults = 1

    async def fault(_: Any) -> None:
        nonlocal faults
        faults -= 1
        if faults >= 0:
            raise Errored("the plane does not let the platform in")

    world.behaviours["follow_rollout"] = fault
    operation = await deployed(dev, acme)
    shown = await parked(dev, operation)
    path = f"/v1/operations/{operation}/resolve"
    listed = (
        await dev.get("/v1/operations", params={"organization": acme, "phase": "Parked"})
    ).json()

    async with sign_in("viewer") as viewer:
        forbidden = await viewer.post(path, json={"choice": "retry", "reason": "it is mended"})
    skipped = await dev.post(path, json={"choice": "skip", "reason": "it runs well"})
    without = await dev.post(path, json={"choice": "retry", "reason": ""})
    useless = await dev.post(path, json={"choice": "fix", "reason": "another artifact"})
    retried = await dev.post(path, json={"choice": "retry", "reason": "it is mended"})
    done = await ended(dev, operation)
    late = await dev.post(path, json={"choice": "retry", "reason": "once more"})

    assert shown["parked"]["choices"] == ["retry", "skip", "fix", "compensate"]
    assert "a person to decide" in shown["waitingFor"]["what"]
    assert [one["id"] for one in listed["items"]] == [shown["id"]]
    codes = [one.status_code for one in (forbidden, skipped, without, useless, retried, late)]
    assert codes == [403, 403, 422, 422, 200, 409]
    assert "needs what to change" in useless.json()["detail"]
    assert done["phase"] == "Succeeded"
    facts = [
        fact for name, given in world.calls if name == "record_deployment" for fact in given.facts
    ]
    (resolved,) = [fact for fact in facts if fact.action == "deployment.resolved"]
    assert (resolved.actor, resolved.reason) == ("dev@example.test", "it is mended")


async def test_only_who_administers_a_place_stops_it_and_everybody_in_it_sees_it(
    acme: str, dev: httpx.AsyncClient, world: World, sign_in: SignIn
) -> None:
    order = {"organization": acme, "reason": "the database is on fire"}
    refused = await dev.post("/v1/stops", json=order)
    async with sign_in("ada") as ada:
        typo = await ada.post("/v1/stops", json={**order, "environment": "producton"})
        stopped = await ada.post("/v1/stops", json=order)
        again = await ada.post("/v1/stops", json=order)
        seen = (await dev.get("/v1/stops", params={"organization": acme})).json()["items"]
        resumed = await ada.post("/v1/stops/resume", json={**order, "reason": "it is out"})
        facts = (await ada.get("/v1/audit", params={"organization": acme})).json()["items"]
    async with sign_in("stranger") as stranger:
        hidden = await stranger.get("/v1/stops", params={"organization": acme})

    assert (refused.status_code, typo.status_code, hidden.status_code) == (403, 404, 404)
    assert stopped.json()["changed"]
    assert not again.json()["changed"]
    assert [(one["place"], one["actor"]) for one in seen] == [
        (f"organization {acme}", "ada@example.test")
    ]
    assert resumed.json()["changed"]
    assert [one["action"] for one in reversed(facts)] == [
        "emergency.stopped",
        "emergency.stopped",
        "emergency.resumed",
    ]


async def test_an_environment_of_an_organization_can_be_stopped(
    acme: str, world: World, sign_in: SignIn
) -> None:
    async with sign_in("ada") as ada:
        await ada.post(
            "/v1/apply", json=resource("Environment", "production", acme, {"dataPlaneRef": "local"})
        )
        order = {"organization": acme, "environment": "production", "reason": "a bad night"}
        stopped = await ada.post("/v1/stops", json=order)

    assert stopped.json()["place"] == f"environment production of {acme}"
