"""Measures what operations cost that only wait for a person: memory, and CPU while idle.

They run in a worker of their own with the platform's settings, so that nothing else is counted.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from temporalio.client import WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from benchmarks.parked_workflow import ParkedWorkflow
from benchmarks.samples import Budget, Figure, Measurement, Samples
from benchmarks.stacks import Bench
from benchmarks.usage import Meter, Spent

_ROOT = Path(__file__).resolve().parent.parent
_QUEUE = "bench-parked"
_AT_ONCE = 16
_WARM = 20
_IDLE_SECONDS = 20.0
_MEMORY_BUDGET = 50.0
_UPDATES = 50


async def parked_operations(bench: Bench, number: int) -> list[Measurement]:
    """Parks operations, looks at what they cost, decides some alone, then all others at once.

    Raises:
        RPCError: Temporal refused.
    """
    async with _worker(bench) as process:
        handles = await _park(bench, range(_WARM))
        before = psutil.Process(process).memory_info().rss / 2**20
        start = time.perf_counter()
        handles += await _park(bench, range(_WARM, _WARM + number))
        took = time.perf_counter() - start
        spent = await _idle(bench, process)
        seconds = [await _decide(handle) for handle in handles[:_UPDATES]]
        start = time.perf_counter()
        await _decide_all(handles[_UPDATES:])
        decided = (len(handles) - _UPDATES) / (time.perf_counter() - start)
    return [
        Figure(f"{number} parked: started", number / took, "/s"),
        Figure(
            f"{number} parked: memory of their worker",
            spent["worker"].memory - before,
            "MiB",
            at_most=_MEMORY_BUDGET,
        ),
        *(
            Figure(f"{number} parked: CPU of {part} while idle", one.cpu / _IDLE_SECONDS, "cores")
            for part, one in spent.items()
        ),
        Figure(f"{number} parked: decided to the end", decided, "/s"),
        Samples(f"decision on one of {number} parked", tuple(seconds), Budget()),
    ]


@asynccontextmanager
async def _worker(bench: Bench) -> AsyncIterator[int]:
    """Runs the worker while the block lasts; gives its process id."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.parked_worker", _QUEUE),
        cwd=_ROOT,
        env={**os.environ, **bench.record.environment},
        stdout=subprocess.PIPE,
    )
    try:
        if process.stdout is not None:
            await process.stdout.readline()
        yield process.pid
    finally:
        process.terminate()
        await process.wait()


Handle = WorkflowHandle[ParkedWorkflow, None]


async def _park(bench: Bench, numbers: range) -> list[Handle]:
    async def one(number: int) -> Handle:
        async with hands:
            return await bench.temporal.start_workflow(
                ParkedWorkflow.run,
                f"subject {number}",
                id=f"bench-parked/{number}",
                task_queue=_QUEUE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            )

    hands = asyncio.Semaphore(_AT_ONCE)
    handles = list(await asyncio.gather(*(one(number) for number in numbers)))
    # Each answers from where it waits, so the worker has had every one in its hands.
    await asyncio.gather(*(_waits(handle, hands) for handle in handles))
    return handles


async def _waits(handle: Handle, hands: asyncio.Semaphore) -> None:
    async with hands:
        await handle.query(ParkedWorkflow.is_decided)


async def _idle(bench: Bench, process: int) -> dict[str, Spent]:
    temporal = bench.processes["temporal"]
    meter = Meter({"worker": (psutil.Process(process),), "temporal": temporal})
    await asyncio.sleep(_IDLE_SECONDS)
    return await meter.stop()


async def _decide(handle: Handle) -> float:
    start = time.perf_counter()
    await handle.execute_update(ParkedWorkflow.decide)
    return time.perf_counter() - start


async def _decide_all(handles: list[Handle]) -> None:
    hands = asyncio.Semaphore(_AT_ONCE)

    async def end(handle: Handle) -> None:
        async with hands:
            await handle.execute_update(ParkedWorkflow.decide)
            await handle.result()

    await asyncio.gather(*(end(handle) for handle in handles))
