"""Promotions, sets, rollbacks and what is remembered, as people reach them over HTTP."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any, cast

import httpx
import pytest

from api.app import create_app
from api.services import Services
from clients.records import SqlRecords
from domain import ids
from domain.errors import DependencyUnavailable
from tests.integration.promotion.lines import Line
from tests.integration.promotion.test_promotion import to_prod

pytestmark = pytest.mark.integration
DEV, STRANGER = ({"Authorization": f"Bearer {who}"} for who in ("dev", "stranger"))


class Away:
    """A records database that does not answer."""

    def __getattr__(self, _name: str) -> Any:
        async def refuse(*_: object) -> None:
            raise DependencyUnavailable("the records are away")

        return refuse


async def get(http: httpx.AsyncClient, path: str) -> Any:
    answer = await http.get(path, headers=DEV)
    assert answer.status_code == HTTPStatus.OK, answer.text
    return answer.json()


async def test_a_set_is_promoted_rolled_back_and_let_in_again(
    line: Line, http: httpx.AsyncClient
) -> None:
    await to_prod(line, "web-a")
    await line.edit("dev", artifactRef="web-b")
    await line.runs("staging", "web-b")
    place, here = f"{line.name}/web/prod", {"component": "web", "environment": "prod"}
    order = {"organization": line.name, "name": "shop", "environment": "prod"}
    member = {"component": "web"}

    circle = [{"component": "web", "after": ["web"]}]
    refused = await http.post("/v1/sets", json={**order, "members": circle}, headers=DEV)
    assert refused.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, refused.text
    asked = await http.post("/v1/sets", json={**order, "members": [member]}, headers=DEV)
    assert asked.status_code == HTTPStatus.ACCEPTED, asked.text
    await line.approve("prod")
    await line.runs("prod", "web-b")
    handle = line.temporal.get_workflow_handle(ids.set_id(line.name, "shop", "prod"))
    await handle.result()
    found = await get(http, f"/v1/sets/{line.name}/shop/prod")
    assert (found["phase"], found["members"][0]["phase"]) == ("Succeeded", "Done")
    assert (await get(http, f"/v1/promotions/{place}"))["approvedBy"] == ["ada@example.test"]
    plan = await http.post(
        "/v1/promotions?dryRun=true", json={"organization": line.name, **here}, headers=DEV
    )
    assert plan.status_code == HTTPStatus.OK, plan.text
    assert plan.json()["nothingToDo"]
    assert {"approval", "apply", "rollout"} <= plan.json()["usualSeconds"].keys()

    back = {"organization": line.name, **here, "reason": "errors"}
    asked = await http.post("/v1/rollbacks", json=back, headers=DEV)
    assert asked.status_code == HTTPStatus.ACCEPTED, asked.text
    await line.runs("prod", "web-a")
    (held,) = (await get(http, f"/v1/standings?organization={line.name}"))["items"]
    assert [one["artifact"] for one in held["vetoes"]] == ["web-b"]

    lifted = {"hold": True, "veto": "web-b", "reason": "mended"}
    answer = await http.post(f"/v1/standings/{place}/lift", json=lifted, headers=DEV)
    assert (answer.json()["hold"], answer.json()["vetoes"]) == (None, [])
    assert (await get(http, f"/v1/standings?organization={line.name}"))["items"] == []


@pytest.mark.parametrize(
    "path", ["promotions/{}/web/prod", "sets/{}/shop/prod", "standings/{}/web/prod"]
)
async def test_strangers_see_nothing(line: Line, http: httpx.AsyncClient, path: str) -> None:
    answer = await http.get(f"/v1/{path.format(line.name)}", headers=STRANGER)
    assert answer.status_code == HTTPStatus.NOT_FOUND, answer.text


async def test_what_is_pinned_stays_whoever_asks_and_says_why(
    line: Line, http: httpx.AsyncClient
) -> None:
    await to_prod(line, "web-a")
    await line.edit("dev", artifactRef="web-b")
    await line.runs("staging", "web-b")
    path = f"/v1/standings/{line.name}/web/prod"
    ends = (datetime.now(UTC) + timedelta(days=7)).isoformat()
    nothing = await http.post(f"{path}/pin", json={"artifact": "web-x", "reason": "?"}, headers=DEV)
    assert nothing.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, nothing.text

    pinned = await http.post(f"{path}/pin", json={"reason": "audit", "until": ends}, headers=DEV)
    assert pinned.json()["pin"]["artifact"] == "web-a"
    handle = await line.promote("prod")
    status = await line.waits_in(handle, "gates")
    assert status.waiting_for is not None
    assert "pinned to web-a" in status.waiting_for.what
    assert "audit" in (await line.why("prod"))["gate pin"]
    way = await get(http, f"/v1/components/{line.name}/web/pipeline")
    assert {one["environment"]: one["held"] for one in way["stages"]}["prod"] == (
        "pinned to web-a: audit"
    )

    lifted = await http.post(f"{path}/lift", json={"pin": True, "reason": "done"}, headers=DEV)
    assert lifted.json()["pin"] is None
    await line.approve("prod")
    await handle.result()
    await line.runs("prod", "web-b")


async def test_without_the_records_it_is_told_what_is_known_and_what_could_not_be_looked_at(
    line: Line, services: Services
) -> None:
    await to_prod(line, "web-a")
    await line.edit("dev", artifactRef="web-b")
    await line.runs("staging", "web-b")
    await line.artifact("c", authors=["ada@example.test"])
    services.database = cast("SqlRecords", Away())
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as http:
        path = f"/v1/components/{line.name}/web/why/prod"
        told = await get(http, path)
        whole_way = await get(http, f"{path}?artifact=web-c")
        order = {"organization": line.name, "component": "web", "environment": "prod"}
        plan = await http.post("/v1/promotions?dryRun=true", json=order, headers=DEV)
        nonsense = await http.get(f"{path}?artifact=..", headers=DEV)

    assert told["notLookedAt"] == ["emergency stops: the records are away"]
    assert [(one["what"], one["environment"]) for one in told["obstacles"]] == [
        ("promotion", "prod"),
        ("approval", "prod"),
    ]
    order_gates = {
        one["environment"]: one["reason"]
        for one in whole_way["obstacles"]
        if one["what"] in {"gate order", "deployment"}
    }
    assert order_gates == {
        "prod": "staging runs web-b, not web-c",
        "staging": "dev runs web-b, not web-c",
        "dev": "dev runs web-b",
    }
    assert plan.status_code == HTTPStatus.OK, plan.text
    assert plan.json()["notLookedAt"] == ["how long it usually takes: the records are away"]
    assert plan.json()["approvers"] == ["ada@example.test", "dev@example.test"]
    assert nonsense.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, nonsense.text


async def test_a_plan_tells_who_agreed_by_now_and_whether_it_was_to_the_same(
    line: Line, http: httpx.AsyncClient
) -> None:
    await line.edit("dev", artifactRef="web-a")
    await line.runs("staging", "web-a")
    await line.ask("dev", "prod")
    asked = await line.asked("prod")
    order = {"organization": line.name, "component": "web", "environment": "prod"}
    plan = await http.post("/v1/promotions?dryRun=true", json=order, headers=DEV)
    assert plan.json()["approval"].endswith("; asked about exactly this")
    assert "0 of 1 approvals" in plan.json()["approval"]
    assert plan.json()["hash"] == asked["hash"]
    inbox = f"/v1/approvals?organization={line.name}"
    for mine in ("&mine", "&mine=true", "&mine=false"):
        assert (await http.get(inbox + mine, headers=DEV)).status_code == HTTPStatus.OK, mine
    another = {**order, "artifact": "web-b"}
    plan = await http.post("/v1/promotions?dryRun=true", json=another, headers=DEV)
    assert plan.json()["approval"].endswith("; asked about something else")


async def test_what_does_not_fit_is_told_before_it_is_asked_for(
    line: Line, http: httpx.AsyncClient
) -> None:
    await line.edit("dev", artifactRef="web-a")
    await line.runs("staging", "web-a")
    await line.apply("Environment", "prod", {"dataPlaneRef": "local", "quota": {"objects": 1}})
    async with asyncio.timeout(60):
        while "limits" not in (told := await line.why("prod")):  # noqa: ASYNC110 - over HTTP
            await asyncio.sleep(0.1)
    assert "web does not fit into prod" in told["limits"]
    order = {"organization": line.name, "component": "web", "environment": "prod"}
    plan = await http.post("/v1/promotions?dryRun=true", json=order, headers=DEV)
    assert plan.json()["refused"] == told["limits"]
