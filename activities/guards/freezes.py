"""Reads the freeze windows in force, from the shared watch: an open place costs no request.

What wakes a flow may be quicker than the watch of the process that looks then. Closed is therefore
said, and a look of somebody who was told is made, only by what the API server has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.common.kinds import platform
from activities.common.reading import find
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.kubernetes.watch import Object
from domain.deliveries.freezes import ClosedBy, FreezePlace, FreezeVerdict
from domain.errors import InvalidRequest
from domain.policies import windows
from domain.resources import Component, FreezeWindow, parse_as
from domain.resources.freeze import RolloutInProgress

_SYNC_SECONDS = 20


class FreezeReader:
    """Says whether a place is open. A window that cannot be read keeps it closed."""

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        self._cluster = cluster
        self._watches = watches

    async def read(
        self, place: FreezePlace, at: datetime | None = None, *, told: bool = False
    ) -> FreezeVerdict:
        """Returns the verdict of this moment; what is not told of the component is looked up.

        Args:
            place: Where.
            at: Of another moment than this one.
            told: Somebody said that a window changed: the watch may not have seen it yet.

        Raises:
            DependencyUnavailable: The API server does not answer.
        """
        if place.component and not (place.project and place.labels):
            place = await self._complete(place)
        moment = at or datetime.now(UTC)
        if not told:
            verdict = _judged(await self._watched(place.organization), place, moment)
            if verdict.is_open:
                return verdict
        listing = await self._cluster.list(platform(FreezeWindow.kind), place.organization)
        return _judged(listing.items, place, moment)

    async def telling(
        self, place: FreezePlace, soon: timedelta = timedelta(0)
    ) -> FreezeVerdict | None:
        """Returns the verdict of this moment when there is something to say; None = just open.

        Also said is that a window begins ``soon`` that wants undone what is under way then.

        Raises:
            DependencyUnavailable: The API server does not answer.
        """
        verdict = await self.read(place)
        if verdict.closed_by or verdict.lifted:
            return verdict
        if verdict.until is None or verdict.until > verdict.at + soon:
            return None
        then = await self.read(place, verdict.until)
        if then.in_progress != RolloutInProgress.REVERT:
            return None
        return verdict.model_copy(update={"reverts_then": True})

    async def _complete(self, place: FreezePlace) -> FreezePlace:
        component = await find(self._cluster, Component, place.component, place.organization)
        if component is None:
            return place
        return place.model_copy(
            update={"project": component.project, "labels": dict(component.metadata.labels)}
        )

    async def _watched(self, organization: str) -> list[Object]:
        watch = self._watches.of(platform(FreezeWindow.kind))
        async with watch.subscribe():
            async with asyncio.timeout(_SYNC_SECONDS):
                await watch.synced()
            return [obj for (namespace, _), obj in watch.store.items() if namespace == organization]


def _judged(objects: Iterable[Object], place: FreezePlace, moment: datetime) -> FreezeVerdict:
    readable, broken = [], []
    for obj in sorted(objects, key=lambda one: str(one["metadata"]["name"])):
        try:
            readable.append(parse_as(FreezeWindow, obj))
        except InvalidRequest as error:
            reason = f"it cannot be read, so it counts: {error.message}"
            broken.append(ClosedBy(window=obj["metadata"]["name"], reason=reason[:500]))
    verdict = windows.verdict(readable, place, moment)
    if not broken:
        return verdict
    return verdict.model_copy(update={"closed_by": (*verdict.closed_by, *broken)})


class FreezeActivities:
    """Readings of freeze windows for what is under way."""

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        """``watches`` are those of the control plane."""
        self._reader = FreezeReader(cluster, watches)

    @activity.defn
    async def read_freeze(self, place: FreezePlace) -> FreezeVerdict:
        """Tells whether a place is open now, to somebody who was told. Idempotent: a reading."""
        return await self._reader.read(place, told=True)
