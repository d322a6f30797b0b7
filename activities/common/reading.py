"""Reads resources of the control plane as models, and says well what is missing."""

from __future__ import annotations

from typing import TypeVar

from activities.common.kinds import platform
from clients.kubernetes.cluster import Cluster
from domain.errors import InvalidRequest, NotFound
from domain.resources import BuildPlane, Resource, parse_as

R = TypeVar("R", bound=Resource)


async def read(cluster: Cluster, model: type[R], name: str, namespace: str = "") -> R:
    """Reads one resource.

    Raises:
        NotFound: There is none.
    """
    return parse_as(model, await cluster.get(platform(model.kind), name, namespace))


async def find(cluster: Cluster, model: type[R], name: str, namespace: str = "") -> R | None:
    """Reads one resource, None when there is none or no name is given."""
    found = await cluster.find(platform(model.kind), name, namespace) if name else None
    return None if found is None else parse_as(model, found)


async def required(
    cluster: Cluster, model: type[R], name: str, namespace: str, wanted_by: str
) -> R:
    """Reads a resource another one names.

    Raises:
        InvalidRequest: There is none; says who names it, with the reason ``ReferenceMissing``.
    """
    try:
        return await read(cluster, model, name, namespace)
    except NotFound:
        message = (
            f"{wanted_by} needs {model.kind} {name} in {namespace or 'the cluster'}, "
            "which does not exist: create it"
        )
        raise InvalidRequest(message, facts={"reason": "ReferenceMissing"}) from None


async def listed(cluster: Cluster, model: type[R], namespace: str, labels: str = "") -> list[R]:
    """Reads all resources of a kind in a namespace, with a label selector."""
    listing = await cluster.list(platform(model.kind), namespace, labels)
    return [parse_as(model, item) for item in listing.items]


async def build_plane(cluster: Cluster, organization: str, name: str) -> BuildPlane:
    """Reads the build plane an organization names, else the only one it has.

    Raises:
        InvalidRequest: It names none and has none or several.
    """
    if name:
        return await required(
            cluster, BuildPlane, name, organization, f"Organization {organization}"
        )
    planes = await listed(cluster, BuildPlane, organization)
    if len(planes) == 1:
        return planes[0]
    message = (
        f"organization {organization} has {len(planes)} build planes: create one, or name "
        "the one to use in spec.builds.buildPlaneRef of the Organization"
    )
    raise InvalidRequest(message, facts={"reason": "ReferenceMissing"})
