"""Asks the systems of an ObservabilityPlane whether they are there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable

from temporalio import activity

from activities.common.askers import Askers
from activities.common.reading import listed
from clients.kubernetes.cluster import Cluster
from clients.web import Asker, Loki, Prometheus
from domain.deliveries.observing import Observer, Observers
from domain.deliveries.planes import ObservabilityRequest, ObservabilitySeen
from domain.errors import PlatformError
from domain.resources import DataPlane

_SECONDS = 5
_QUESTION = "vector(0) > 0"
"""What every Prometheus answers with no series."""
_MOST_PLANES = 20


class ObserverActivities:
    """What the control plane knows of who uses an ObservabilityPlane."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def find_observers(self, request: ObservabilityRequest) -> Observers:
        """Returns the planes whose workers ask it, by name; the first twenty of them.

        Idempotent: a reading.
        """
        planes = await listed(self._cluster, DataPlane, request.organization)
        used = sorted(
            (one.name, one.task_queue)
            for one in planes
            if one.spec.observability_plane_ref == request.plane
        )
        found = [Observer(plane=name, task_queue=queue) for name, queue in used[:_MOST_PLANES]]
        return Observers(planes=tuple(found))


class ObservabilityActivities:
    """Readings of what measures, for the workers of planes and, where none uses it, for others."""

    def __init__(self, prometheus: Prometheus, loki: Loki, askers: Askers | None = None) -> None:
        self._prometheus = prometheus
        self._loki = loki
        self._askers = askers or Askers()

    @activity.defn
    async def ask_observability(self, request: ObservabilityRequest) -> ObservabilitySeen:
        """Returns whether each system that is named answers. No answer is an answer too.

        Idempotent: a reading. Cancel: at once.
        """
        if not (request.prometheus_url or request.logs_url):
            nothing = "it names neither a Prometheus nor a log store"
            return ObservabilitySeen(connected=False, message=nothing)
        try:
            who = await self._askers.of(request.organization, request.asked_as)
        except PlatformError as error:
            return ObservabilitySeen(connected=False, message=error.message)
        said = await asyncio.gather(
            self._metrics(request.prometheus_url, who), self._logs(request.logs_url, who)
        )
        wrong = [one for one in said if one]
        return ObservabilitySeen(connected=not wrong, message="; ".join(wrong))

    async def _metrics(self, url: str, who: Asker) -> str:
        if not url:
            return ""
        asked = self._prometheus.query(url, _QUESTION, who=who, timeout_seconds=_SECONDS)
        return await _wrong(asked)

    async def _logs(self, url: str, who: Asker) -> str:
        if not url:
            return ""
        return await _wrong(self._loki.check(url, who=who, timeout_seconds=_SECONDS))


async def _wrong(asked: Awaitable[object]) -> str:
    try:
        await asked
    except PlatformError as error:
        return error.message
    return ""
