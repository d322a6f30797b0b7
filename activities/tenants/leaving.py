"""Removes from a plane the namespaces of environments that left it, when nothing is in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from temporalio import activity

from activities.common.kinds import (
    CONFIG_MAPS,
    CRON_JOBS,
    DEPLOYMENTS,
    HTTP_ROUTES,
    JOBS,
    NAMESPACES,
    PODS,
    SERVICES,
)
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from domain.deliveries.tenants import TenantLeaving, TenantLeft
from domain.errors import NotFound
from domain.rendering import labels as names
from domain.rendering.tenants.bounds import BOUNDS

_QUOTAS = Kind("v1", "ResourceQuota", "resourcequotas", namespaced=True)
_CLAIMS = Kind("v1", "PersistentVolumeClaim", "persistentvolumeclaims", namespaced=True)
_KEEPING = (_CLAIMS, DEPLOYMENTS, CRON_JOBS, JOBS, PODS, SERVICES, HTTP_ROUTES, CONFIG_MAPS)
"""Kinds of which one object keeps a namespace."""
_OF_KUBERNETES = "kube-root-ca.crt"


class TenantLeavingActivities:
    """Effects of the set-up of organizations on a plane that environments left."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def leave_namespaces(self, leaving: TenantLeaving) -> TenantLeft:
        """Deletes those namespaces of the organization in which nothing is any more.

        With ``look`` it deletes none and tells which it would. A namespace that was set up for
        another plane since is that plane's: both are one cluster. What somebody else put into one
        keeps it, and is told.

        Idempotent: what is gone, or about to go, is passed over. Cancel: between two namespaces.
        Nothing needs an undo: an environment that comes back is set up anew.
        """
        selector = f"{names.ORGANIZATION}={leaving.organization},{names.SHARED}=true"
        found = (await self._cluster.list(NAMESPACES, "", selector)).items
        removed, kept = list[str](), list[str]()
        for one in found:
            name = one["metadata"]["name"]
            if name not in leaving.namespaces or "deletionTimestamp" in one["metadata"]:
                continue
            activity.heartbeat(name)
            if not await self._is_of(leaving.plane, name):
                continue
            if what := await self._kept_by(name):
                kept.append(f"{name} has {what}")
                continue
            if not leaving.look:
                await self._cluster.delete(NAMESPACES, name, uid=one["metadata"]["uid"])
            removed.append(name)
        return TenantLeft(removed=tuple(removed), kept=tuple(kept))

    async def _is_of(self, plane: str, namespace: str) -> bool:
        bounds = await self._cluster.find(_QUOTAS, BOUNDS, namespace)
        annotations = (bounds or {}).get("metadata", {}).get("annotations") or {}
        return bool(annotations.get(names.PLANE, plane) == plane)

    async def _kept_by(self, namespace: str) -> str:
        for kind in _KEEPING:
            try:
                found = (await self._cluster.list(kind, namespace)).items
            except NotFound:
                continue  # the plane has no such kind
            for one in found:
                if _keeps(one["metadata"]):
                    return f"{kind.kind} {one['metadata']['name']}"
        return ""


def _keeps(meta: Mapping[str, Any]) -> bool:
    """What is about to go keeps nothing, nor what the owner of a component's object still has."""
    if "deletionTimestamp" in meta or meta["name"] == _OF_KUBERNETES:
        return False
    is_of_component = names.COMPONENT in (meta.get("labels") or {})
    return not (is_of_component and meta.get("ownerReferences"))
