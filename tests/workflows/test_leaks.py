"""A response to a leak that nobody confirms, and planes that do not answer."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.worker import Worker

from domain import ids
from domain.deliveries.leaks import (
    LeakReport,
    LeakRequest,
    LeakResources,
    LeakRotation,
    ListSecrets,
    SecretPaths,
)
from domain.records import FactBatch, Recorded
from tests.serving import own_client, served
from workflows.leaks.response import LeakResponseWorkflow
from workflows.leaks.starting import start_leak_response

pytestmark = pytest.mark.workflows
SILENT = f"plane.silent-{uuid4().hex[:8]}"


class Place:
    """A project with one secret that can be turned over and one that cannot."""

    def __init__(self) -> None:
        self.facts: list[str] = []

    @activity.defn
    async def read_leak(self, _request: LeakRequest) -> LeakResources:
        known = LeakRotation(name="db", path="shop/production/db", engine="KV")
        return LeakResources(rotations=(known,), planes=(SILENT,))

    @activity.defn
    async def list_secrets(self, _request: ListSecrets) -> SecretPaths:
        return SecretPaths(paths=("shop/production/db", "shop/staging/smtp"))

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        self.facts += [f"{one.action} {one.result.value}" for one in batch.facts]
        return Recorded()


@pytest.fixture
async def place(skipping: Client) -> AsyncIterator[Place]:
    place, client = Place(), await own_client(skipping)
    control: list[Any] = [place.read_leak, place.record]
    workers = [
        Worker(client, task_queue=ids.LANES_QUEUE, workflows=[LeakResponseWorkflow]),
        Worker(client, task_queue=ids.CONTROL_QUEUE, activities=control),
        Worker(client, task_queue=ids.SECRETS_QUEUE, activities=[place.list_secrets]),
    ]
    async with served(workers):
        yield place


async def test_nothing_is_done_about_a_leak_that_nobody_confirms_and_no_plane_is_waited_for(
    skipping: Client, place: Place
) -> None:
    request = LeakRequest(organization=f"o-{uuid4().hex[:8]}", project="shop", reason="lost")
    handle = await start_leak_response(skipping, request)
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    told: LeakReport = await handle.query(LeakResponseWorkflow.report)
    described = await handle.describe()

    assert "nobody confirmed the plan in time: nothing was done" in str(failed.value.cause)
    assert [one.path for one in told.plan.entries] == ["shop/production/db"]
    assert [one.path for one in told.plan.by_hand] == ["shop/staging/smtp"]
    assert told.plan.silent_planes == (SILENT,)
    assert (told.secrets, told.awaits_confirmation) == ((), False)
    assert place.facts == ["leak.reported asked", "leak.answered failed"]
    assert described.close_time is not None
    assert described.close_time - described.start_time >= timedelta(hours=24)
