"""A rotation whose time passed while everything was away is made up for, exactly once.

The server is a real one on disk that is killed before the times and started again after them.
"""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from temporalio import workflow
from temporalio.client import (
    Client,
    ScheduleCalendarSpec,
    ScheduleHandle,
    ScheduleRange,
    ScheduleSpec,
    WorkflowExecutionDescription,
    WorkflowExecutionStatus,
    WorkflowHandle,
)
from temporalio.service import RPCError
from temporalio.worker import Worker

from domain import ids
from domain.deliveries.rotations import RotationRequest
from domain.resources import parse_as
from domain.resources.rotation import SecretRotation
from runtime.plugin import PavanePlugin
from runtime.ports import free_port
from tests.serving import served
from workflows.common.timetables import keep
from workflows.secrets import timetable
from workflows.secrets.timetable import ScheduledRotationWorkflow

pytestmark = [pytest.mark.workflows, pytest.mark.timeout(400)]
_SOON = timedelta(seconds=8)
"""How long after its making the first time of a schedule is: it is made well before."""
_TIMES = 3


@workflow.defn(name="RotationWorkflow", sandboxed=False)
class Rotating:
    """A rotation that takes until it is told to end."""

    def __init__(self) -> None:
        self._is_over = False

    @workflow.signal
    def end(self) -> None:
        self._is_over = True

    @workflow.run
    async def run(self, request: RotationRequest) -> str:
        await workflow.wait_condition(lambda: self._is_over)
        return request.rotation


@asynccontextmanager
async def server(program: Path, folder: Path, port: int) -> AsyncIterator[Client]:
    """Runs the server on what it has on disk; it is killed at the end."""
    argv: list[str | Path] = [
        *(program, "server", "start-dev", "--ip=127.0.0.1", f"--port={port}", "--headless"),
        *(f"--db-filename={folder / 'temporal.sqlite'}", "--log-level=error"),
    ]
    quiet: Any = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(argv, **quiet)  # noqa: ASYNC220 - it is begun, not waited for
    try:
        yield await connected(port)
    finally:
        process.kill()
        await asyncio.to_thread(process.wait)


async def connected(port: int) -> Client:
    async with asyncio.timeout(90):
        while True:
            try:
                return await Client.connect(f"127.0.0.1:{port}", plugins=[PavanePlugin()])
            except RuntimeError:  # it does not listen yet
                await asyncio.sleep(0.1)


def rotation(name: str) -> SecretRotation:
    content = {
        "metadata": {"name": name, "namespace": "acme"},
        "spec": {"engine": "KV", "vaultPath": "shop/all/x", "cron": "0 3 * * *"},
    }
    return parse_as(SecretRotation, content)


async def keeps(client: Client, name: str, times: list[datetime]) -> ScheduleHandle:
    """Keeps the timetable of a rotation as the intake does, but for its times."""
    schedule_id = ids.rotation_id("acme", name)
    made = timetable._schedule(schedule_id, rotation(name))
    own = [
        ScheduleCalendarSpec(
            year=[ScheduleRange(at.year)],
            month=[ScheduleRange(at.month)],
            day_of_month=[ScheduleRange(at.day)],
            hour=[ScheduleRange(at.hour)],
            minute=[ScheduleRange(at.minute)],
            second=[ScheduleRange(at.second)],
        )
        for at in times
    ]
    # Temporal forgets a schedule that has no times to come, also what it did not get to.
    later = ScheduleCalendarSpec(hour=[ScheduleRange((times[0].hour + 12) % 24)])
    made.spec = ScheduleSpec(calendars=[*own, later])
    await keep(client, schedule_id, made)
    return client.get_schedule_handle(schedule_id)


async def soon(client: Client, name: str) -> list[datetime]:
    """Keeps a timetable whose times are all to come, and returns them."""
    while True:
        first = (datetime.now(UTC) + _SOON).replace(microsecond=0)
        times = [first + timedelta(seconds=number) for number in range(_TIMES)]
        # Answered by the schedule itself: one that never began knows of no time before it does.
        known = (await (await keeps(client, name, times)).describe()).info.next_action_times
        if known[:1] == times[:1] and datetime.now(UTC) < first:
            return times


async def passed(times: list[datetime]) -> None:
    """Returns when all of them are over."""
    left = times[-1] - datetime.now(UTC) + timedelta(seconds=1)
    await asyncio.sleep(max(0.0, left.total_seconds()))


async def begun(handle: WorkflowHandle[Any, Any]) -> WorkflowExecutionDescription:
    """Waits until it is there."""
    async with asyncio.timeout(150):
        while True:
            with suppress(RPCError):
                return await handle.describe()
            await asyncio.sleep(0.1)


async def made_up(client: Client, name: str) -> None:
    """The rotation runs, and whoever begins it again finds that."""
    handle = client.get_workflow_handle(ids.rotation_id("acme", name))
    found = await begun(handle)
    assert found.status is WorkflowExecutionStatus.RUNNING
    await handle.signal(Rotating.end)
    assert await handle.result() == name
    assert (await handle.describe()).run_id == found.run_id


def workers(client: Client) -> list[Worker]:
    return [
        Worker(client, task_queue=ids.ORCHESTRATION_QUEUE, workflows=[ScheduledRotationWorkflow]),
        Worker(client, task_queue=ids.LANES_QUEUE, workflows=[Rotating]),
    ]


async def settled(handle: ScheduleHandle) -> tuple[int, int, int]:
    """Returns how many of its times were taken, skipped and missed when all are dealt with."""
    async with asyncio.timeout(150):
        while True:
            info = (await handle.describe()).info
            told = (
                info.num_actions,
                info.num_actions_skipped_overlap,
                info.num_actions_missed_catchup_window,
            )
            if sum(told) >= _TIMES:
                return told
            await asyncio.sleep(0.1)


async def test_times_that_passed_while_the_server_was_away_are_made_up_for_by_one_rotation(
    temporal_program: Path, tmp_path: Path
) -> None:
    port, name = free_port(), f"r-{uuid4().hex[:8]}"
    async with server(temporal_program, tmp_path, port) as client:
        times = await soon(client, name)
    await passed(times)

    async with server(temporal_program, tmp_path, port) as client:
        # The intake begins anew too, and keeps every timetable once more.
        handle = await keeps(client, name, times)
        async with served(workers(client)):
            assert await settled(handle) == (1, _TIMES - 1, 0)
            await made_up(client, name)


async def test_times_that_passed_while_no_worker_was_there_are_made_up_for_by_one_rotation(
    temporal_program: Path, tmp_path: Path
) -> None:
    name = f"r-{uuid4().hex[:8]}"
    async with server(temporal_program, tmp_path, free_port()) as client:
        times = await soon(client, name)
        await passed(times)
        handle = client.get_schedule_handle(ids.rotation_id("acme", name))
        assert await settled(handle) == (1, _TIMES - 1, 0)
        async with served(workers(client)):
            await made_up(client, name)
