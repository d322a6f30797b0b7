"""A log kept as numbered objects, written while it grows and read by anybody at any time.

Objects cannot be appended to, so parts are ``key/000001``, ``key/000002`` and so on; ``key/end``
says that nothing follows. Parts are only ever created: a writer that was replaced after a crash
and comes back finds its next number taken and stops.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Self

from clients.objects.store import ObjectStore
from domain.errors import Conflict, NotFound, PlatformError, StaleRevision

_PART_BYTES = 64 * 1024
_FLUSH_SECONDS = 1.0
_POLL_SECONDS = 0.5
_END = "end"


class LogArchive:
    """Writes one log. Made by ``open``; ended by ``finish``, or ``close`` to be taken up later."""

    def __init__(self, store: ObjectStore, key: str, parts: int, size: int) -> None:
        self._store = store
        self._key = key
        self._parts = parts
        self._buffer = bytearray()
        self._lock = asyncio.Lock()
        self._timer: asyncio.TimerHandle | None = None
        self._flushing: asyncio.Task[None] | None = None
        self._failure: PlatformError | None = None
        self.size = size
        """Bytes that are safe in the store: what a writer that starts over need not write."""

    @classmethod
    async def open(cls, store: ObjectStore, key: str) -> Self:
        """Takes up the log where its parts end; a new one begins empty."""
        parts = [info for info in await store.list(key) if not info.key.endswith(f"/{_END}")]
        return cls(store, key, len(parts), sum(info.size for info in parts))

    async def write(self, content: bytes) -> None:
        """Adds to the log. It is stored within a second, or when enough has come together.

        Raises:
            StaleRevision: Another writer has taken the log over.
        """
        self._buffer += content
        if self._failure is not None or len(self._buffer) >= _PART_BYTES:
            await self.flush()
        elif self._buffer and self._timer is None:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(_FLUSH_SECONDS, self._flush_in_background)

    async def flush(self) -> None:
        """Stores what has been written so far, also what could not be stored before."""
        self._failure = None
        async with self._lock:
            if not self._buffer:
                return
            content = bytes(self._buffer)
            await self._create(_part(self._key, self._parts + 1), content)
            del self._buffer[: len(content)]
            self._parts += 1
            self.size += len(content)

    async def close(self) -> None:
        """Stores the rest and leaves the log open for a later writer."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._flushing is not None:
            await asyncio.wait({self._flushing})
        await self.flush()

    async def finish(self) -> None:
        """Stores the rest and says that nothing follows. Idempotent."""
        await self.close()
        await self._store.put(f"{self._key}/{_END}", b"")

    async def _create(self, key: str, content: bytes) -> None:
        try:
            await self._store.put(key, content, overwrite=False)
        except Conflict as error:
            # The answer to an earlier try may have been lost after the object was written.
            if await self._store.get(key) != content:
                raise StaleRevision(f"log {self._key}: another writer has taken over") from error

    def _flush_in_background(self) -> None:
        self._timer = None
        self._flushing = asyncio.create_task(self._flush_or_remember())

    async def _flush_or_remember(self) -> None:
        """Leaves a failure to the next write, flush or close, which tries again."""
        try:
            await self.flush()
        except PlatformError as error:
            self._failure = error


async def tail(
    store: ObjectStore, key: str, *, follow: bool = False, every: float = _POLL_SECONDS
) -> AsyncGenerator[bytes, None]:
    """Yields the parts of a log; with ``follow`` also those to come, until it is finished.

    Object stores report no changes, so a followed log is looked at ``every`` so many seconds.

    Raises:
        NotFound: There is no log of that key and ``follow`` is False.
    """
    number = 0
    while True:
        # Asked before the part is looked for: a part written in between is not missed.
        ended = await store.has(f"{key}/{_END}")
        try:
            part = await store.get(_part(key, number + 1))
        except NotFound:
            if ended or (number and not follow):
                return
            if not follow:
                raise NotFound(f"log {key}: not found") from None
            await asyncio.sleep(every)
        else:
            number += 1
            yield part


def _part(key: str, number: int) -> str:
    return f"{key}/{number:06d}"
