"""Archives the log of a build pod while it is written."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Self

from activities.common.kinds import PODS
from activities.common.observation import changes
from clients.kubernetes.backoff import Backoff
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.logs import lines, pod_logs
from clients.kubernetes.shared import SharedWatches
from clients.objects import LogArchive, ObjectStore
from domain.errors import PlatformError
from domain.policies.build_report import parse_marker
from domain.rendering import labels as names

_LOG = logging.getLogger(__name__)
_CONTAINER = "main"
_GRACE = timedelta(seconds=15)
_LINES = 50


class BuildLog:
    """Copies one container's log into the object store, from its start to its end.

    A later attempt goes on where the archive ends: the pod keeps its whole log.
    """

    def __init__(
        self,
        cluster: Cluster,
        watches: SharedWatches,
        objects: ObjectStore,
        *,
        namespace: str,
        key: str,
    ) -> None:
        self._cluster = cluster
        self._pods = watches.of(PODS, labels=names.COMPONENT)
        self._objects = objects
        self._namespace = namespace
        self._key = key
        self._last: deque[str] = deque(maxlen=_LINES)
        self._tests: deque[str] = deque(maxlen=_LINES)
        self._stage = ""
        self._task: asyncio.Task[None] | None = None

    @property
    def said(self) -> str:
        """The stage the build is in, for the heartbeat."""
        return self._stage or "waiting"

    @property
    def tail(self) -> str:
        """The last 50 lines of the build's own output seen so far, without those of Argo."""
        return "\n".join(self._last)

    @property
    def test_report(self) -> str:
        """The last 50 lines of the stage ``test``; empty when there was none."""
        return "\n".join(self._tests)

    def pod_is(self, pod: str) -> None:
        """Begins to copy as soon as the pod is known; may be called again and again."""
        if pod and self._task is None:
            self._task = asyncio.create_task(self._copy(pod), name=f"log of {pod}")

    async def complete(self) -> None:
        """Waits until the rest of the log has arrived, for a bounded time."""
        if self._task is not None:
            with suppress(TimeoutError, PlatformError):
                async with asyncio.timeout(_GRACE.total_seconds()):
                    await asyncio.shield(self._task)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _copy(self, pod: str) -> None:
        """Copies to the end of the log, again after each fault of the plane or of the store."""
        await self._started(pod)
        backoff = Backoff(first=0.5)
        while True:
            try:
                await self._copy_once(pod)
            except PlatformError as error:
                if not error.retryable:
                    raise
                _LOG.warning("log of %s: copied on after a while: %s", pod, error.message)
            else:
                return
            await backoff.wait()
            # It is read again from its start; what the archive has already is passed over.
            self._last.clear()
            self._tests.clear()
            self._stage = ""

    async def _copy_once(self, pod: str) -> None:
        archive = await LogArchive.open(self._objects, self._key)
        known = archive.size
        try:
            log = pod_logs(self._cluster, self._namespace, pod, _CONTAINER, follow=True)
            async for line in lines(log):
                self._read(line.decode(errors="replace"))
                part = line + b"\n"
                if known >= len(part):
                    known -= len(part)
                    continue
                await archive.write(part[known:])
                known = 0
            await archive.finish()
        finally:
            await archive.close()

    def _read(self, line: str) -> None:
        marker = parse_marker(line)
        if marker is not None:
            self._stage = marker.stage if marker.begins else ""
            return
        if line.startswith('time="') and " argo=true" in line:
            return
        self._last.append(line)
        if self._stage == "test":
            self._tests.append(line)

    async def _started(self, pod: str) -> None:
        """Waits until the container runs or has run."""
        async with changes([self._pods], lambda obj: bool(obj["metadata"]["name"] == pod)) as seen:
            while not _has_started(self._pods.store.get((self._namespace, pod), {})):
                await seen.wait(None)


def _has_started(pod: dict[str, object]) -> bool:
    status = pod.get("status")
    statuses = status.get("containerStatuses") if isinstance(status, dict) else None
    return any(
        each["name"] == _CONTAINER and each["state"].keys() & {"running", "terminated"}
        for each in statuses or ()
    )
