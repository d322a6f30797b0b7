"""Finds the binding of a place, of whatever kind it is."""

from __future__ import annotations

from activities.common.reading import find, listed
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries import DeployRequest
from domain.resources.binding import Binding
from domain.resources.families import BINDINGS, family_of_binding


async def asked_binding(cluster: Cluster, request: DeployRequest, kind: str = "") -> Binding | None:
    """Reads the binding that a deployment is asked for, None when there is none.

    ``kind`` is known from an earlier look; without it and without one in the request all kinds
    are looked through, that of services first.
    """
    name = request.binding or ids.binding_name(request.component, request.environment)
    known = kind or request.binding_kind
    for model in (family_of_binding(known).binding,) if known else BINDINGS:
        found = await find(cluster, model, name, request.organization)
        if found is not None:
            return found
    return None


async def find_binding(
    cluster: Cluster, organization: str, component: str, environment: str
) -> Binding | None:
    """Reads the binding of a component to an environment, whatever its name and kind are."""
    name = ids.binding_name(component, environment)
    for model in BINDINGS:
        found = await find(cluster, model, name, organization)
        if found is not None and found.component == component:
            return found
    for model in BINDINGS:
        for one in await listed(cluster, model, organization):
            if (one.component, one.environment) == (component, environment):
                return one
    return None
