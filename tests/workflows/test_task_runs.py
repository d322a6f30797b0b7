from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError, WorkflowAlreadyStartedError

from domain.deliveries import TaskRunRequest
from domain.errors import RunFailed
from tests.workflows.golden_paths import GoldenWorld, golden_workers
from workflows.starting import start_task_run

pytestmark = pytest.mark.workflows


@pytest.fixture
async def golden(temporal: Client) -> AsyncIterator[GoldenWorld]:
    world = GoldenWorld()
    async with golden_workers(temporal, world):
        yield world


def request(organization: str, key: str = "one") -> TaskRunRequest:
    return TaskRunRequest(organization=organization, component="report", environment="dev", key=key)


async def test_a_run_is_started_and_followed_to_its_end(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    done = await (await start_task_run(temporal, request(organization))).result()

    assert golden.names() == ["prepare_task_run", "start_task_run", "follow_task_run", "record"]
    assert (done.job, done.state) == ("report-run-1", "Succeeded")


async def test_a_run_that_fails_is_told_and_its_job_stays_to_be_looked_at(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    async def fails(_: Any) -> None:
        raise RunFailed("Job report-run-1 failed", facts={"log": "no such table"})

    golden.behaviours["follow_task_run"] = fails

    with pytest.raises(WorkflowFailureError) as failed:
        await (await start_task_run(temporal, request(organization))).result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "RunFailed"
    assert "stop_task_run" not in golden.names()


async def test_a_cancel_takes_the_job_away(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    begun = asyncio.Event()

    async def waits(_: Any) -> None:
        begun.set()
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)

    golden.behaviours["follow_task_run"] = waits
    handle = await start_task_run(temporal, request(organization))
    await begun.wait()
    await handle.cancel()

    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()
    assert isinstance(ended.value.cause, CancelledError)
    assert golden.names()[-2:] == ["stop_task_run", "record"]
    (fact,) = golden.calls[-1][1].facts
    assert (fact.action, fact.message) == ("task-run.cancelled", "stopped report-run-1")


async def test_a_key_that_was_used_runs_nothing_again(
    temporal: Client, golden: GoldenWorld, organization: str
) -> None:
    await (await start_task_run(temporal, request(organization))).result()

    with pytest.raises(WorkflowAlreadyStartedError):
        await start_task_run(temporal, request(organization))

    await (await start_task_run(temporal, request(organization, "two"))).result()
    assert golden.names().count("start_task_run") == 2
