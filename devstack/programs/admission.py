"""Lets builds run side by side as long as memory and processors allow."""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from devstack.programs.errors import Cancelled

_RESERVE = 1_000_000_000
"""Memory left to everything else on the machine."""

_POLL = 1.0


def available_memory() -> int:
    """Bytes that can be used without swapping."""
    available: int = psutil.virtual_memory().available
    return available


class Admission:
    """Grants each build its memory; the first one is always admitted."""

    def __init__(self, cancel: threading.Event, *, most: int | None = None) -> None:
        """At most one build for two processors, and never more than `most`; at least two."""
        self._cancel = cancel
        self._most = most or max(2, (os.cpu_count() or 2) // 2)
        self._promised: list[int] = []
        self._changed = threading.Condition()

    @contextmanager
    def admitted(self, memory: int) -> Iterator[None]:
        """Waits until a build of that size fits beside those that run; of no size, not at all.

        Raises:
            Cancelled: the work was given up before it was its turn.
        """
        if memory == 0:
            yield
            return
        with self._changed:
            while not self._fits(memory):
                self._changed.wait(_POLL)
                if self._cancel.is_set():
                    message = "given up"
                    raise Cancelled(message)
            self._promised.append(memory)
        try:
            yield
        finally:
            with self._changed:
                self._promised.remove(memory)
                self._changed.notify_all()

    def _fits(self, memory: int) -> bool:
        if not self._promised:
            return True
        if len(self._promised) >= self._most:
            return False
        # A build that has just begun has not taken its share yet, so all of it counts as taken.
        return available_memory() - sum(self._promised) - _RESERVE >= memory
