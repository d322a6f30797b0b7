"""Runs Temporal workers for the time of a block, and ends them in bounded time.

The core of the SDK (1.35) now and then never finishes the last step of a worker's shutdown when an
activity ended in that moment. By then all tasks are done, so nothing is lost by not waiting for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from temporalio.client import Client
from temporalio.worker import Worker

from runtime.plugin import PavanePlugin

_LONGEST_SHUTDOWN = 15.0


async def own_client(client: Client) -> Client:
    """Connects anew: one connection serves a task queue once, also when a worker never ended."""
    return await Client.connect(
        client.service_client.config.target_host,
        namespace=client.namespace,
        plugins=[PavanePlugin()],
    )


@asynccontextmanager
async def served(workers: Sequence[Worker]) -> AsyncIterator[None]:
    """Runs the workers; the last one ends first."""
    running = [(worker, asyncio.create_task(worker.run())) for worker in workers]
    try:
        yield
    finally:
        for worker, task in reversed(running):
            with suppress(TimeoutError):
                async with asyncio.timeout(_LONGEST_SHUTDOWN):
                    await worker.shutdown()
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
