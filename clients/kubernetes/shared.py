"""One watch per kind for any number of callers: list, watch, remember, tell.

A subscriber sees for each object the latest state, and always the last one: while it is busy,
changes of the same object are folded into one, so a slow subscriber neither blocks the others nor
grows without bound.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing, asynccontextmanager
from types import MappingProxyType
from typing import TypeAlias

from clients.kubernetes.backoff import Backoff
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.errors import Expired
from clients.kubernetes.kinds import Kind
from clients.kubernetes.subscriptions import Predicate, Subscription
from clients.kubernetes.watch import (
    ADDED,
    BOOKMARK,
    DELETED,
    MODIFIED,
    Object,
    WatchEvent,
    resource_version,
)
from domain.errors import PlatformError

_LOG = logging.getLogger(__name__)
_LINGER_SECONDS = 60.0

Key: TypeAlias = tuple[str, str]
"""Namespace and name."""
Trim: TypeAlias = Callable[[Object], Object]
"""Reduces an object to what is remembered of it; name, namespace, uid and version must stay."""


def without_managed_fields(obj: Object) -> Object:
    """Leaves out the largest part of an object, which hardly anybody reads."""
    obj["metadata"].pop("managedFields", None)
    return obj


class SharedWatch:
    """Watches a kind while somebody is interested, and for a while after."""

    def __init__(
        self,
        cluster: Cluster,
        kind: Kind,
        namespace: str = "",
        labels: str = "",
        *,
        linger: float = _LINGER_SECONDS,
        trim: Trim = without_managed_fields,
    ) -> None:
        self.kind = kind
        self._trim = trim
        self._cluster = cluster
        self._namespace = namespace
        self._labels = labels
        self._linger = linger
        self._store: dict[Key, Object] = {}
        self._version = ""
        self._synced = asyncio.Event()
        self._broken: asyncio.Future[PlatformError] | None = None
        self._subscriptions: set[Subscription] = set()
        self._task: asyncio.Task[None] | None = None
        self._stop: asyncio.TimerHandle | None = None
        self._failure: BaseException | None = None
        self._idle_since = time.monotonic()

    @property
    def store(self) -> Mapping[Key, Object]:
        """What is known now, by namespace and name. Meaningful after ``synced``; never change it.

        Objects are as ``trim`` leaves them: by default without ``metadata.managedFields``.
        """
        return MappingProxyType(self._store)

    def unused_for(self) -> float:
        """Returns for how many seconds nobody has needed the watch; 0 while it runs."""
        return 0.0 if self._task is not None else time.monotonic() - self._idle_since

    async def synced(self) -> None:
        """Returns when the first list is in the store; starts the watch when it does not run."""
        self._start()
        await self._synced.wait()
        if self._failure is not None:
            raise self._failure

    async def broken(self) -> PlatformError:
        """Returns why the connection broke, when it does. It is opened again all the same."""
        self._start()
        if self._broken is None or self._broken.done():
            self._broken = asyncio.get_running_loop().create_future()
        return await asyncio.shield(self._broken)

    @asynccontextmanager
    async def subscribe(
        self, predicate: Predicate | None = None
    ) -> AsyncIterator[AsyncIterator[WatchEvent]]:
        """Gives the changes of objects that match, starting with ``ADDED`` for what is there.

        The predicate sees each state of an object; it should look at what does not change, such
        as the name or the labels of an owner.
        """
        subscription = Subscription(predicate)
        self._start()
        for obj in self._store.values():
            subscription.put(WatchEvent(ADDED, obj))
        self._subscriptions.add(subscription)
        try:
            yield subscription
        finally:
            self._subscriptions.discard(subscription)
            self._stop_later()

    async def close(self) -> None:
        """Ends the watch and forgets everything. Using it again starts anew."""
        task = self._task
        self._abandon()
        if task is not None:
            await asyncio.wait({task})

    def _start(self) -> None:
        if self._task is not None and self._task.done():
            self._abandon()
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=f"watch {self.kind.kind}")
            self._task.add_done_callback(self._ended)
        self._stop_later()

    def _stop_later(self) -> None:
        if self._stop is not None:
            self._stop.cancel()
        self._stop = asyncio.get_running_loop().call_later(self._linger, self._stop_if_unused)

    def _stop_if_unused(self) -> None:
        if not self._subscriptions:
            self._abandon()

    def _abandon(self) -> None:
        if self._stop is not None:
            self._stop.cancel()
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._idle_since = time.monotonic()
        self._store.clear()
        self._version = ""
        self._synced.clear()
        self._failure = None

    def _ended(self, task: asyncio.Task[None]) -> None:
        """Passes a bug on to everybody who waits, instead of leaving them waiting for ever."""
        if task.cancelled() or task is not self._task:
            return
        self._failure = task.exception()
        if self._failure is not None:
            self._synced.set()
            for subscription in self._subscriptions:
                subscription.fail(self._failure)

    async def _run(self) -> None:
        backoff = Backoff()
        while True:
            try:
                if not self._version:
                    await self._relist()
                await self._follow(backoff)
            except Expired:
                self._version = ""
            except PlatformError as error:
                _LOG.warning("watch interrupted, trying again: %s", error)
                if self._broken is not None and not self._broken.done():
                    self._broken.set_result(error)
            await backoff.wait()

    async def _follow(self, backoff: Backoff) -> None:
        """Takes events until the connection ends."""
        events = self._cluster.watch(
            self.kind, self._namespace, self._labels, resource_version=self._version
        )
        async with aclosing(events):
            async for event in events:
                backoff.reset()
                self._version = resource_version(event.object) or self._version
                if event.type != BOOKMARK:
                    self._take(WatchEvent(event.type, self._trim(event.object)))

    async def _relist(self) -> None:
        listing = await self._cluster.list(self.kind, self._namespace, self._labels)
        present = {_key(obj): self._trim(obj) for obj in listing.items}
        for key, known in list(self._store.items()):
            if key not in present or _uid(present[key]) != _uid(known):
                self._take(WatchEvent(DELETED, known))
        for key, obj in present.items():
            stored = self._store.get(key)
            if stored is None:
                self._take(WatchEvent(ADDED, obj))
            elif resource_version(stored) != resource_version(obj):
                self._take(WatchEvent(MODIFIED, obj))
        self._version = listing.resource_version
        self._synced.set()

    def _take(self, event: WatchEvent) -> None:
        if event.type == DELETED:
            self._store.pop(_key(event.object), None)
        else:
            self._store[_key(event.object)] = event.object
        for subscription in self._subscriptions:
            subscription.put(event)


class SharedWatches:
    """All shared watches of one cluster, one per kind, namespace and label selector."""

    def __init__(
        self,
        cluster: Cluster,
        *,
        linger: float = _LINGER_SECONDS,
        trim: Trim = without_managed_fields,
    ) -> None:
        self._cluster = cluster
        self._linger = linger
        self._trim = trim
        self._watches: dict[tuple[Kind, str, str], SharedWatch] = {}

    def of(self, kind: Kind, namespace: str = "", labels: str = "") -> SharedWatch:
        """Returns the watch for these objects; it starts with its first user."""
        self._drop_unused()
        key = (kind, namespace, labels)
        if key not in self._watches:
            self._watches[key] = SharedWatch(
                self._cluster, kind, namespace, labels, linger=self._linger, trim=self._trim
            )
        return self._watches[key]

    async def close(self) -> None:
        """Ends all watches."""
        for watch in list(self._watches.values()):
            await watch.close()
        self._watches.clear()

    def _drop_unused(self) -> None:
        for key, watch in list(self._watches.items()):
            if watch.unused_for() > self._linger:
                del self._watches[key]


def _key(obj: Object) -> Key:
    meta = obj["metadata"]
    return str(meta.get("namespace", "")), str(meta["name"])


def _uid(obj: Object) -> str:
    return str(obj["metadata"]["uid"])
