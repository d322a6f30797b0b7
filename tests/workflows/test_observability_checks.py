from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from domain import ids
from domain.deliveries.observing import AskedAs, Observer, Observers
from domain.deliveries.planes import ObservabilityRequest, ObservabilitySeen, PlaneReport
from domain.errors import Denied
from domain.records import FactBatch, Recorded
from tests.serving import own_client, served
from workflows.planes.starting import signal_observability_check
from workflows.registry import LANES

pytestmark = pytest.mark.workflows


class Measuring:
    """Systems that answer unless their address says otherwise, and what is told of them."""

    def __init__(self) -> None:
        self.observers: tuple[Observer, ...] = ()
        self.asked_as: list[AskedAs | None] = []
        self.reports: list[PlaneReport] = []
        self.actions: list[str] = []
        self.declared = True
        self._told = asyncio.Condition()

    @activity.defn
    async def find_observers(self, _request: ObservabilityRequest) -> Observers:
        return Observers(planes=self.observers)

    @activity.defn
    async def ask_observability(self, request: ObservabilityRequest) -> ObservabilitySeen:
        self.asked_as.append(request.asked_as)
        silent = "silent" in request.prometheus_url
        return ObservabilitySeen(connected=not silent, message="it is away" if silent else "")

    @activity.defn
    async def report_plane(self, report: PlaneReport) -> bool:
        async with self._told:
            self.reports.append(report)
            self._told.notify_all()
        return self.declared

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        self.actions += [fact.action for fact in batch.facts]
        return Recorded()

    async def told(self, count: int) -> PlaneReport:
        async with asyncio.timeout(60), self._told:
            await self._told.wait_for(lambda: len(self.reports) >= count)
        return self.reports[count - 1]


@pytest.fixture
async def measuring(temporal: Client) -> AsyncIterator[Measuring]:
    world, own = Measuring(), await own_client(temporal)
    control: list[Any] = [world.report_plane, world.record, world.find_observers]
    made = [
        Worker(own, task_queue=ids.LANES_QUEUE, workflows=LANES),
        Worker(own, task_queue=ids.CONTROL_QUEUE, activities=control),
        Worker(own, task_queue=ids.GATES_QUEUE, activities=[world.ask_observability]),
    ]
    async with served(made):
        yield world


async def test_what_measures_is_told_to_be_silent_and_to_answer_again_until_it_is_gone(
    temporal: Client, measuring: Measuring, organization: str
) -> None:
    def request(url: str) -> ObservabilityRequest:
        return ObservabilityRequest(organization=organization, plane="metrics", prometheus_url=url)

    handle = await signal_observability_check(temporal, request("http://one"))
    first = await measuring.told(1)
    await signal_observability_check(temporal, request("http://silent"))
    silent = await measuring.told(2)
    await signal_observability_check(temporal, request("http://two"))
    again = await measuring.told(3)
    measuring.declared = False
    await signal_observability_check(temporal, request("http://three"))
    async with asyncio.timeout(60):
        await handle.result()

    assert [one.connected for one in (first, silent, again)] == [True, False, True]
    assert (silent.plane_kind, silent.message) == ("ObservabilityPlane", "it is away")
    assert measuring.actions == ["plane.connected", "plane.silent", "plane.connected"]


async def test_the_workers_that_use_it_ask_and_one_that_cannot_is_not_its_fault(
    temporal: Client, measuring: Measuring, organization: str
) -> None:
    def request(tenant: str) -> ObservabilityRequest:
        return ObservabilityRequest(
            organization=organization,
            plane="metrics",
            prometheus_url="http://from-the-control-plane-it-is-silent",
            asked_as=AskedAs(credentials="_observability/metrics", tenant=tenant),
        )

    east, closed = (
        Observer(plane=name, task_queue=f"plane.{organization}-{name}")
        for name in ("east", "closed")
    )
    measuring.observers, own = (east, closed), await own_client(temporal)

    @activity.defn(name="ask_observability")
    async def from_there(asked: ObservabilityRequest) -> ObservabilitySeen:
        measuring.asked_as.append(asked.asked_as)
        refused = asked.asked_as is not None and asked.asked_as.tenant == "beta"
        return ObservabilitySeen(connected=not refused, message="403" if refused else "")

    @activity.defn(name="ask_observability")
    async def not_here(_: ObservabilityRequest) -> ObservabilitySeen:
        raise Denied("this worker serves others")

    made = [
        Worker(own, task_queue=east.task_queue, activities=[from_there]),
        Worker(own, task_queue=closed.task_queue, activities=[not_here]),
    ]
    async with served(made):
        handle = await signal_observability_check(temporal, request("acme"))
        well = await measuring.told(1)
        await signal_observability_check(temporal, request("beta"))
        refused = await measuring.told(2)
        measuring.observers = (closed,)
        await signal_observability_check(temporal, request("gamma"))
        nobody = await measuring.told(3)
        measuring.declared = False
        await signal_observability_check(temporal, request("delta"))
        async with asyncio.timeout(60):
            await handle.result()

    assert well.connected
    assert (refused.connected, refused.message) == (False, "asked by plane east: 403")
    assert (nobody.connected, nobody.message) == (False, "this worker serves others")
    assert [one.tenant for one in measuring.asked_as if one] == ["acme", "beta"]
