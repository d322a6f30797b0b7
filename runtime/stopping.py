"""How workers of Temporal end."""

from __future__ import annotations

import asyncio
import logging
from contextlib import AsyncExitStack
from datetime import timedelta

_LOG = logging.getLogger("worker")
_LAST_STEP = timedelta(seconds=5)
"""How long a worker may take to end after its activities have; below the grace of a pod."""


async def close_workers(stack: AsyncExitStack, graceful_shutdown: timedelta) -> None:
    """Ends the workers. The SDK's last step may never end, when all activities long have."""
    longest = graceful_shutdown + _LAST_STEP
    try:
        async with asyncio.timeout(longest.total_seconds()):
            await stack.aclose()
    except TimeoutError:
        _LOG.warning("a worker did not end within %s s: leaving", longest.total_seconds())
