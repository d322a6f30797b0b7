from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.worker import Worker

from domain import ids
from domain.deliveries.planes import FoundCapabilities, PlaneReport, PlaneRequest, PlaneWatch
from domain.errors import Denied, DependencyUnavailable
from domain.phases import Phase
from domain.records import FactBatch, Recorded
from tests.serving import own_client, served
from tests.workflows.conftest import World, a_release, workers
from tests.workflows.test_deployments import a_request
from tests.workflows.test_parking import until_parked
from workflows.common import calls
from workflows.planes.check import PlaneCheckWorkflow
from workflows.planes.starting import signal_plane_check
from workflows.registry import LANES
from workflows.starting import signal_deployment

pytestmark = pytest.mark.workflows


class PlaneWorld:
    """A plane whose watch ends as the test says, and the resource that tells of it."""

    def __init__(self) -> None:
        self.reports: list[PlaneReport] = []
        self.actions: list[str] = []
        self.watches: asyncio.Queue[Exception | None] = asyncio.Queue()
        self.declared = True
        self.asked = 0
        self.refusal: Exception | None = None
        self.told = asyncio.Condition()

    @activity.defn
    async def inspect_plane(self, _request: PlaneRequest) -> FoundCapabilities:
        self.asked += 1
        if self.refusal is not None:
            raise self.refusal
        return FoundCapabilities(kubernetes_version="v1.34.4")

    @activity.defn
    async def watch_plane(self, _request: PlaneWatch) -> None:
        ended = await self.watches.get()
        if ended is not None:
            raise ended

    @activity.defn
    async def report_plane(self, report: PlaneReport) -> bool:
        async with self.told:
            self.reports.append(report)
            self.told.notify_all()
        return self.declared

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        async with self.told:
            self.actions += [fact.action for fact in batch.facts]
            self.told.notify_all()
        return Recorded()

    async def reported(self, count: int) -> None:
        async with asyncio.timeout(60), self.told:
            await self.told.wait_for(lambda: len(self.reports) >= count)

    async def audited(self, action: str) -> None:
        async with asyncio.timeout(60), self.told:
            await self.told.wait_for(lambda: action in self.actions)

    @asynccontextmanager
    async def serving(self, client: Client) -> AsyncIterator[None]:
        own = await own_client(client)
        control: list[Any] = [self.report_plane, self.record]
        made = [
            Worker(own, task_queue=ids.LANES_QUEUE, workflows=LANES),
            Worker(own, task_queue=ids.CONTROL_QUEUE, activities=control),
            self.worker(own, "plane.here"),
        ]
        async with served(made):
            yield

    def worker(self, client: Client, queue: str) -> Worker:
        """Returns the worker of the plane."""
        here: list[Any] = [self.inspect_plane, self.watch_plane]
        return Worker(client, task_queue=queue, activities=here)


@pytest.fixture
async def plane(temporal: Client) -> AsyncIterator[PlaneWorld]:
    world = PlaneWorld()
    async with world.serving(temporal):
        yield world


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Planes are given moments to answer."""
    for options in (calls.PRESENCE, calls.WRITE):
        monkeypatch.setitem(options, "schedule_to_close_timeout", timedelta(seconds=2))


def a_plane(organization: str, queue: str) -> PlaneRequest:
    return PlaneRequest(
        organization=organization, plane="east", plane_kind="DataPlane", task_queue=queue
    )


async def test_a_plane_is_looked_at_again_whenever_its_watch_ends_until_it_is_not_declared(
    temporal: Client, plane: PlaneWorld, organization: str
) -> None:
    handle = await signal_plane_check(temporal, a_plane(organization, "plane.here"))
    await plane.reported(1)
    plane.watches.put_nowait(None)
    await plane.reported(2)
    plane.declared = False
    plane.watches.put_nowait(DependencyUnavailable("the connection broke"))

    await handle.result()

    assert [one.connected for one in plane.reports] == [True, True, True]
    assert plane.actions == ["plane.connected"]


async def test_a_worker_that_refuses_is_left_alone_for_a_while(
    temporal: Client, plane: PlaneWorld, organization: str
) -> None:
    plane.refusal = Denied("this plane does not serve you")
    handle = await signal_plane_check(temporal, a_plane(organization, "plane.here"))

    async with asyncio.timeout(90):
        while not await _timers(handle):  # noqa: ASYNC110 - a history tells nobody
            await asyncio.sleep(0.1)

    assert await _timers(handle) == [timedelta(minutes=10)]
    assert plane.asked == 2
    assert plane.reports[0].message == "this plane does not serve you"
    await handle.terminate()


async def _timers(handle: WorkflowHandle[Any, Any]) -> list[timedelta]:
    return [
        event.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
        async for event in handle.fetch_history_events()
        if event.HasField("timer_started_event_attributes")
    ]


async def test_a_plane_nobody_serves_is_told_by_name_and_a_new_queue_is_taken_at_once(
    temporal: Client, impatient: None, plane: PlaneWorld, organization: str
) -> None:
    handle = await signal_plane_check(temporal, a_plane(organization, "plane.east"))
    await plane.reported(1)

    assert not plane.reports[0].connected
    assert "plane east does not answer" in plane.reports[0].message
    await signal_plane_check(temporal, a_plane(organization, "plane.here"))
    await plane.reported(2)
    assert plane.reports[1].connected
    await plane.audited("plane.connected")
    await handle.cancel(reason="ada: moved")
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert plane.actions == ["plane.silent", "plane.connected", "plane-check.cancelled"]
    assert (await handle.query(PlaneCheckWorkflow.status)).phase is Phase.CANCELLED


async def test_a_new_queue_is_taken_before_it_is_known_whether_the_old_one_answers(
    temporal: Client, plane: PlaneWorld, organization: str
) -> None:
    handle = await signal_plane_check(temporal, a_plane(organization, "plane.east"))
    looking = await handle.query(PlaneCheckWorkflow.status)

    await signal_plane_check(temporal, a_plane(organization, "plane.here"))
    await plane.reported(1)

    assert looking.steps[0].started
    assert plane.reports[0].connected
    await plane.audited("plane.connected")
    plane.declared = False
    plane.watches.put_nowait(None)
    await handle.result()
    assert plane.actions == ["plane.connected"]


async def test_a_plane_that_is_silent_for_long_is_asked_anew_and_told_of_when_it_is_back(
    temporal: Client,
    plane: PlaneWorld,
    organization: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for options in (calls.PRESENCE, calls.UNTIL_BACK):
        monkeypatch.setitem(options, "schedule_to_close_timeout", timedelta(seconds=1))
    queue = f"plane.{organization}"
    handle = await signal_plane_check(temporal, a_plane(organization, queue))
    await plane.reported(2)
    silent = [one.connected for one in plane.reports]
    monkeypatch.undo()

    async with served([plane.worker(await own_client(temporal), queue)]):
        await plane.audited("plane.connected")
        plane.declared = False
        plane.watches.put_nowait(None)
        await handle.result()

    assert not any(silent)
    assert plane.actions == ["plane.silent", "plane.connected"]


async def test_a_cancel_while_a_silent_plane_is_waited_for_ends_the_looks(
    temporal: Client, impatient: None, plane: PlaneWorld, organization: str
) -> None:
    handle = await signal_plane_check(temporal, a_plane(organization, "plane.east"))
    await plane.audited("plane.silent")
    await handle.cancel(reason="ada: moved")
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert plane.actions == ["plane.silent", "plane-check.cancelled"]


async def test_a_plane_that_is_looked_after_for_long_is_told_once_that_it_answers(
    forgetful: Client, organization: str
) -> None:
    plane = PlaneWorld()
    async with plane.serving(forgetful):
        handle = await signal_plane_check(forgetful, a_plane(organization, "plane.here"))
        latest = forgetful.get_workflow_handle(handle.id)
        looks = 0
        async with asyncio.timeout(90):
            while (await latest.describe()).run_id == handle.first_execution_run_id:
                looks += 1
                plane.watches.put_nowait(None)
                await plane.reported(looks + 1)
        plane.declared = False
        plane.watches.put_nowait(None)
        await latest.result()

    assert plane.actions == ["plane.connected"]


async def test_a_silent_plane_that_is_not_declared_any_more_is_let_go(
    temporal: Client, impatient: None, plane: PlaneWorld, organization: str
) -> None:
    plane.declared = False

    await (await signal_plane_check(temporal, a_plane(organization, "plane.east"))).result()

    assert [one.connected for one in plane.reports] == [False]


async def test_a_deployment_to_a_silent_plane_parks_and_names_it(
    temporal: Client, impatient: None, world: World, organization: str
) -> None:
    async def prepare(request: Any) -> Any:
        return a_release(request, task_queue="plane.west")

    world.behaviours["prepare_release"] = prepare
    async with workers(temporal, world):
        handle = await signal_deployment(temporal, a_request(organization))
        parked = await until_parked(handle)
        await handle.terminate()

    assert parked.step == "apply"
    assert "plane west does not answer" in parked.message
