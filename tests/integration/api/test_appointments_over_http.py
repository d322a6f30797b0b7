"""Deployments that are ordered for later."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.integration.api.test_operations_over_http import asked, ended, order
from tests.workflows.conftest import World

SignIn = Callable[[str], httpx.AsyncClient]
PATH = "/v1/deployments"
KEY = {"Idempotency-Key": "night"}


def later(organization: str, wait: timedelta, **more: Any) -> dict[str, Any]:
    moment = (datetime.now(UTC) + wait).isoformat()
    return order(organization, environment="development", notBefore=moment, **more)


async def test_one_order_for_later_waits_for_a_place_and_is_taken_back(
    acme: str, dev: httpx.AsyncClient, world: World
) -> None:
    body = later(acme, timedelta(hours=1))
    first = await dev.post(PATH, json=body, headers=KEY)
    again = await dev.post(PATH, json=body, headers=KEY)
    another = await dev.post(PATH, json=later(acme, timedelta(hours=2)), headers=KEY)
    second = await dev.post(PATH, json=body)
    path = f"/v1/operations/{first.json()['id']}"
    async with asyncio.timeout(60):
        while not (shown := (await dev.get(path)).json())["waitingFor"]:  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.05)
    listed = await dev.get(f"/v1/operations?organization={acme}&kind=deploy-at")
    await dev.post(f"{path}/cancel", json={"reason": "not tonight"})
    done = await ended(dev, first.json()["id"])
    over = await dev.post(PATH, json=body, headers=KEY)

    assert (first.status_code, again.json()["id"]) == (202, first.json()["id"])
    assert (another.status_code, second.status_code) == (409, 409)
    assert f"operations show deploy-at/{acme}/web/development" in second.json()["advice"]
    assert datetime.fromisoformat(shown["waitingFor"]["until"]).isoformat() == body["notBefore"]
    assert listed.status_code == 200
    assert done["phase"] == "Cancelled"
    assert over.json()["id"] == first.json()["id"], "the same order, also when it is over"
    assert asked(world, "prepare_release", acme) == 0


async def test_what_cannot_be_ordered_for_later_is_refused_at_once(
    acme: str, dev: httpx.AsyncClient, sign_in: SignIn
) -> None:
    far = await dev.post(PATH, json=later(acme, timedelta(days=91)))
    before = datetime.now(UTC).isoformat()
    backwards = await dev.post(PATH, json=later(acme, timedelta(hours=1), expires=before))
    async with sign_in("viewer") as viewer:
        denied = await viewer.post(PATH, json=later(acme, timedelta(hours=1)))

    assert (far.status_code, backwards.status_code, denied.status_code) == (422, 422, 403)
    assert "more than 90 days away" in far.json()["detail"]
    assert "expires must be after notBefore" in backwards.text


async def test_a_moment_that_is_past_is_now(
    acme: str, dev: httpx.AsyncClient, world: World
) -> None:
    accepted = await dev.post(PATH, json=later(acme, -timedelta(minutes=1)))
    done = await ended(dev, accepted.json()["id"])

    assert (done["kind"], done["phase"]) == ("deploy", "Succeeded")
    assert asked(world, "prepare_release", acme) == 1
