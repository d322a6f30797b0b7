"""Stands in for the nodes of a core stack, which has none: says of each pod that it is ready.

Pods of an image that ends in ``FAILING`` are said to have no image instead.

The controllers of Kubernetes are real, so Deployments and ReplicaSets take the way they always
take; only the kubelet's part is simulated, without running anything.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any

from clients.kubernetes import Cluster, Kind, Object, SharedWatches
from clients.kubernetes.watch import DELETED
from domain.errors import PlatformError
from domain.rendering.labels import COMPONENT

PODS = Kind("v1", "Pod", "pods", namespaced=True)


FAILING = "fails@sha256:" + "0" * 64


class SimulatedPods:
    """Makes pods ready as soon as they are there."""

    def __init__(self, cluster: Cluster, namespace: str) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self.requests = 0
        """Sent to the API server so far, so that they can be told from the platform's."""
        self.failed: dict[str, float] = {}
        """Component -> when its pod was said to have failed: just before the request."""

    async def run(self) -> None:
        """Works until it is cancelled."""
        watches = SharedWatches(self._cluster)
        watch = watches.of(PODS, self._namespace, COMPONENT)
        try:
            async with watch.subscribe() as events, asyncio.TaskGroup() as group:
                async for event in events:
                    if event.type != DELETED and _is_waiting(event.object):
                        group.create_task(self._make_ready(event.object))
        finally:
            await watches.close()

    async def _make_ready(self, pod: Object) -> None:
        name = pod["metadata"]["name"]
        self.requests += 1
        status = _running(pod)
        if pod["spec"]["containers"][0]["image"].endswith(FAILING):
            status = _without_image(pod)
            self.failed.setdefault(pod["metadata"]["labels"][COMPONENT], time.perf_counter())
        with suppress(PlatformError):  # it is gone again
            await self._cluster.patch(PODS, name, self._namespace, {"status": status}, "status")


@asynccontextmanager
async def simulated_pods(cluster: Cluster, namespace: str) -> AsyncIterator[SimulatedPods]:
    """Simulates while the block lasts."""
    pods = SimulatedPods(cluster, namespace)
    task = asyncio.create_task(pods.run())
    try:
        yield pods
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _is_waiting(pod: Object) -> bool:
    status = pod.get("status", {})
    is_new = status.get("phase", "Pending") == "Pending" and not status.get("containerStatuses")
    return is_new and not pod["metadata"].get("deletionTimestamp")


def _running(pod: Object) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    kinds = ("PodScheduled", "Initialized", "ContainersReady", "Ready")
    return {
        "phase": "Running",
        "startTime": at,
        "conditions": [{"type": one, "status": "True", "lastTransitionTime": at} for one in kinds],
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": True,
                "started": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": at}},
            }
            for container in pod["spec"]["containers"]
        ],
    }


def _without_image(pod: Object) -> dict[str, Any]:
    waiting = {"reason": "ErrImagePull", "message": "manifest unknown"}
    return {
        "phase": "Pending",
        "containerStatuses": [
            {
                "name": container["name"],
                "image": container["image"],
                "imageID": "",
                "ready": False,
                "started": False,
                "restartCount": 0,
                "state": {"waiting": waiting},
            }
            for container in pod["spec"]["containers"]
        ],
    }
