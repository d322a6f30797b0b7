"""Whose a namespace on a plane is."""

from __future__ import annotations

from activities.common.kinds import NAMESPACES
from clients.kubernetes.cluster import Cluster
from domain.errors import Denied
from domain.rendering import labels as names


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
