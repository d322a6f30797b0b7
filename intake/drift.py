"""Sees by the events of a plane that somebody else changed what Pavane applied there.

Runs where the plane is reached (role `plane`) and knows nothing of what is wanted: it tells the
drift procedure of the place where a look is worthwhile (docs/decisions/0007). One process a
cluster acts, by a Lease in that cluster.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import timedelta

from temporalio.client import Client
from temporalio.service import RPCError

from activities.common.kinds import RELEASE_KINDS
from clients.kubernetes import Cluster, Kind, Leader, SharedWatches, WatchEvent
from clients.kubernetes.shared import SharedWatch
from clients.kubernetes.watch import DELETED
from domain.deliveries import DriftRequest
from domain.errors import InvalidRequest, NotFound, PlatformError
from domain.ids import FIELD_MANAGER
from domain.rendering.labels import MANAGED_BY
from intake.leading import LEASE_NAMESPACE, ensure_namespace, process_identity
from intake.places import Place, Places, trimmed
from intake.work_queue import WorkQueue
from workflows.starting import signal_drift

_LOG = logging.getLogger(__name__)
_LEASE = "pavane-drift"
_HANDS = 8
_SWEEP = timedelta(hours=1)
_PACE = timedelta(milliseconds=500)
"""Between two places of a sweep, so that a sweep is never felt."""
_FIRST_LISTS = timedelta(seconds=30)
_SEEN_LIMIT = 500


class DriftWatch:
    """Watches one cluster while this process leads there."""

    def __init__(
        self,
        cluster: Cluster,
        client: Client,
        *,
        namespace: str = LEASE_NAMESPACE,
        sweep: timedelta = _SWEEP,
        only: str = "",
    ) -> None:
        """Prepares; ``run`` begins.

        Args:
            cluster: The plane.
            client: Temporal.
            namespace: Where the Lease lies.
            sweep: How often every place is looked at although nothing was seen.
            only: Label selector besides, so that tests on one cluster do not meet.
        """
        self._cluster = cluster
        self._client = client
        self._namespace = namespace
        self._sweep = sweep
        self._labels = ",".join(filter(None, [f"{MANAGED_BY}={FIELD_MANAGER}", only]))

    async def run(self) -> None:
        """Waits for the lead, then acts until it is lost; again and again until cancelled."""
        await ensure_namespace(self._cluster, self._namespace, "drift watch")
        leader = Leader(self._cluster, _LEASE, self._namespace, process_identity())
        await leader.run(self._lead)

    async def _lead(self) -> None:
        _LOG.info("drift is watched in this process")
        await _Watching(self._cluster, self._client, self._labels, self._sweep).run()


class _Watching:
    """One time of leading: begins with all there is, goes on with what changes."""

    def __init__(self, cluster: Cluster, client: Client, labels: str, sweep: timedelta) -> None:
        self._cluster = cluster
        self._client = client
        self._labels = labels
        self._sweep_every = sweep
        self._watches = SharedWatches(cluster, trim=trimmed)
        self._places = Places()
        self._queue: WorkQueue[Place] = WorkQueue(self._look, hands=_HANDS)
        self._told: dict[Place, str] = {}
        self._due: set[Place] = set()

    async def run(self) -> None:
        """Acts until it is cancelled."""
        try:
            async with AsyncExitStack() as stack, asyncio.TaskGroup() as group:
                group.create_task(self._queue.run(), name="drift queue")
                watched: set[Kind] = set()
                while True:
                    for kind in await self._kinds(watched):
                        watched.add(kind)
                        shared = self._watches.of(kind, labels=self._labels)
                        events = await stack.enter_async_context(shared.subscribe())
                        group.create_task(self._follow(events), name=f"drift {kind.kind}")
                    await self._sweep(
                        [self._watches.of(kind, labels=self._labels) for kind in watched]
                    )
                    await asyncio.sleep(self._sweep_every.total_seconds())
        finally:
            await self._watches.close()

    async def _kinds(self, watched: set[Kind]) -> list[Kind]:
        """Returns kinds of releases that the cluster has and that are not watched yet."""
        found = []
        for kind in RELEASE_KINDS:
            try:
                await self._cluster.kind_of(kind.api_version, kind.kind)
            except NotFound:
                _LOG.debug("%s is not known to this cluster", kind.kind)
                continue
            except PlatformError as error:
                # The watch itself tries again until there is an answer.
                _LOG.warning("%s: %s", kind.kind, error)
            if kind not in watched:
                found.append(kind)
        return found

    async def _follow(self, events: AsyncIterator[WatchEvent]) -> None:
        async for event in events:
            gone = event.type == DELETED
            self._queue.add(
                self._places.remove(event.object) if gone else self._places.put(event.object)
            )

    async def _sweep(self, watches: list[SharedWatch]) -> None:
        """Has every place looked at: what was deleted while nobody watched left no event."""
        waiting = [asyncio.create_task(one.synced()) for one in watches]
        if waiting:
            _, late = await asyncio.wait(waiting, timeout=_FIRST_LISTS.total_seconds())
            for each in late:
                each.cancel()
        for place in sorted(self._places.all()):
            self._due.add(place)
            self._queue.add({place})
            await asyncio.sleep(_PACE.total_seconds())

    async def _look(self, place: Place) -> bool:
        """Tells the procedure of a place that it is worth a look; False = try again later."""
        fingerprint = self._places.fingerprint(place)
        if fingerprint == self._told.get(place, "") and place not in self._due:
            return True
        try:
            await self._tell(place)
        except InvalidRequest as error:
            _LOG.warning("left alone: %s", error.message)
        except RPCError as error:
            _LOG.warning("drift of %s: trying again: %s", place.component, error)
            return False
        self._due.discard(place)
        self._told[place] = fingerprint
        if self._places.forget(place):
            del self._told[place]
        return True

    async def _tell(self, place: Place) -> None:
        seen = self._places.seen(place)[:_SEEN_LIMIT]
        handle = await signal_drift(
            self._client,
            DriftRequest(
                organization=place.organization,
                component=place.component,
                environment=place.environment,
                seen=seen,
            ),
        )
        _LOG.info("told %s: %s", handle.id, seen or "look at everything")
