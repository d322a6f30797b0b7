"""Applies what an organization is to have on one cluster."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temporalio import activity

from activities.common.namespaces import check_owner
from activities.common.together import together
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries.tenants import TenantApplied
from domain.errors import Conflict, DependencyUnavailable, NotFound
from domain.rendering.tenants.admission import API_VERSION, KIND

_AT_ONCE = 16


async def applied(
    cluster: Cluster, organization: str, objects: Iterable[dict[str, Any]]
) -> TenantApplied:
    """Applies namespaces, then the rest; leaves out admission where the cluster has none.

    Raises:
        Denied: A namespace belongs to another organization.
        DependencyUnavailable: A namespace is being deleted; it is made anew when it is gone.
    """
    has_admission = await _has_admission(cluster)
    wanted = [one for one in objects if has_admission or one["apiVersion"] != API_VERSION]
    namespaces = [one for one in wanted if one["kind"] == "Namespace"]
    for one in namespaces:
        # What carries no label of an organization is taken over by the first, not by a second.
        name = one["metadata"]["name"]
        if name != organization:
            await check_owner(cluster, name, organization)
        activity.heartbeat(name)
        await cluster.apply(one, manager=ids.FIELD_MANAGER, force=True)
    rest = [one for one in wanted if one["kind"] != "Namespace"]
    for start in range(0, len(rest), _AT_ONCE):
        activity.heartbeat(start)
        batch = rest[start : start + _AT_ONCE]
        await together(*(_apply(cluster, one) for one in batch))
    return TenantApplied(objects=len(wanted), admission=has_admission)


async def _apply(cluster: Cluster, obj: dict[str, Any]) -> None:
    """Applies one object; a namespace that is about to go is waited for."""
    try:
        await cluster.apply(obj, manager=ids.TENANT_MANAGER, force=True)
    except (Conflict, NotFound) as error:
        raise DependencyUnavailable(error.message) from error


async def _has_admission(cluster: Cluster) -> bool:
    try:
        await cluster.kind_of(API_VERSION, KIND)
    except NotFound:
        return False
    return True
