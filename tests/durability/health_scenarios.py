"""Looks at an environment, and a schedule that is paused, while workers are killed."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any

from activities.common.kinds import platform
from clients.objects import ObjectStore, tail
from domain import ids
from domain.deliveries.logs import LogRequest
from domain.deliveries.planes import ObservabilityRequest
from domain.deliveries.schedules import ScheduleAct, ScheduleOrder
from domain.deliveries.sweeps import SweepRequest
from domain.deliveries.trees import TreeRequest
from domain.resources import Environment, ObservabilityPlane, parse_as
from tests.durability.audit import audit_of
from tests.durability.declared import COMPONENT
from tests.durability.place import BINDING, ENVIRONMENT, GOOD, PROJECT, Place
from tests.durability.scenario import Scenario
from tests.durability.state import State
from workflows.health.changes import ScheduleChangeWorkflow
from workflows.health.sweep import SweepWorkflow
from workflows.health.timetable import keep_sweeps
from workflows.looks.starting import begin_log, end_log
from workflows.looks.tree import TreeWorkflow
from workflows.planes.starting import signal_observability_check


class Sweep(Scenario):
    name = "sweep"
    is_undone_by_cancel = False

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        check = {"name": "front", "component": COMPONENT}
        health = {"everySeconds": 86400, "unhealthyAfter": 1, "checks": [check]}
        spec: dict[str, Any] = {"dataPlaneRef": "local", "health": health}
        await place.apply("Environment", ENVIRONMENT, spec)
        dark = {"status": {"url": "http://127.0.0.1:9"}}
        name = ids.binding_name(COMPONENT, ENVIRONMENT)
        await place.cluster.patch(BINDING, name, place.name, dark, "status")
        request = SweepRequest(organization=place.name, environment=ENVIRONMENT)
        place.remember(
            await place.client.start_workflow(
                SweepWorkflow.run,
                request,
                id=ids.sweep_id(place.name, ENVIRONMENT),
                task_queue=ids.ORCHESTRATION_QUEUE,
            )
        )
        await self._pause(place, spec)

    async def _pause(self, place: Place, spec: dict[str, Any]) -> None:
        metadata = {"name": ENVIRONMENT, "namespace": place.name}
        environment = parse_as(Environment, {"metadata": metadata, "spec": spec})
        await keep_sweeps(place.client, environment)
        order = ScheduleOrder(
            organization=place.name, schedule=ids.sweep_id(place.name, ENVIRONMENT),
            act=ScheduleAct.PAUSE, actor="ada", reason="a move", at=datetime.now(UTC),
        )  # fmt: skip
        place.remember(
            await place.client.start_workflow(
                ScheduleChangeWorkflow.run,
                order,
                id=ids.schedule_change_id(place.name, "pause"),
                task_queue=ids.ORCHESTRATION_QUEUE,
            )
        )

    def facts(self, state: State) -> None:
        told = [one["action"] for one in state["fact"]]
        assert told.count("health.changed") == told.count("schedule.paused") == 1
        assert any(one["result"].get("unhealthy") == ["check front"] for one in state["operation"])
        assert any(one["result"].get("changed") is True for one in state["operation"])


class Tree(Scenario):
    name = "tree"
    is_undone_by_cancel = False

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        request = TreeRequest(organization=place.name, component=COMPONENT, environment=ENVIRONMENT)
        place.remember(
            await place.client.start_workflow(
                TreeWorkflow.run,
                request,
                id=ids.tree_id(place.name, COMPONENT, ENVIRONMENT, "look"),
                task_queue=ids.ORCHESTRATION_QUEUE,
            )
        )

    def facts(self, state: State) -> None:
        (tree,) = (one["result"] for one in state["operation"] if "nodes" in one["result"])
        assert tree["health"] == "Healthy"
        assert "Deployment" in {one["kind"] for one in tree["nodes"]}


class Logs(Scenario):
    """Reads as the API does: until the copy is complete, then it says so."""

    name = "logs"
    is_undone_by_cancel = False

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        request = LogRequest(
            organization=place.name, project=PROJECT, component=COMPONENT,
            environment=ENVIRONMENT, look="one",
        )  # fmt: skip
        handle = await begin_log(place.client, request)
        place.remember(handle)
        store = ObjectStore.open((place.folder.parents[1] / "objects").as_uri())
        copy = ids.log_copy_key(place.name, "one")
        assert b"GET /" in b"".join([part async for part in tail(store, copy, follow=True)])
        await end_log(handle)
        await handle.result()
        assert await store.list(copy) == []

    def facts(self, state: State) -> None:
        assert [one["workflow"] for one in state["operation"]] == ["logs/web/dev/one"]


class Observability(Scenario):
    """What measures does not answer its plane, which is told once; then nobody declares it."""

    name = "observability check"
    is_undone_by_cancel = False

    async def act(self, place: Place) -> None:
        url = "http://127.0.0.1:9"
        await place.apply(ObservabilityPlane.kind, "metrics", {"prometheusUrl": url})
        await place.apply("DataPlane", "local", {"observabilityPlaneRef": "metrics"})
        request = ObservabilityRequest(organization=place.name, plane="metrics", prometheus_url=url)
        place.remember(await signal_observability_check(place.client, request))
        records = place.environment["PAVANE_RECORDS__URL"]
        while not (await audit_of(records, place.name))["fact"]:  # noqa: ASYNC110 - rows tell nobody
            await asyncio.sleep(0.2)
        await place.cluster.delete(platform(ObservabilityPlane.kind), "metrics", place.name)
        other = request.model_copy(update={"prometheus_url": "http://127.0.0.1:10"})
        place.remember(await signal_observability_check(place.client, other))

    def facts(self, state: State) -> None:
        assert [one["action"] for one in state["fact"]] == ["plane.silent"]
        assert [one["status"] for one in state["operation"]] == ["COMPLETED"]


HEALTH: tuple[Scenario, ...] = (Sweep(), Tree(), Logs(), Observability())
