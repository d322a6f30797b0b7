"""Whose a namespace on a plane is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from activities.common.kinds import NAMESPACES
from clients.kubernetes.cluster import Cluster
from domain.errors import Denied
from domain.rendering import labels as names


def check_places(objects: Iterable[Mapping[str, Any]], namespace: str) -> None:
    """Refuses a release with objects outside its own namespace.

    Raises:
        Denied: It has one; it was written by somebody else than the platform.
    """
    for one in objects:
        meta = one.get("metadata") or {}
        is_own_namespace = one.get("kind") == "Namespace" and meta.get("name") == namespace
        if meta.get("namespace", "") != namespace and not is_own_namespace:
            raise Denied(
                f"{one.get('kind')} {meta.get('name')} is not in namespace {namespace}: a release "
                "has objects of its own namespace only"
            )


async def check_owner(cluster: Cluster, namespace: str, organization: str) -> None:
    """Refuses a namespace that exists and belongs to somebody else.

    Raises:
        Denied: It does.
    """
    if not organization or not namespace:
        return
    found = await cluster.find(NAMESPACES, namespace)
    owner = (found or {}).get("metadata", {}).get("labels", {}).get(names.ORGANIZATION)
    if found is not None and owner != organization:
        message = (
            f"namespace {namespace} belongs to {owner or 'nobody Pavane knows'}, "
            f"not to organization {organization}"
        )
        raise Denied(message)
