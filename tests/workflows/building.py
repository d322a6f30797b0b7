"""Builds that run until a test lets them go, and the lane they queue in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from temporalio import activity
from temporalio.client import (
    Client,
    WorkflowHandle,
)
from temporalio.service import RPCError

from domain import ids
from domain.deliveries import BuildLane, BuildRequest, OperationStatus, Trigger, TriggerKind
from workflows.builds.build import BuildWorkflow
from workflows.builds.lane import BuildLaneWorkflow
from workflows.starting import start_build

if TYPE_CHECKING:  # the fixtures there make what is here
    from tests.workflows.conftest import World

Handle = WorkflowHandle[Any, Any]


class Building:
    """Builds that run until the test lets them go, and what was seen of them."""

    def __init__(self, client: Client, world: World, organization: str) -> None:
        self.client = client
        self.world = world
        self.organization = organization
        self.running: list[str] = []
        self.most = 0
        self.order: list[str] = []
        self._gates: dict[str, asyncio.Event] = {}
        self._handles: list[Handle] = []
        world.behaviours["follow_build"] = self._follow

    async def _follow(self, request: Any) -> None:
        name = name_of(request.plan.commit)
        if name not in self.order:
            self.order.append(name)
        self.running.append(name)
        self.most = max(self.most, len(self.running))
        gate = self._gates.setdefault(name, asyncio.Event())
        try:
            while not gate.is_set():
                await _beat()
        finally:
            self.running.remove(name)

    async def start(
        self, name: str, component: str = "web", *, person: bool = True, branch: str = ""
    ) -> Handle:
        kind = TriggerKind.API if person else TriggerKind.WEBHOOK
        request = BuildRequest(
            organization=self.organization,
            component=component,
            commit=commit_of(name),
            branch=branch,
            trigger=Trigger(kind=kind),
        )
        started = await start_build(self.client, request)
        handle = self.client.get_workflow_handle(started.workflow_id, run_id=started.run_id)
        self._handles.append(handle)
        return handle

    async def clean_up(self) -> None:
        """Leaves nothing open that the workers of the next test would go on with."""
        for handle in (*self._handles, self.lane):
            with suppress(RPCError):
                await handle.terminate("the test is over")

    def finish(self, *names: str) -> None:
        for name in names:
            self._gates.setdefault(name, asyncio.Event()).set()

    async def until_running(self, *names: str) -> None:
        await until(lambda: sorted(self.running) == sorted(names))

    async def until_begun(self, count: int) -> None:
        await until(lambda: len(self.order) >= count)

    @property
    def lane(self) -> Handle:
        return self.client.get_workflow_handle(ids.build_lane_id(self.organization))

    async def until_lane(self, holds: Callable[[BuildLane], bool]) -> BuildLane:
        async with asyncio.timeout(30):
            while True:
                try:
                    lane = await self.lane.query(BuildLaneWorkflow.lane)
                except RPCError:
                    lane = BuildLane(organization=self.organization)
                if holds(lane):
                    return lane
                await asyncio.sleep(0.02)

    async def until_lane_is_not(self, run_id: str) -> None:
        async with asyncio.timeout(30):
            while True:
                if (await self.lane.describe()).run_id != run_id:
                    return
                await asyncio.sleep(0.02)

    async def until_waiting(self, count: int) -> BuildLane:
        return await self.until_lane(lambda lane: len(lane.waiting) == count)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while True:
            if holds():
                return
            await asyncio.sleep(0.02)


async def _beat() -> None:
    activity.heartbeat()
    await asyncio.sleep(0.03)


def commit_of(name: str) -> str:
    return name.encode().hex().ljust(40, "0")[:40]


def name_of(commit: str) -> str:
    return bytes.fromhex(commit).rstrip(b"\0").decode()


async def queued(handle: Handle, place: str = "") -> OperationStatus:
    """Returns the status once the build shows that it waits, at that place."""
    async with asyncio.timeout(30):
        while True:
            status: OperationStatus = await handle.query(BuildWorkflow.status)
            waits = status.waiting_for
            if waits and waits.what.startswith(f"a build slot: {place}"):
                return status
            await asyncio.sleep(0.02)


@asynccontextmanager
async def builds(client: Client, world: World, organization: str) -> AsyncIterator[Building]:
    building = Building(client, world, organization)
    try:
        yield building
    finally:
        await building.clean_up()
