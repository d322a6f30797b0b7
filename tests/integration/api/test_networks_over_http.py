"""Who may call whom, over HTTP: the answer, the rule that decides, and who may ask."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from tests.integration.api.conftest import component, resource

SignIn = Callable[[str], httpx.AsyncClient]
pytestmark = pytest.mark.integration


async def declare(acme: str, sign_in: SignIn) -> None:
    """Component ``web`` calls ``billing``, which calls nobody."""
    ends = [
        resource(
            "Workload",
            name,
            acme,
            {"componentRef": name, "endpoints": [{"name": "http", "port": 8080}]},
        )
        for name in ("web", "billing")
    ]
    target = {"componentRef": "billing"}
    declared = [
        resource("DataPlane", "local", acme, {}),
        resource("Environment", "development", acme, {"dataPlaneRef": "local"}),
        resource("ServiceClass", "standard-service", acme, {}),
        component(acme, "billing"),
        *ends,
        resource("Connection", "billing", acme, {"componentRef": "web", "target": target}),
    ]
    async with sign_in("ada") as admin:
        answer = await admin.post("/v1/apply", json=declared)
        assert answer.status_code == HTTPStatus.OK, answer.text


async def asked(client: httpx.AsyncClient, path: str, **more: str) -> Any:
    answer = await client.get(f"/v1/network/{path}", params=more)
    assert answer.status_code == HTTPStatus.OK, answer.text
    return answer.json()


async def test_a_declared_call_is_allowed_and_the_way_back_says_what_to_do(
    acme: str, sign_in: SignIn, dev: httpx.AsyncClient
) -> None:
    await declare(acme, sign_in)
    place = {"environment": "development"}

    there = await asked(dev, f"{acme}/can", source="web", target="billing", **place)
    back = await asked(dev, f"{acme}/can", source="billing", target="web", **place)
    outside = await asked(dev, f"{acme}/can", source="web", target="192.0.2.1", **place)
    matrix = await asked(dev, f"{acme}/matrix", **place)

    (yes,), (no,), (closed,) = there["items"], back["items"], outside["items"]
    assert (yes["allowed"], yes["endpoint"], yes["basis"]) == (True, "http", "declared")
    assert yes["reasons"][0] == "NetworkPolicy/web, rule 2 out, opens the way out of web"
    assert (no["allowed"], no["hint"]) == (False, "declare a Connection of billing to web.http")
    assert closed["allowed"] is False
    assert [(one["source"], one["target"]) for one in matrix["items"]] == [("web", "billing")]


async def test_the_graph_tells_who_breaks_and_what_is_not_resolved(
    acme: str, sign_in: SignIn, dev: httpx.AsyncClient
) -> None:
    await declare(acme, sign_in)
    gone = {"componentRef": "billing", "target": {"componentRef": "ledger"}}
    answer = await dev.post("/v1/apply", json=resource("Connection", "ledger", acme, gone))
    assert answer.status_code == HTTPStatus.OK, answer.text

    graph = await asked(dev, f"{acme}/graph", project="shop")

    nodes = {one["component"]: one for one in graph["components"]}
    assert nodes["billing"]["brokenWithout"] == ["web"]
    states = {one["connection"]: one["state"] for one in graph["connections"]}
    assert states == {"billing": "Found", "ledger": "Missing"}
    assert graph["cycles"] == []


async def test_whoever_has_no_part_in_it_learns_nothing(acme: str, sign_in: SignIn) -> None:
    await declare(acme, sign_in)
    async with sign_in("stranger") as stranger:
        paths = ("graph", "matrix?environment=development")
        answers = [await stranger.get(f"/v1/network/{acme}/{path}") for path in paths]
        question = {"source": "web", "target": "billing", "environment": "development"}
        answers.append(await stranger.get(f"/v1/network/{acme}/can", params=question))
    assert {one.status_code for one in answers} == {HTTPStatus.NOT_FOUND}
