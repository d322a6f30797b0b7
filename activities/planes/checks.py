"""Looks at a plane: what there is on it, and whether it still answers."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity

from activities.common.heartbeats import heartbeating
from clients.kubernetes.capabilities import discover
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from clients.kubernetes.shared import SharedWatches
from clients.kubernetes.watch import Object
from domain.deliveries.planes import FoundCapabilities, PlaneRequest, PlaneWatch
from domain.errors import DependencyUnavailable

_KINDS = Kind(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions",
    namespaced=False,
)  # fmt: skip
_SWEEP = timedelta(hours=1)
"""After which it is looked at anew, although nothing was seen to change."""
_SETTLE = 1.0


class PlaneCheckActivities:
    """Readings of one cluster. A start tells that the worker of the plane works."""

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        self._cluster = cluster
        self._watches = watches

    @activity.defn
    async def inspect_plane(self, _request: PlaneRequest) -> FoundCapabilities:
        """Returns what there is on the cluster. Idempotent: a reading.

        Raises:
            DependencyUnavailable: Its API server does not answer.
        """
        return await self._found()

    async def _found(self) -> FoundCapabilities:
        found = await discover(self._cluster)
        metrics = "metrics.k8s.io" in found.groups
        return FoundCapabilities(
            kubernetes_version=found.kubernetes_version,
            gateway_api=found.groups.get("gateway.networking.k8s.io", ""),
            cilium=found.groups.get("cilium.io", ""),
            metrics=metrics,
            autoscaler=metrics and "autoscaling" in found.groups,
            argo_workflows="argoproj.io" in found.groups,
            admission_policies="admissionregistration.k8s.io" in found.groups,
            storage_classes=found.storage_classes,
        )

    @activity.defn
    async def watch_plane(self, request: PlaneWatch) -> None:
        """Returns when kinds appear or go, or after an hour; its heartbeats tell that it lives.

        What changed before the watch began is found by looking once more when it has begun.
        Idempotent: a reading. Cancel: at once. All planes of a worker share one connection.

        Raises:
            DependencyUnavailable: The connection to the API server broke.
        """
        watch = self._watches.of(_KINDS)
        async with heartbeating(lambda: request.plane):
            await watch.synced()
            known = set(watch.store)
            async with watch.subscribe(lambda one: key_of(one) not in known) as new:
                if await self._found() != request.found:
                    return
                changed = asyncio.ensure_future(anext(new))
                broken = asyncio.ensure_future(watch.broken())
                try:
                    await asyncio.wait(
                        {changed, broken},
                        timeout=_SWEEP.total_seconds(),
                        return_when=asyncio.FIRST_COMPLETED,
                    )
                    if broken.done():
                        raise DependencyUnavailable(broken.result().message)
                    await asyncio.sleep(_SETTLE)
                finally:
                    changed.cancel()
                    broken.cancel()


def key_of(obj: Object) -> tuple[str, str]:
    """Returns by what a shared watch knows an object of the whole cluster."""
    return "", str(obj["metadata"]["name"])
