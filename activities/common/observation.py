"""Waits for changes seen by several shared watches at once."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from datetime import timedelta

from clients.kubernetes.kinds import Kind
from clients.kubernetes.shared import SharedWatch
from clients.kubernetes.subscriptions import Predicate
from clients.kubernetes.watch import DELETED, Object, WatchEvent


class Changes:
    """Tells that something changed since the last look, and what there is."""

    def __init__(self) -> None:
        self._objects: defaultdict[Kind, dict[str, Object]] = defaultdict(dict)
        self._arrived = asyncio.Event()
        self._failure: BaseException | None = None

    async def wait(self, at_most: timedelta | None) -> None:
        """Returns at the next change, or after ``at_most``."""
        with suppress(TimeoutError):
            async with asyncio.timeout(at_most.total_seconds() if at_most else None):
                await self._arrived.wait()
        self._arrived.clear()
        if self._failure is not None:
            raise self._failure

    def objects(self, kind: Kind) -> list[Object]:
        """Returns the objects of a watched kind that match, as they were seen last.

        Only those: going through a watch's whole store at every change of any object would cost
        the square of their number.
        """
        return list(self._objects[kind].values())

    async def take(self, kind: Kind, events: AsyncIterator[WatchEvent]) -> None:
        """Notes every event of one subscription, and its end."""
        known = self._objects[kind]
        try:
            async for event in events:
                uid = str(event.object["metadata"]["uid"])
                if event.type == DELETED:
                    known.pop(uid, None)
                else:
                    known[uid] = event.object
                self._arrived.set()
        except Exception as failure:  # noqa: BLE001 - handed on to the waiting side, unchanged
            self._failure = failure
            self._arrived.set()


@asynccontextmanager
async def changes(watches: Iterable[SharedWatch], predicate: Predicate) -> AsyncIterator[Changes]:
    """Subscribes to all watches while the block lasts; their stores are synced at its start."""
    seen = Changes()
    async with AsyncExitStack() as stack:
        tasks = []
        for watch in watches:
            events = await stack.enter_async_context(watch.subscribe(predicate))
            await watch.synced()
            tasks.append(asyncio.create_task(seen.take(watch.kind, events)))
        try:
            yield seen
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
