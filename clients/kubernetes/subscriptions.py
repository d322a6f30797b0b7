"""What one subscriber of a shared watch has not taken yet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import TypeAlias

from clients.kubernetes.watch import ADDED, MODIFIED, Object, WatchEvent

Predicate: TypeAlias = Callable[[Object], bool]


class Subscription:
    """Changes that one subscriber has not taken yet, folded by object."""

    def __init__(self, predicate: Predicate | None) -> None:
        self._predicate = predicate
        self._pending: dict[str, WatchEvent] = {}
        self._arrived = asyncio.Event()
        self._failure: BaseException | None = None

    def put(self, event: WatchEvent) -> None:
        """Keeps the event in place of an earlier one of the same object.

        Objects are told apart by uid: the deletion of one and the creation of another of the same
        name are both delivered, in order.
        """
        try:
            if self._predicate is not None and not self._predicate(event.object):
                return
        except Exception as error:  # noqa: BLE001 - a caller's bug must not end the others' watch
            self.fail(error)
            return
        uid = event.object["metadata"]["uid"]
        before = self._pending.get(uid)
        if before is not None and before.type == ADDED and event.type == MODIFIED:
            event = WatchEvent(ADDED, event.object)
        self._pending[uid] = event
        self._arrived.set()

    def fail(self, failure: BaseException) -> None:
        """Makes the subscriber raise ``failure`` when it has taken what is pending."""
        self._failure = failure
        self._arrived.set()

    def __aiter__(self) -> AsyncIterator[WatchEvent]:
        return self

    async def __anext__(self) -> WatchEvent:
        while not self._pending:
            if self._failure is not None:
                raise self._failure
            self._arrived.clear()
            await self._arrived.wait()
        return self._pending.pop(next(iter(self._pending)))
