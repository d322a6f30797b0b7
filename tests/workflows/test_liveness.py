"""Activities tell that they live; who does not beat by itself is not stopped half-way."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ActivityError, is_cancelled_exception
from temporalio.worker import Worker

from runtime import liveness

pytestmark = pytest.mark.workflows


class Long:
    """Activities that last several beats."""

    def __init__(self) -> None:
        self.attempts = 0
        self.started = asyncio.Event()
        self.finished = asyncio.Event()

    @activity.defn
    async def silent(self, seconds: float) -> str:
        self.attempts += 1
        self.started.set()
        await asyncio.sleep(seconds)
        self.finished.set()
        return "done"

    @activity.defn
    async def stoppable(self, seconds: float) -> str:
        self.started.set()
        activity.heartbeat("half-way")
        await asyncio.sleep(seconds)
        self.finished.set()
        return "done"


@workflow.defn(sandboxed=False)
class CallOnce:
    @workflow.run
    async def run(self, name: str, seconds: float) -> str:
        try:
            answer: str = await workflow.execute_activity(
                name,
                seconds,
                start_to_close_timeout=timedelta(minutes=1),
                heartbeat_timeout=timedelta(seconds=1),
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
        except ActivityError as error:
            if is_cancelled_exception(error):
                return "stopped"
            raise
        return answer


@pytest.fixture
def long(monkeypatch: pytest.MonkeyPatch) -> Long:
    monkeypatch.setattr(liveness, "BEAT", timedelta(milliseconds=100))
    return Long()


def serving(temporal: Client, queue: str, long: Long) -> Worker:
    return Worker(
        temporal,
        task_queue=queue,
        workflows=[CallOnce],
        activities=[long.silent, long.stoppable],
        max_heartbeat_throttle_interval=timedelta(milliseconds=100),
    )


async def test_an_activity_longer_than_its_heartbeat_timeout_is_not_taken_for_dead(
    temporal: Client, organization: str, long: Long
) -> None:
    async with serving(temporal, organization, long):
        answer = await temporal.execute_workflow(
            CallOnce.run, args=["silent", 2.5], id=organization, task_queue=organization
        )

    assert (answer, long.attempts) == ("done", 1)


async def test_a_cancel_lets_an_activity_that_does_not_beat_by_itself_finish(
    temporal: Client, organization: str, long: Long
) -> None:
    async with serving(temporal, organization, long):
        handle = await temporal.start_workflow(
            CallOnce.run, args=["silent", 2.0], id=organization, task_queue=organization
        )
        await long.started.wait()
        await handle.cancel()
        answer = await handle.result()

    assert answer == "done"
    assert long.finished.is_set()


async def test_a_cancel_stops_an_activity_that_beats_by_itself(
    temporal: Client, organization: str, long: Long
) -> None:
    async with serving(temporal, organization, long):
        handle = await temporal.start_workflow(
            CallOnce.run, args=["stoppable", 30.0], id=organization, task_queue=organization
        )
        await long.started.wait()
        await handle.cancel()
        try:
            answer = await handle.result()
        except WorkflowFailureError as error:
            answer = str(error.cause)

    assert answer == "stopped"
    assert not long.finished.is_set()
