"""Copies what pods that are gone wrote, from the log store of their plane."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from contextlib import aclosing

from activities.common.askers import Askers
from activities.common.clocks import Clock
from activities.looks.log_copies import LogCopy
from clients.web import Loki
from domain.deliveries.logs import LogStore, PreparedLog
from domain.errors import DependencyUnavailable
from domain.policies.log_lines import LogLine, is_newer
from domain.policies.past_logs import nanoseconds_of, past_lines, past_query

_MOST_BYTES = 8 * 1024 * 1024
"""Half of what a copy takes: what pods that are there write comes after it."""
_LONGEST_SECONDS = 60
"""Less than a look lasts: what pods that are there wrote has its time as well."""
_CLOCKS_DIFFER = 60
"""Seconds by which nodes may be ahead."""
_NANOSECONDS = 1_000_000_000


class PastLogs:
    """The log stores that planes name, as their workers ask them."""

    def __init__(self, loki: Loki | None = None, askers: Askers | None = None) -> None:
        self._loki = loki or Loki()
        self._askers = askers or Askers()

    async def copy_to(
        self, copy: LogCopy, store: LogStore, order: PreparedLog, living: Collection[str]
    ) -> int:
        """Copies the lines since the time that is asked for; returns of how many containers.

        Idempotent: what an earlier attempt copied is passed over.

        Args:
            copy: Where they come.
            store: Where they are.
            order: What is looked at.
            living: Names of pods that are read themselves.

        Raises:
            DependencyUnavailable: The store, or who keeps its credentials, does not answer.
            InvalidRequest: It refuses to.
            StaleRevision: Another attempt writes the copy now.
        """
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                return await self._copied(copy, store, order, living)
        except TimeoutError:
            told = f"log store at {store.url} did not tell all of it within {_LONGEST_SECONDS} s"
            raise DependencyUnavailable(f"{told}: ask for a shorter time") from None

    async def _copied(
        self, copy: LogCopy, store: LogStore, order: PreparedLog, living: Collection[str]
    ) -> int:
        request, known = order.request, dict[str, str]()
        who = await self._askers.of(request.organization, store.asked_as)
        query = past_query(store, order.namespace, request.component, living)
        begin = nanoseconds_of(request.since)
        end = int(Clock().now().timestamp() + _CLOCKS_DIFFER) * _NANOSECONDS
        first = copy.size
        async with aclosing(self._loki.entries(store.url, query, begin, end, who)) as entries:
            async for entry in entries:
                for line in past_lines(store, entry.labels, entry.at, entry.text):
                    before = known.setdefault(line.source, copy.seen(line.source))
                    if not before or is_newer(line.time, before):
                        await copy.add(line)
                if copy.size - first >= _MOST_BYTES:
                    more = "pods that are gone wrote more than is read at once"
                    shorter = f"{more}: ask for a shorter time with --since"
                    await copy.add(LogLine.note("-", "-", shorter))
                    break
        return len(known)
