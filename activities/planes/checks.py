"""Looks at a plane: what there is on it, and whether it still answers."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.common.heartbeats import heartbeating
from clients.kubernetes.capabilities import discover
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from clients.kubernetes.shared import SharedWatches
from clients.kubernetes.watch import Object
from domain.deliveries.planes import CREDENTIALS, FoundCapabilities, PlaneRequest, PlaneWatch
from domain.errors import DependencyUnavailable, Errored, PlatformError, RateLimited

_KINDS = Kind(
    "apiextensions.k8s.io/v1", "CustomResourceDefinition", "customresourcedefinitions",
    namespaced=False,
)  # fmt: skip
_SWEEP = timedelta(hours=1)
"""After which it is looked at anew, although nothing was seen to change."""
_SETTLE = 1.0
_MOST_ROUTE_KINDS, _MOST_FEATURES, _MOST_CONTROLLERS = 20, 200, 20
"""As many as the status of a plane has room for."""


class PlaneCheckActivities:
    """Readings of one cluster. A start tells that the worker of the plane works."""

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        self._cluster = cluster
        self._watches = watches

    @activity.defn
    async def inspect_plane(self, request: PlaneRequest) -> FoundCapabilities:
        """Returns what there is on the cluster. Idempotent: a reading.

        Raises:
            DependencyUnavailable: Its API server does not answer, or why it cannot be asked is what
                was told already.
            Errored: It cannot be asked for another reason than was told: to be told at once.
        """
        try:
            return await self._found()
        except PlatformError as error:
            is_new = bool(request.told or CREDENTIALS in error.facts)
            if is_new and error.message != request.told:
                raise Errored(error.message, facts=error.facts) from error
            if isinstance(error, RateLimited):
                raise
            raise DependencyUnavailable(error.message, facts=error.facts) from error

    async def _found(self) -> FoundCapabilities:
        found = await discover(self._cluster)
        metrics = "metrics.k8s.io" in found.groups
        return FoundCapabilities(
            kubernetes_version=found.kubernetes_version,
            gateway_api=found.groups.get("gateway.networking.k8s.io", ""),
            route_kinds=found.gateways.route_kinds[:_MOST_ROUTE_KINDS],
            gateway_features=found.gateways.features[:_MOST_FEATURES],
            gateway_controllers=found.gateways.controllers[:_MOST_CONTROLLERS],
            gateway_extensions=found.gateways.extensions,
            cert_manager=found.groups.get("cert-manager.io", ""),
            external_secrets=found.groups.get("external-secrets.io", ""),
            secrets_store_csi=found.groups.get("secrets-store.csi.x-k8s.io", ""),
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
            # From the beginning: a connection that breaks before the watch is there counts too.
            broken = asyncio.ensure_future(watch.broken())
            try:
                await _first(broken, watch.synced())
                known = set(watch.store)
                async with watch.subscribe(lambda one: key_of(one) not in known) as new:
                    if await self._found() != request.found:
                        return
                    with suppress(TimeoutError):
                        async with asyncio.timeout(_SWEEP.total_seconds()):
                            await _first(broken, anext(new))
                            await asyncio.sleep(_SETTLE)
            finally:
                broken.cancel()


async def _first(broken: asyncio.Future[PlatformError], awaited: Awaitable[object]) -> None:
    """Waits for something as long as the connection holds.

    Raises:
        DependencyUnavailable: It broke.
    """
    waiting = asyncio.ensure_future(awaited)
    both: tuple[asyncio.Future[Any], ...] = (broken, waiting)
    try:
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if broken.done():
            raise DependencyUnavailable(broken.result().message)
        await waiting
    finally:
        waiting.cancel()


def key_of(obj: Object) -> tuple[str, str]:
    """Returns by what a shared watch knows an object of the whole cluster."""
    return "", str(obj["metadata"]["name"])
