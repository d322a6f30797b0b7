"""Asks the systems of an ObservabilityPlane whether they are there."""

from __future__ import annotations

import asyncio

from temporalio import activity

from clients.probes import Probes
from clients.prometheus import Prometheus
from domain.deliveries.planes import ObservabilityRequest, ObservabilitySeen
from domain.errors import PlatformError

_SECONDS = 5
_QUESTION = "vector(0) > 0"
"""What every Prometheus answers with no series."""


class ObservabilityActivities:
    """Readings of what measures, for the task queue of calls to other systems."""

    def __init__(self, prometheus: Prometheus, probes: Probes) -> None:
        self._prometheus = prometheus
        self._probes = probes

    @activity.defn
    async def ask_observability(self, request: ObservabilityRequest) -> ObservabilitySeen:
        """Returns whether each system that is named answers. No answer is an answer too.

        Of a log store only that it answers is known. Idempotent: a reading. Cancel: at once.
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
        answer = await self._probes.ask(url, timeout_seconds=_SECONDS)
        return "" if answer.passed else f"log store: {answer.message}"
