"""Watches all kinds, lets one process of many act, and looks at whatever changed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import AsyncExitStack, suppress
from datetime import UTC, datetime

from temporalio.client import Client
from temporalio.service import RPCError

from clients.kubernetes import Cluster, Kind, Leader, Object, SharedWatches, WatchEvent
from clients.kubernetes.watch import DELETED
from domain.errors import InvalidRequest, NotFound, PlatformError, StaleRevision
from domain.policies.teardown.holds import TEARDOWN
from domain.resources import KINDS, Binding, Build, FreezeWindow, Resource, parse_as
from intake.decisions import Decision, decide, decide_gone
from intake.dispatch import dispatch
from intake.freezes import shown
from intake.leading import LEASE_NAMESPACE, ensure_namespace, process_identity
from intake.summaries import summary
from intake.teardown import is_to_be_held
from intake.work_queue import WorkQueue
from intake.world import Key, World

_LOG = logging.getLogger(__name__)
_HANDS = 32
_AFTER_SECONDS = 1.0
"""How long after a window begins or ends it is looked at: whole seconds are told."""
_LONGEST_SECONDS = 86_400.0
"""A timer follows no change of the clock, so a far moment is approached in steps."""
_LEASE = "pavane-intake"
_MANAGER = "pavane-intake"
"""Apart from the procedures' manager, so that neither removes what the other wrote."""
_IGNORED = {"Deployment", "Release"}
"""Records of the platform that nothing names and nothing follows from."""
WATCHED = {
    name: Kind(model.api_version, name, model.plural, namespaced=model.scope == "Namespaced")
    for name, model in KINDS.items()
    if name not in _IGNORED
}


class Intake:
    """The role `intake` of a worker."""

    def __init__(
        self,
        cluster: Cluster,
        client: Client,
        *,
        namespace: str = LEASE_NAMESPACE,
        identity: str = "",
    ) -> None:
        """``namespace`` is where the Lease lies; ``identity`` must differ between processes."""
        self._cluster = cluster
        self._client = client
        # They outlive the lead for a while: a process so busy that it lost the lead for a moment
        # would only become busier by listing everything again.
        self._watches = SharedWatches(cluster)
        self._namespace = namespace
        self._identity = identity or process_identity()

    async def run(self) -> None:
        """Waits for the lead, then acts until it is lost; again and again until cancelled."""
        await ensure_namespace(self._cluster, self._namespace, "intake")
        try:
            await Leader(self._cluster, _LEASE, self._namespace, self._identity).run(self._lead)
        finally:
            await self._watches.close()

    async def _lead(self) -> None:
        _LOG.info("intake is active in this process")
        await Watching(self._cluster, self._client, self._watches).run()


class Watching:
    """One time of leading: begins with all there is, goes on with what changes."""

    def __init__(self, cluster: Cluster, client: Client, watches: SharedWatches) -> None:
        self._cluster = cluster
        self._client = client
        self._watches = watches
        self._world = World()
        # Apart, because what is seen needs no Temporal: while it is away, every hand that asks it
        # for something waits, and statuses are told all the same.
        self._to_ask = self._queue_of(self._ask_for)
        self._to_tell = self._queue_of(self._tell_of)
        self._asked: dict[Key, Decision] = {}
        self._edges: dict[Key, asyncio.TimerHandle] = {}
        """Windows are looked at again when they begin or end."""

    async def run(self) -> None:
        """Acts until it is cancelled."""
        async with AsyncExitStack() as stack:
            shared = {name: self._watches.of(kind) for name, kind in WATCHED.items()}
            events = {
                name: await stack.enter_async_context(one.subscribe())
                for name, one in shared.items()
            }
            # Before all kinds are known, a reference would look missing that is not.
            await asyncio.gather(*(one.synced() for one in shared.values()))
            for name, one in shared.items():
                for obj in one.store.values():
                    self._take(name, obj)
            stack.callback(self._wait_for_nothing)
            async with asyncio.TaskGroup() as group:
                for name in WATCHED:
                    group.create_task(self._follow(name, events[name]), name=f"intake {name}")
                group.create_task(self._to_ask.run(), name="intake asks")
                group.create_task(self._to_tell.run(), name="intake tells")

    async def _follow(self, kind: str, events: AsyncIterator[WatchEvent]) -> None:
        async for event in events:
            if event.type == DELETED:
                self._drop(kind, event.object)
            else:
                self._take(kind, event.object)

    def _take(self, kind: str, obj: Object) -> None:
        meta = obj["metadata"]
        known = self._world.get(Key(kind, meta.get("namespace", ""), meta["name"]))
        if known is not None and known.metadata.resource_version == meta["resourceVersion"]:
            return  # what was there at the start comes as an event as well
        try:
            resource = parse_as(KINDS[kind], obj)
        except InvalidRequest as error:
            _LOG.warning("left alone: %s", error.message)
            return
        self._look_at({Key.of(resource)} | self._world.put(resource))

    def _drop(self, kind: str, obj: Object) -> None:
        meta = obj["metadata"]
        key = Key(kind, meta.get("namespace", ""), meta["name"])
        self._asked.pop(key, None)
        self._wait_for(key, None)
        self._look_at(self._world.remove(key) | {key})

    def _look_at(self, keys: Collection[Key]) -> None:
        for queue in (self._to_ask, self._to_tell):
            queue.add(keys)

    def _queue_of(self, look: Callable[[Key], Awaitable[bool]]) -> WorkQueue[Key]:
        """Organizations take turns: what one of them changes at once holds up no other."""
        return WorkQueue(look, hands=_HANDS, rank=self._rank, share=lambda key: key.namespace)

    def _rank(self, key: Key) -> int:
        """Changes of what runs come first, then what starts a procedure, then mere summaries."""
        resource = self._world.get(key)
        if isinstance(resource, Binding) and resource.status.release_ref:
            return 0
        return 1 if isinstance(resource, Binding | Build) else 2

    async def _ask_for(self, key: Key) -> bool:
        """Does what the present state of a resource asks for; False = try again later."""
        resource = self._world.get(key)
        if resource is None:
            return await _is_done(key, self._part(key))
        return await _is_done(key, self._ask(key, resource))

    async def _tell_of(self, key: Key) -> bool:
        """Writes what is seen of a resource; False = try again later."""
        resource = self._world.get(key)
        return resource is None or await _is_done(key, self._tell(resource))

    async def _hold(self, resource: Resource) -> None:
        """Keeps what is needed to take something down from being gone before."""
        if not is_to_be_held(resource, self._world):
            return
        metadata = resource.metadata
        held = {
            "finalizers": [*metadata.finalizers, TEARDOWN],
            "resourceVersion": metadata.resource_version,  # nobody else's is lost
        }
        kind = WATCHED[resource.kind]
        with suppress(StaleRevision):  # the event of the newer one is on its way
            await self._cluster.patch(kind, resource.name, resource.namespace, {"metadata": held})

    async def _ask(self, key: Key, resource: Resource) -> None:
        """Asks once for each decision: later events of an unchanged wish ask for nothing."""
        await self._hold(resource)
        decision = decide(resource, self._world)
        if decision is None or self._asked.get(key) == decision:
            return
        await dispatch(self._client, decision)
        self._asked[key] = decision

    async def _part(self, key: Key) -> None:
        """Asks for what goes with a resource that is gone."""
        decision = decide_gone(key)
        if decision is not None:
            await dispatch(self._client, decision)

    async def _tell(self, resource: Resource) -> None:
        now = datetime.now(UTC)
        if isinstance(resource, FreezeWindow):
            self._wait_for(Key.of(resource), shown(resource, now).edge)
        status = summary(resource, self._world, now.replace(microsecond=0))
        if status is not None:
            await self._cluster.apply_status(status, manager=_MANAGER)

    def _wait_for(self, key: Key, edge: datetime | None) -> None:
        """Has a window looked at again at a moment; None = at no moment."""
        if (waiting := self._edges.pop(key, None)) is not None:
            waiting.cancel()
        if edge is not None:
            left = (edge - datetime.now(UTC)).total_seconds() + _AFTER_SECONDS
            pause = min(max(left, _AFTER_SECONDS), _LONGEST_SECONDS)
            loop = asyncio.get_running_loop()
            self._edges[key] = loop.call_later(pause, self._look_at, [key])

    def _wait_for_nothing(self) -> None:
        for waiting in self._edges.values():
            waiting.cancel()
        self._edges.clear()


async def _is_done(key: Key, doing: Awaitable[None]) -> bool:
    """Returns False when it should be tried again; what trying again would not change is logged."""
    try:
        await doing
    except InvalidRequest as error:
        _LOG.warning("%s %s: %s", key.kind, key.name, error.message)
    except NotFound:
        _LOG.debug("%s %s is gone", key.kind, key.name)
    except (PlatformError, RPCError) as error:
        _LOG.warning("%s %s: trying again: %s", key.kind, key.name, error)
        return False
    return True
