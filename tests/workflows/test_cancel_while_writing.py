"""What is written down is written to the end; the cancel that came meanwhile is heeded then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError

from domain.deliveries import ApprovalRule
from domain.deliveries.promotions import StepRules
from domain.deliveries.secrets import SecretChange
from domain.records import FactBatch, Recorded
from tests.workflows.conftest import World, workers
from tests.workflows.promoting import Line
from tests.workflows.rotating import PATH, Rotating
from workflows.secrets.starting import start_change

pytestmark = pytest.mark.workflows
APPROVAL = StepRules(approval=ApprovalRule())


class Pen:
    """Holds what is written down until the test has done something meanwhile."""

    def __init__(self) -> None:
        self.awaited = ""
        """The fact that is held; empty = none."""
        self.reached = asyncio.Event()
        self.goes_on = asyncio.Event()

    def holds(self, action: str) -> None:
        self.awaited = action

    async def writes(self, batch: FactBatch) -> None:
        if self.awaited in [fact.action for fact in batch.facts]:
            self.reached.set()
            await self.goes_on.wait()

    async def cancelled_meanwhile(self, handle: WorkflowHandle[Any, Any]) -> None:
        """Cancels while it is written down, and returns when the procedure has ended so."""
        async with asyncio.timeout(90):
            await self.reached.wait()
            await handle.cancel(reason="bob: it was nothing")
            await handle.query("__temporal_workflow_metadata")  # answered when the cancel was seen
            self.goes_on.set()
            with pytest.raises(WorkflowFailureError) as ended:
                await handle.result()
        assert isinstance(ended.value.cause, CancelledError)


class WrittenLine(Line):
    """A pipeline whose facts are written down slowly."""

    def __init__(self, client: Client, organization: str) -> None:
        super().__init__(client, organization)
        self.pen = Pen()

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        if any(fact.organization == self.organization for fact in batch.facts):
            await self.pen.writes(batch)
        return await self.keep(batch)


class WrittenRotating(Rotating):
    """Secrets about which facts are written down slowly."""

    def __init__(self, client: Client, keys: Path, organization: str) -> None:
        super().__init__(client, keys, organization)
        self.pen = Pen()

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        await self.pen.writes(batch)
        self.facts += batch.facts
        return Recorded(facts=len(batch.facts))


@pytest.fixture
async def line(temporal: Client, world: World, organization: str) -> AsyncIterator[WrittenLine]:
    line = WrittenLine(temporal, organization)
    async with workers(temporal, world, line):
        yield line


@pytest.fixture
async def rotating(
    temporal: Client, tmp_path: Path, organization: str
) -> AsyncIterator[WrittenRotating]:
    world = WrittenRotating(temporal, tmp_path, organization)
    async with world.serving():
        yield world


async def test_nobody_is_asked_about_a_promotion_that_was_cancelled_by_then(
    line: WrittenLine,
) -> None:
    line.rules = APPROVAL
    line.pen.holds("promotion.requested")
    handle = await line.promote()

    await line.pen.cancelled_meanwhile(handle)

    assert line.told() == ["promotion.requested", "promotion.cancelled"]
    events = (await handle.fetch_history()).events
    assert not any(one.HasField("start_child_workflow_execution_initiated_event_attributes")
                   for one in events)  # fmt: skip


async def test_a_promotion_that_is_written_down_gives_way_to_a_newer_one(
    line: WrittenLine,
) -> None:
    line.rules = APPROVAL
    line.pen.holds("promotion.requested")
    handle = await line.promote("one", artifact="web-a")
    async with asyncio.timeout(90):
        await line.pen.reached.wait()
        line.rules = StepRules()
        line.source = line.source.model_copy(update={"artifact": "web-b"})
        line.release = ""
        await line.promote("two", artifact="web-b")
        await line.queued(handle, "two")
        line.pen.goes_on.set()
        promotion = await handle.result()

    assert (promotion.request_id, promotion.artifact) == ("two", "web-b")


async def test_a_watch_goes_on_no_longer_than_the_cancel_that_came_while_the_next_one_was_told(
    line: WrittenLine,
) -> None:
    line.rules = StepRules(watch_seconds=86_400)
    line.health.clear()
    line.pen.holds("promotion.denied")
    handle = await line.promote("one", artifact="web-a")
    await line.waits_for(handle, "verify")
    line.source = line.source.model_copy(update={"artifact": "web-b"})
    line.release, line.problem = "", "it names no image"
    await line.promote("two", artifact="web-b")

    await line.pen.cancelled_meanwhile(handle)

    ended = line.facts[-1]
    assert (ended.action, ended.actor, ended.reason) == (
        "promotion.watch-ended",
        "bob",
        "it was nothing",
    )


async def test_a_value_is_brought_to_nobody_when_that_was_cancelled_by_then(
    rotating: WrittenRotating, organization: str
) -> None:
    change = SecretChange(
        organization=organization, path=PATH, action="secret.set", version=2, delivers=True
    )
    rotating.pen.holds("secret.set")
    handle = await start_change(rotating.client, change, "set")

    await rotating.pen.cancelled_meanwhile(handle)

    assert rotating.did == []
    told = [(one.action, one.actor, one.reason) for one in rotating.facts]
    assert told[1:] == [("secret.delivery-cancelled", "bob", "it was nothing")]
