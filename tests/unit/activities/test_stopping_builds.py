"""What stopping a build does when an earlier try of it died half-way."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest
from temporalio.testing import ActivityEnvironment

from activities.builds.runs import BuildRunActivities
from clients.kubernetes import Cluster, Kind, SharedWatches, WatchEvent
from clients.objects import ObjectStore
from clients.registry import Registry
from domain.deliveries import BuildPlan
from settings import Settings

pytestmark = pytest.mark.unit


class Plane:
    """A build plane with one Argo Workflow that has ended; nothing changes any more."""

    def __init__(self, spec: dict[str, Any]) -> None:
        nodes = {"web-1": {"type": "Pod"}}
        self._workflow = {
            "metadata": {"name": "web-1"},
            "spec": spec,
            "status": {"phase": "Failed", "nodes": nodes},
        }
        self.deleted: list[str] = []

    async def find(self, kind: Kind, name: str, namespace: str) -> dict[str, Any]:
        return self._workflow

    async def delete(self, kind: Kind, name: str, namespace: str) -> bool:
        self.deleted.append(f"{kind.kind}/{name}")
        return True

    def of(self, kind: Kind, **more: str) -> Plane:
        self.kind = kind
        return self

    @asynccontextmanager
    async def subscribe(self, predicate: object) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        yield self._nothing()

    async def synced(self) -> None:
        return

    async def _nothing(self) -> AsyncIterator[WatchEvent]:
        events: tuple[WatchEvent, ...] = ()
        for event in events:
            yield event


async def stopped(plane: Plane, objects: str) -> list[str]:
    runs = BuildRunActivities(
        cast("Cluster", plane),
        cast("SharedWatches", plane),
        ObjectStore.open(objects),
        Registry("http://registry.example", "registry.example"),
        Settings(),
    )
    plan = BuildPlan(
        organization="acme",
        project="shop",
        component="web",
        name="web-1",
        repository="https://git.example/acme/web.git",
        commit="a" * 40,
        image="registry.example/web",
        task_queue="plane.local",
    )
    await ActivityEnvironment().run(runs.stop_build, plan)
    return plane.deleted


async def test_a_second_try_removes_the_pod_of_a_build_the_first_one_stopped(tmp_path: Any) -> None:
    deleted = await stopped(Plane({"shutdown": "Terminate"}), tmp_path.as_uri())

    assert deleted == ["Pod/web-1"]


async def test_the_pod_of_a_build_that_ended_by_itself_is_left_for_its_log(tmp_path: Any) -> None:
    assert await stopped(Plane({}), tmp_path.as_uri()) == []
