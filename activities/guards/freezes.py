"""Reads the freeze windows in force, from the shared watch: no request to the API server each."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from temporalio import activity

from activities.common.kinds import platform
from activities.common.reading import find
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
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

    async def read(self, place: FreezePlace, at: datetime | None = None) -> FreezeVerdict:
        """Returns the verdict of this moment; what is not told of the component is looked up.

        Raises:
            DependencyUnavailable: The API server does not answer.
        """
        if place.component and not (place.project and place.labels):
            place = await self._complete(place)
        moment = at or datetime.now(UTC)
        readable, broken = await self._windows(place.organization)
        verdict = windows.verdict(readable, place, moment)
        if not broken:
            return verdict
        return verdict.model_copy(update={"closed_by": (*verdict.closed_by, *broken)})

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

    async def _windows(self, organization: str) -> tuple[list[FreezeWindow], list[ClosedBy]]:
        watch = self._watches.of(platform(FreezeWindow.kind))
        readable, broken = [], []
        async with watch.subscribe():
            async with asyncio.timeout(_SYNC_SECONDS):
                await watch.synced()
            for (namespace, name), obj in sorted(watch.store.items()):
                if namespace != organization:
                    continue
                try:
                    readable.append(parse_as(FreezeWindow, obj))
                except InvalidRequest as error:
                    reason = f"it cannot be read, so it counts: {error.message}"
                    broken.append(ClosedBy(window=name, reason=reason[:500]))
        return readable, broken


class FreezeActivities:
    """Readings of freeze windows for what is under way."""

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        """``watches`` are those of the control plane."""
        self._reader = FreezeReader(cluster, watches)

    @activity.defn
    async def read_freeze(self, place: FreezePlace) -> FreezeVerdict:
        """Tells whether a place is open now. Idempotent: a reading."""
        return await self._reader.read(place)
