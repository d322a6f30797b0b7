from __future__ import annotations

import asyncio
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import Client
from temporalio.worker import Worker

from api.operations.ended import EndedRuns
from api.operations.reading import Reference
from domain import ids
from domain.deliveries import OperationStatus
from domain.phases import Phase

pytestmark = pytest.mark.workflows

_ASKED: list[str] = []


@workflow.defn(name="TellsItsStatus")
class TellsItsStatus:
    @workflow.init
    def __init__(self, place: str) -> None:
        self._place = place

    @workflow.run
    async def run(self, place: str) -> None:
        pass

    @workflow.query
    def status(self) -> OperationStatus:
        _ASKED.append(self._place)
        return OperationStatus(phase=Phase.SUCCEEDED, summary="told by the worker")


async def test_a_run_that_is_over_is_replayed_once_for_all_that_ask(own_temporal: Client) -> None:
    place = ids.deploy_id("acme", f"web-{uuid4().hex[:6]}", "dev")
    ended = EndedRuns()
    async with Worker(own_temporal, task_queue="ended", workflows=[TellsItsStatus]):
        await own_temporal.execute_workflow(TellsItsStatus.run, place, id=place, task_queue="ended")

        views = await asyncio.gather(
            *(ended.read(own_temporal, Reference.of(place)) for _ in range(8))
        )
        later = await ended.read(own_temporal, Reference.of(place))

    assert {view.summary for view in [*views, later]} == {"told by the worker"}
    assert _ASKED.count(place) == 1


async def test_what_no_worker_told_is_asked_again(own_temporal: Client) -> None:
    place = ids.deploy_id("acme", f"web-{uuid4().hex[:6]}", "dev")
    ended = EndedRuns()
    async with Worker(own_temporal, task_queue="ended", workflows=[TellsItsStatus]):
        await own_temporal.execute_workflow(TellsItsStatus.run, place, id=place, task_queue="ended")

    without = await ended.read(own_temporal, Reference.of(place))
    async with Worker(own_temporal, task_queue="ended", workflows=[TellsItsStatus]):
        with_it = await ended.read(own_temporal, Reference.of(place))

    assert "no worker answers" in without.note
    assert with_it.summary == "told by the worker"
