"""Asks the systems of an ObservabilityPlane whether they are there."""

from __future__ import annotations

import asyncio

from temporalio import activity

from clients.loki import Loki
from clients.prometheus import Prometheus
from domain.deliveries.planes import ObservabilityRequest, ObservabilitySeen
from domain.errors import PlatformError

_SECONDS = 5
_QUESTION = "vector(0) > 0"
"""What every Prometheus answers with no series."""


class ObservabilityActivities:
    """Readings of what measures, for the task queue of calls to other systems."""

    def __init__(self, prometheus: Prometheus, loki: Loki) -> None:
        self._prometheus = prometheus
        self._loki = loki

    @activity.defn
    async def ask_observability(self, request: ObservabilityRequest) -> ObservabilitySeen:
        """Returns whether each system that is named answers. No answer is an answer too.

        Idempotent: a reading. Cancel: at once.
        """
        said = await asyncio.gather(
            self._metrics(request.prometheus_url), self._logs(request.logs_url)
        )
        wrong = [one for one in said if one]
        if not (request.prometheus_url or request.logs_url):
            wrong = ["it names neither a Prometheus nor a log store"]
        return ObservabilitySeen(connected=not wrong, message="; ".join(wrong))

    async def _metrics(self, url: str) -> str:
        if not url:
            return ""
        try:
            await self._prometheus.query(url, _QUESTION, timeout_seconds=_SECONDS)
        except PlatformError as error:
            return error.message
        return ""

    async def _logs(self, url: str) -> str:
        if not url:
            return ""
        try:
            await self._loki.check(url, timeout_seconds=_SECONDS)
        except PlatformError as error:
            return error.message
        return ""
