from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import text

from api.services import Services
from clients.kubernetes import Cluster, Kind
from clients.records import SqlRecords
from domain.records import FactBatch
from tests.integration.api.conftest import resource
from tests.unit.records.samples import a_fact, an_entry

SignIn = Callable[[str], httpx.AsyncClient]
RELEASES = Kind("choreo.dev/v1alpha1", "Release", "releases", namespaced=True)


@pytest.fixture
async def filled(services: Services, acme: str) -> SqlRecords:
    """Two deployments of web, one of a component of another project, and their facts."""
    records = services.database
    assert isinstance(records, SqlRecords)
    await records.append(
        FactBatch(
            facts=tuple(a_fact(f"s{number}", organization=acme) for number in range(3)),
            deployments=(
                an_entry("one", organization=acme, release="web-one", from_release=""),
                an_entry("two", organization=acme),
                an_entry("three", organization=acme, component="api", project="bank"),
            ),
        )
    )
    return records


async def test_history_is_shown_newest_first_and_in_pages(
    acme: str, filled: SqlRecords, dev: httpx.AsyncClient
) -> None:
    place = {"organization": acme, "component": "web"}
    page = (await dev.get("/v1/history", params={**place, "limit": 1})).json()
    rest = (
        await dev.get("/v1/history", params={**place, "limit": 1, "before": page["nextBefore"]})
    ).json()

    assert [one["release"] for one in (*page["items"], *rest["items"])] == ["web-two", "web-one"]
    assert page["items"][0]["fromRelease"] == "web-one"


async def test_what_differs_is_told_by_field(
    acme: str, filled: SqlRecords, dev: httpx.AsyncClient, cluster: Cluster
) -> None:
    for name, replicas in (("web-one", 1), ("web-two", 2)):
        deployment = {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web"},
            "spec": {"replicas": replicas},
        }
        spec = {
            "componentRef": "web",
            "environmentRef": "production",
            "namespace": "somewhere",
            "hash": name.encode().hex().ljust(64, "0"),
            "objects": [deployment],
        }
        await cluster.create(resource("Release", name, acme, spec))

    answer = await dev.get(
        "/v1/history/diff", params={"organization": acme, "from": "web-one", "to": "web-two"}
    )

    assert answer.status_code == 200, answer.text
    assert answer.json()["differences"] == [
        {"object": "Deployment/web", "field": "spec.replicas", "before": "1", "after": "2"}
    ]


async def test_a_release_that_is_not_kept_any_more_is_said_to_be_so(
    acme: str, filled: SqlRecords, dev: httpx.AsyncClient
) -> None:
    answer = await dev.get(
        "/v1/history/diff", params={"organization": acme, "from": "web-one", "to": "web-two"}
    )

    assert answer.json()["differences"] == []
    assert "not kept" in answer.json()["note"]


async def test_a_stranger_learns_nothing_of_history_and_audit(
    acme: str, filled: SqlRecords, sign_in: SignIn
) -> None:
    async with sign_in("stranger") as stranger:
        for path in ("/v1/history", "/v1/audit", "/v1/audit/export", "/v1/audit/verify"):
            answer = await stranger.get(path, params={"organization": acme})
            assert answer.status_code == 404, path


async def test_only_administrators_read_the_audit(
    acme: str, filled: SqlRecords, dev: httpx.AsyncClient, sign_in: SignIn
) -> None:
    for path in ("/v1/audit", "/v1/audit/export", "/v1/audit/verify"):
        assert (await dev.get(path, params={"organization": acme})).status_code == 403
    async with sign_in("ada") as ada:
        listed = (await ada.get("/v1/audit", params={"organization": acme})).json()
        own = await ada.get("/v1/audit", params={"organization": "-"})

    assert listed["items"][0]["action"] == "deployment.s2"
    assert own.status_code == 200
    assert (await dev.get("/v1/audit", params={"organization": "-"})).status_code == 403


async def test_an_export_holds_every_fact_oldest_first(
    acme: str, filled: SqlRecords, sign_in: SignIn
) -> None:
    async with sign_in("ada") as ada:
        lines = (await ada.get("/v1/audit/export", params={"organization": acme})).text
        events = await ada.get("/v1/audit/export", params={"organization": acme, "format": "cef"})

    assert [json.loads(line)["sequence"] for line in lines.splitlines()] == [1, 2, 3]
    assert events.text.count("CEF:0|") == 3


async def test_verifying_names_the_row_that_somebody_changed(
    acme: str, filled: SqlRecords, sign_in: SignIn
) -> None:
    async with sign_in("ada") as ada:
        before = (await ada.get("/v1/audit/verify", params={"organization": acme})).json()
        async with filled._database.engine.begin() as connection:
            await connection.execute(text("DROP TRIGGER audit_facts_no_update"))
            await connection.execute(
                text("UPDATE audit_facts SET body = replace(body, 'ada', 'eve') WHERE sequence = 2")
            )
        after = (await ada.get("/v1/audit/verify", params={"organization": acme})).json()

    assert (before["holds"], before["rows"]) == (True, 3)
    assert not after["holds"]
    assert [(one["sequence"], one["kind"]) for one in after["faults"]] == [(2, "changed")]


async def test_insights_are_counted_by_place_and_only_within_the_period(
    acme: str, services: Services, dev: httpx.AsyncClient
) -> None:
    records = services.database
    assert isinstance(records, SqlRecords)
    ended = datetime.now(UTC)
    times = {"started": ended - timedelta(seconds=20), "finished": ended}
    failed = {"phase": "Failed", "restored": True}
    entries = (
        an_entry("good", organization=acme, **times),
        an_entry("bad", organization=acme, **times, **failed),
        an_entry("elsewhere", organization=acme, component="api", project="bank", **times),
        an_entry("old", organization=acme),
    )
    await records.append(FactBatch(deployments=entries))

    found = (await dev.get("/v1/insights", params={"organization": acme})).json()

    bank, place = found["items"]
    assert (bank["project"], bank["changes"]) == ("bank", 1)
    assert (place["project"], place["changes"]) == ("shop", 2)
    assert place["changeFailureRate"] == 0.5
    assert place["timeToRestore"] == {"count": 1, "median": 20, "p90": 20}
    assert not found["truncated"]


async def test_period_of_insights_is_bounded(acme: str, dev: httpx.AsyncClient) -> None:
    answer = await dev.get("/v1/insights", params={"organization": acme, "days": 400})
    assert answer.status_code == 422
