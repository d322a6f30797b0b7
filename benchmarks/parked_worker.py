"""A worker for parked operations only, in a process of its own so that its memory can be told."""

from __future__ import annotations

import asyncio
import sys

from temporalio.worker import Worker

from benchmarks.parked_workflow import ParkedWorkflow
from runtime import client as temporal
from settings import load


async def main(queue: str) -> None:
    """Serves the task queue until it is terminated; says when it begins."""
    client = await temporal.connect()
    cached = load().worker.max_cached_workflows
    worker = Worker(
        client, task_queue=queue, workflows=[ParkedWorkflow], max_cached_workflows=cached
    )
    async with worker:
        print("ready", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
