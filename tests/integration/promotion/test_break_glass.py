"""A role for a while over HTTP: asked for, agreed to, used, ended."""

from __future__ import annotations

import asyncio
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from clients.kubernetes import Cluster
from domain import ids
from tests.integration.promotion.lines import ACCESS, Line

pytestmark = pytest.mark.integration
ADA, DEV, VI = ({"Authorization": f"Bearer {who}"} for who in ("ada", "dev", "viewer"))
PATIENCE = 60


async def offers(plane: Cluster, line: Line, policy: dict[str, Any] | None) -> None:
    """Has the organization give roles for a while, to its developers and to Vi who only looks."""
    access = [*ACCESS, {"user": "viewer@example.test", "role": "viewer"}]
    spec = {"access": access} | ({"breakGlass": policy} if policy else {})
    organization = {
        "apiVersion": "choreo.dev/v1alpha1",
        "kind": "Organization",
        "metadata": {"name": line.name},
        "spec": spec,
    }
    await plane.apply(organization, manager="person")


async def holds(http: httpx.AsyncClient, line: Line, environment: str = "prod") -> int:
    """Has Vi hold what runs in an environment; returns how that was answered."""
    path = f"/v1/standings/{line.name}/web/{environment}/hold"
    return (await http.post(path, json={"reason": "wait"}, headers=VI)).status_code


async def test_a_role_is_used_once_another_agreed_and_no_longer_than_it_lasts(
    line: Line, plane: Cluster, http: httpx.AsyncClient
) -> None:
    await offers(plane, line, {"roles": ["developer"], "approval": {"groups": ["developers"]}})
    order = {"role": "developer", "environment": "prod", "reason": "the shop is down"}
    path = f"/v1/break-glass/{line.name}"
    assert await holds(http, line) == HTTPStatus.FORBIDDEN
    asked = await http.post(path, json=order, headers=VI)
    assert asked.status_code == HTTPStatus.ACCEPTED, asked.text
    again = await http.post(path, json=order, headers=VI)
    assert again.json()["id"] == asked.json()["id"]
    longer = await http.post(path, json={**order, "duration": "2h"}, headers=VI)
    assert longer.status_code == HTTPStatus.CONFLICT, longer.text
    assert "has another role for a while in prod, or asked for one" in longer.json()["detail"]
    assert await holds(http, line) == HTTPStatus.FORBIDDEN
    place = ids.break_glass_id(line.name, "viewer@example.test", "prod")
    approval = await line.asked_about(place)
    assert approval["asked"] == "give viewer@example.test the role developer in prod for 1h"
    own = await line.decide("viewer", approval)
    assert own.status_code == HTTPStatus.FORBIDDEN, own.text

    agreed = await line.decide("dev", approval)
    assert agreed.status_code == HTTPStatus.OK, agreed.text

    async with asyncio.timeout(PATIENCE):
        while not (items := (await http.get(path, headers=DEV)).json()["items"]):  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.1)
    assert [(one["user"], one["role"], one["approvedBy"]) for one in items] == [
        ("viewer@example.test", "developer", ["dev@example.test"])
    ]
    assert await holds(http, line) == HTTPStatus.OK
    assert await holds(http, line, "staging") == HTTPStatus.FORBIDDEN

    operation = f"/v1/operations/{asked.json()['id']}/cancel"
    kept = await http.post(operation, json={"reason": "over"}, headers=DEV)
    assert kept.status_code == HTTPStatus.FORBIDDEN, kept.text
    ended = await http.post(operation, json={"reason": "over"}, headers=ADA)
    assert ended.status_code == HTTPStatus.ACCEPTED, ended.text
    async with asyncio.timeout(PATIENCE):
        while (await http.get(path, headers=DEV)).json()["items"]:  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.1)
    assert await holds(http, line) == HTTPStatus.FORBIDDEN


async def test_who_has_a_role_may_give_it_back_and_nobody_elses(
    line: Line, plane: Cluster, http: httpx.AsyncClient
) -> None:
    await offers(plane, line, {"approval": {"groups": ["developers"]}})
    order = {"role": "developer", "environment": "prod", "reason": "the shop is down"}
    asked = await http.post(f"/v1/break-glass/{line.name}", json=order, headers=VI)
    operation = f"/v1/operations/{asked.json()['id']}"
    kept = await http.post(f"{operation}/cancel", json={}, headers=DEV)
    assert kept.status_code == HTTPStatus.FORBIDDEN, kept.text
    ended = await http.post(f"{operation}/cancel", json={"reason": "mended"}, headers=VI)
    assert ended.status_code == HTTPStatus.ACCEPTED, ended.text
    async with asyncio.timeout(PATIENCE):
        while (await http.get(operation, headers=VI)).json()["phase"] != "Cancelled":  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.1)


async def test_what_an_organization_does_not_offer_cannot_be_asked_for(
    line: Line, plane: Cluster, http: httpx.AsyncClient
) -> None:
    path = f"/v1/break-glass/{line.name}"
    order = {"role": "admin", "environment": "prod", "reason": "the shop is down"}
    await offers(plane, line, None)
    refused = await http.post(path, json=order, headers=VI)
    assert refused.status_code == HTTPStatus.FORBIDDEN, refused.text
    assert "gives nobody rights for a while" in refused.json()["detail"]
    await offers(plane, line, {"roles": ["developer"], "approval": {"groups": ["developers"]}})
    refused = await http.post(path, json=order, headers=VI)
    assert "the role admin is not given for a while" in refused.json()["detail"]
    stranger = {"Authorization": "Bearer stranger"}
    hidden = await http.post(path, json=order, headers=stranger)
    assert hidden.status_code == HTTPStatus.NOT_FOUND, hidden.text
