from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.common.kinds import platform as kind_named
from activities.common.notices import NoticeActivities
from activities.health.looking import HealthActivities
from activities.health.planning import SweepActivities
from activities.health.schedules import ScheduleActivities
from activities.records.facts import RecordActivities
from api.services import Services
from clients.kubernetes import Cluster, SharedWatches
from clients.notifications import Notifier
from clients.records import SqlRecords
from clients.web import Probes, Prometheus, Web
from domain import ids
from domain.rendering import labels as names
from domain.resources import Environment, parse_as
from domain.resources.conditions import Reason
from tests.integration.api.conftest import resource
from tests.serving import own_client, served
from workflows.health.changes import ScheduleChangeWorkflow
from workflows.health.sweep import SweepWorkflow
from workflows.health.timetable import keep_sweeps

pytestmark = [pytest.mark.integration, pytest.mark.sampled]
Sign = Callable[[str], httpx.AsyncClient]
ENVIRONMENTS = kind_named("Environment")


@pytest.fixture
def temporal(own_temporal: Client) -> Client:
    """The workers here serve queues that other tests use as well."""
    return own_temporal


@pytest.fixture
async def looking(temporal: Client, services: Services, acme: str) -> AsyncIterator[None]:
    cluster = await services.cluster()
    watches = SharedWatches(cluster)
    dark = httpx.MockTransport(lambda _: httpx.Response(503))
    sweeps, schedules = SweepActivities(cluster), ScheduleActivities()
    records = services.records()
    assert isinstance(records, SqlRecords)
    control: list[Any] = [
        sweeps.plan_sweep,
        sweeps.record_health,
        schedules.change_schedule,
        schedules.drop_schedule,
        RecordActivities(records).record,
        NoticeActivities(Notifier()).send_notice,
    ]
    probes, prometheus = (
        Probes(Web(transport=dark)),
        Prometheus(Web(transport=httpx.MockTransport(measured))),
    )
    look = HealthActivities(watches, probes, prometheus).look_at_plane
    client = await own_client(temporal)
    flows = [SweepWorkflow, ScheduleChangeWorkflow]
    workers = [
        Worker(client, task_queue=ids.ORCHESTRATION_QUEUE, workflows=flows),
        Worker(client, task_queue=ids.CONTROL_QUEUE, activities=control),
        Worker(client, task_queue=f"plane.{acme}", activities=[look]),
    ]
    async with served(workers):
        yield
    await watches.close()


def measured(request: httpx.Request) -> httpx.Response:
    """A Prometheus that finds too many errors."""
    assert str(request.url) == "http://prometheus.example/api/v1/query"
    found = (
        [{"metric": {"app": "web"}, "value": [1.5, "7"]}] if b"errors" in request.content else []
    )
    return httpx.Response(200, json={"data": {"resultType": "vector", "result": found}})


async def declared(cluster: Cluster, organization: str) -> Environment:
    """A component that cannot get ready, as nothing runs pods here, and a check of it."""
    front = {"name": "front", "component": "web", "path": "/ping"}
    metrics = [{"name": name, "query": f"{name} > 1"} for name in ("errors", "latency")]
    health = {"everySeconds": 86400, "unhealthyAfter": 1, "checks": [front], "metrics": metrics}
    spec = {"dataPlaneRef": "east", "health": health}
    environment = resource("Environment", "production", organization, spec)
    binding = resource("ServiceBinding", "web-production", organization,
        {"componentRef": "web", "environmentRef": "production"})  # fmt: skip
    measures = resource("ObservabilityPlane", "measures", organization,
        {"prometheusUrl": "http://prometheus.example"})  # fmt: skip
    plane = resource("DataPlane", "east", organization,
        {"taskQueue": f"plane.{organization}", "observabilityPlaneRef": "measures"})  # fmt: skip
    for one in (environment, binding, measures, plane):
        await cluster.apply(one)
    status = {"status": {"releaseRef": "web-one", "url": "http://web.example"}}
    await cluster.patch(
        kind_named("ServiceBinding"), "web-production", organization, status, "status"
    )
    labels = {
        names.ORGANIZATION: organization,
        names.ENVIRONMENT: "production",
        names.COMPONENT: "web",
    }
    await cluster.apply(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "web", "namespace": organization, "labels": labels},
            "spec": {
                "selector": {"matchLabels": {names.COMPONENT: "web"}},
                "template": {
                    "metadata": {"labels": labels},
                    "spec": {"containers": [{"name": "main", "image": "example/web:1"}]},
                },
            },
        }
    )
    content = await cluster.get(ENVIRONMENTS, "production", organization)
    return parse_as(Environment, content)


async def told(cluster: Cluster, organization: str) -> dict[str, Any]:
    """Returns the status of the environment when somebody has looked at it."""
    async with asyncio.timeout(60):
        while True:
            found = await cluster.get(ENVIRONMENTS, "production", organization)
            status: dict[str, Any] = found.get("status") or {}
            told = [one for one in status.get("conditions", ()) if one["type"] == "Healthy"]
            # The intake of the stack says that nobody looked yet.
            if any(one["reason"] != Reason.NOT_LOOKED_AT for one in told):
                return status
            await asyncio.sleep(0.1)


async def test_an_administrator_has_an_environment_looked_at_and_its_status_says_what_is_unwell(
    acme: str, looking: None, temporal: Client, cluster: Cluster, sign_in: Sign
) -> None:
    await keep_sweeps(temporal, await declared(cluster, acme))
    path = f"/v1/schedules/{acme}/sweep/production"

    async with sign_in("ada") as ada:
        begun = await ada.post(f"{path}/trigger", json={"reason": "a look"})
        status = await told(cluster, acme)
        audit = (await ada.get("/v1/audit", params={"organization": acme})).json()["items"]

    assert begun.json()["changed"], begun.text
    assert {one["subject"]: one["healthy"] for one in status["health"]} == {
        "component web": False,
        "check front": False,
        "metric errors": False,
    }
    (condition,) = [one for one in status["conditions"] if one["type"] == "Healthy"]
    assert condition["reason"] == "Unhealthy"
    assert "http://web.example/ping answered 503" in condition["message"]
    assert "metric errors: app=web: 7" in condition["message"]
    actions = {one["action"] for one in audit}
    assert {"schedule.triggered"} <= actions


async def test_a_schedule_is_listed_and_paused_by_who_may_with_a_reason_only(
    acme: str, looking: None, temporal: Client, cluster: Cluster, sign_in: Sign
) -> None:
    await keep_sweeps(temporal, await declared(cluster, acme))
    path = f"/v1/schedules/{acme}/sweep/production"

    async with sign_in("ada") as ada, sign_in("dev") as dev, sign_in("stranger") as stranger:
        refused = await dev.post(f"{path}/pause", json={"reason": "no"})
        unseen = await stranger.get(f"/v1/schedules/{acme}")
        unexplained = await ada.post(f"{path}/pause", json={})
        unknown = await ada.post(
            f"/v1/schedules/{acme}/sweep/nowhere/pause", json={"reason": "a move"}
        )
        paused = await ada.post(f"{path}/pause", json={"reason": "a move"})
        again = await ada.post(f"{path}/pause", json={"reason": "another"})
        async with asyncio.timeout(60):
            while True:  # visibility follows
                items = (await dev.get(f"/v1/schedules/{acme}")).json()["items"]
                if items and items[0]["paused"]:
                    break
                await asyncio.sleep(0.1)

    assert (refused.status_code, unseen.status_code) == (403, 404)
    assert (unexplained.status_code, unknown.status_code) == (422, 404)
    assert (paused.json()["changed"], again.json()["changed"]) == (True, False)
    (listed,) = items
    assert (listed["id"], listed["kind"], listed["nextAt"]) == (
        f"sweep/{acme}/production", "sweep", None
    )  # fmt: skip
    assert listed["note"] == "paused by ada@example.test: a move"
