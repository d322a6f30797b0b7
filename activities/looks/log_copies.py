"""The copy of a log in the object store: bounded, taken up again without a line twice."""

from __future__ import annotations

import asyncio
from contextlib import aclosing, suppress
from typing import Self

from temporalio import activity

from clients.kubernetes.logs import lines
from clients.objects import LogArchive, ObjectStore, tail
from domain import ids
from domain.deliveries.logs import CopyOfLog, LogRequest
from domain.errors import NotFound
from domain.policies.log_lines import LONGEST_LINE, LogLine, later

_MOST_BYTES = 16 * 1024 * 1024
"""Of one look: enough to read, and no way to fill the store."""


class LogCopy:
    """Writes one copy. Made by ``open``."""

    def __init__(self, archive: LogArchive, seen: dict[str, str], *, goes_on: bool) -> None:
        self._archive = archive
        self._seen = seen
        self._goes_on = goes_on
        self.size = archive.size
        """Bytes that were taken."""
        self.full = asyncio.Event()
        """Set when it takes no more."""

    @classmethod
    async def open(cls, store: ObjectStore, request: LogRequest) -> Self:
        """Takes up a copy where an earlier attempt left it; a new one begins empty."""
        key = ids.log_copy_key(request.organization, request.look)
        copied: dict[str, str] = {}
        with suppress(NotFound):
            async with aclosing(tail(store, key)) as parts:
                async for content in lines(parts, longest=LONGEST_LINE):
                    line = LogLine.parse(content)
                    copied[line.source] = line.time or copied.get(line.source, "")
        archive = await LogArchive.open(store, key)
        return cls(archive, later(request.seen, copied), goes_on=request.follow)

    @property
    def is_full(self) -> bool:
        """Tells whether it takes no more."""
        return self.full.is_set()

    def seen(self, source: str) -> str:
        """Returns when the last line of a container that is known was written."""
        return self._seen.get(source, "")

    async def add(self, line: LogLine) -> None:
        """Adds a line; when it is full, nothing.

        Raises:
            StaleRevision: Another attempt writes it now.
        """
        if self.is_full:
            return
        if line.time:
            self._seen[line.source] = line.time
        content = line.copied()
        self.size += len(content)
        await self._archive.write(content)
        if self.size >= _MOST_BYTES:
            self.full.set()

    async def close(self) -> None:
        """Stores what was taken."""
        await self._archive.close()

    async def finish(self) -> None:
        """Says that nothing follows, or that there was more."""
        if self.is_full and not self._goes_on:
            more = "there is more than is read at once: ask for fewer lines, or a shorter time"
            await self._archive.write(LogLine.note("-", "-", more).copied())
        await self._archive.finish()


class LogCopyActivities:
    """Effects on copies of logs, on the control plane."""

    def __init__(self, objects: ObjectStore) -> None:
        self._objects = objects

    @activity.defn
    async def drop_log_copy(self, copy: CopyOfLog) -> None:
        """Deletes a copy. Idempotent: what is gone stays gone. Cancel: not heeded, it is short."""
        key = ids.log_copy_key(copy.organization, copy.look)
        for one in await self._objects.list(key):
            await self._objects.delete(one.key)
