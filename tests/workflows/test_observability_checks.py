from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from domain import ids
from domain.deliveries.planes import ObservabilityRequest, ObservabilitySeen, PlaneReport
from domain.records import FactBatch, Recorded
from tests.serving import own_client, served
from workflows.planes.starting import signal_observability_check
from workflows.registry import LANES

pytestmark = pytest.mark.workflows


class Measuring:
    """Systems that answer unless their address says otherwise, and what is told of them."""

    def __init__(self) -> None:
        self.reports: list[PlaneReport] = []
        self.actions: list[str] = []
        self.declared = True
        self._told = asyncio.Condition()

    @activity.defn
    async def ask_observability(self, request: ObservabilityRequest) -> ObservabilitySeen:
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
    control: list[Any] = [world.report_plane, world.record]
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
