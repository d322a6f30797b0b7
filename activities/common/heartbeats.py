"""Keeps a waiting activity alive and cancellable."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import Any

from temporalio import activity

_EVERY = timedelta(seconds=2)


@asynccontextmanager
async def heartbeating(details: Callable[[], Any]) -> AsyncIterator[None]:
    """Heartbeats every few seconds while the block lasts.

    A cancel of the workflow reaches the activity with the answer to a heartbeat, so the interval
    is also how long a cancel may take to arrive.

    Args:
        details: Gives what a later attempt may go on from; asked at each heartbeat.
    """

    async def beat() -> None:
        while True:
            activity.heartbeat(details())
            await asyncio.sleep(_EVERY.total_seconds())

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
