"""Waiting times between tries of something that must go on for ever."""

from __future__ import annotations

import asyncio
import random


class Backoff:
    """Doubles the wait after each failure, with jitter so that many waiters do not march in step.

    The retry library in use gives up at some point or hides the loop; a watch does neither.
    """

    def __init__(self, first: float = 0.2, longest: float = 5.0) -> None:
        self._first = first
        self._longest = longest
        self._next = first

    def reset(self) -> None:
        """Begins anew after a success."""
        self._next = self._first

    async def wait(self) -> float:
        """Waits between half and the whole of the current time and tells how long."""
        seconds = self._next * (0.5 + random.random() / 2)  # noqa: S311 - spreads load
        self._next = min(self._next * 2, self._longest)
        await asyncio.sleep(seconds)
        return seconds
