"""The log of a component: that of all its pods in an environment, line by line."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from typing import Any

from api.serving.streams import Joined
from clients.kubernetes import Cluster, Kind, SharedWatches, WatchEvent, lines, pod_logs
from domain.errors import InvalidRequest, NotFound, PlatformError

_PODS = Kind("v1", "Pod", "pods", namespaced=True)


class PodLogs:
    """Reads the logs of the pods that a label selector finds in a namespace."""

    def __init__(
        self, cluster: Cluster, namespace: str, labels: str, *, tail: int | None, previous: bool
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._labels = labels
        self._tail = tail
        self._previous = previous

    async def now(self) -> AsyncGenerator[bytes, None]:
        """Yields what has been written so far, pod after pod.

        Raises:
            NotFound: There are no pods.
        """
        pods = (await self._cluster.list(_PODS, self._namespace, self._labels)).items
        if not pods:
            raise NotFound(f"there are no pods in {self._namespace}")
        for pod in sorted(pods, key=_created):
            for container in _started(pod):
                async for line in self._lines(_name(pod), container, follow=False):
                    yield line

    async def follow(self, watches: SharedWatches) -> AsyncGenerator[bytes, None]:
        """Yields what is written from now on, also by pods that come later."""
        joined: Joined[bytes] = Joined()
        watch = watches.of(_PODS, self._namespace, self._labels)
        try:
            async with watch.subscribe() as events:
                joined.run(self._attach(joined, events))
                async for line in joined:
                    yield line
        finally:
            await joined.close()

    async def _attach(self, joined: Joined[bytes], events: AsyncIterator[WatchEvent]) -> None:
        """Begins to read each container when it has started, and again after a restart."""
        async for event in events:
            pod = event.object
            for container in _started(pod) if event.type != "DELETED" else ():
                source = f"{pod['metadata']['uid']}/{container}/{_restarts(pod)}"
                if not joined.has(source):
                    joined.add(source, self._lines(_name(pod), container, follow=True))

    async def _lines(
        self, pod: str, container: str, *, follow: bool
    ) -> AsyncGenerator[bytes, None]:
        source = f"{pod}/{container}" if container != "main" else pod
        parts = pod_logs(
            self._cluster,
            self._namespace,
            pod,
            container,
            follow=follow,
            tail=self._tail,
            previous=self._previous,
        )
        try:
            async for line in lines(parts):
                yield b"[" + source.encode() + b"] " + line + b"\n"
        except (NotFound, InvalidRequest):
            return  # gone, or not started again yet
        except PlatformError as error:
            yield f"[{source}] -- the log ends here: {error.message}\n".encode()


def _started(pod: Mapping[str, Any]) -> list[str]:
    """Containers of which there is a log."""
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return [
        str(status["name"])
        for status in statuses
        if {"running", "terminated"} & set(status.get("state", {})) or status.get("lastState")
    ]


def _restarts(pod: Mapping[str, Any]) -> int:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return sum(int(status.get("restartCount", 0)) for status in statuses)


def _name(pod: Mapping[str, Any]) -> str:
    return str(pod["metadata"]["name"])


def _created(pod: Mapping[str, Any]) -> str:
    return f"{pod['metadata'].get('creationTimestamp', '')}{_name(pod)}"
