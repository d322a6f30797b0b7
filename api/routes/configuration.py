"""Shows the configuration of components, with the origin of each value, and what differs."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.access import AccessDep
from api.dependencies import ClusterDep
from api.schemas.configuration import ConfigurationDiff, EffectiveView
from api.views.components import component_of
from api.views.configuration import against_running, between, effective_view
from api.views.shelves import shelf_of
from domain import ids
from domain.errors import NotFound
from domain.resources import Component
from domain.resources.families import FAMILIES, family_of

router = APIRouter(prefix="/v1", tags=["configuration"])


@router.get(
    "/components/{organization}/{component}/configuration",
    summary="The configuration of a component in an environment",
)
async def effective(
    *,
    organization: str,
    component: str,
    environment: str,
    access: AccessDep,
    cluster: ClusterDep,
    running: Annotated[
        bool, Query(description="As it runs, not as the groups say now.")
    ] = False,
) -> EffectiveView:
    """Returns each key with its value, its place in the pod and where the value comes from.

    What is kept in Vault is shown by its path. Nothing is written.
    """
    owner = await access.organization(organization)
    found = await component_of(cluster, organization, component)
    place = ids.slug(environment, "environment")
    if not access.sees(owner, found.project, place):
        raise NotFound(f"there is no component {component} in {organization}")
    shelf = await shelf_of(cluster, organization, (family_of(found),))
    return effective_view(shelf, found, place, running=running)


@router.get("/configuration/{organization}/diff", summary="What differs between environments")
async def diff(
    *,
    organization: str,
    before: str,
    access: AccessDep,
    cluster: ClusterDep,
    after: Annotated[
        str, Query(description="Empty = compare what runs with what the groups say now.")
    ] = "",
    component: Annotated[str, Query(description="Only this one; empty = all.")] = "",
) -> ConfigurationDiff:
    """Compares the configuration of components in two environments, key by key.

    Components and environments in which the caller may not read are left out.
    """
    owner = await access.organization(organization)
    places = [ids.slug(one, "environment") for one in (before, after) if one]
    if component:
        families = (family_of(await component_of(cluster, organization, component)),)
    else:
        families = tuple(FAMILIES.values())
    shelf = await shelf_of(cluster, organization, families)
    seen = [
        one
        for one in shelf.all(Component)
        if component in {"", one.name}
        and all(access.sees(owner, one.project, place) for place in places)
    ]
    if component and not seen:
        raise NotFound(f"there is no component {component} in {organization}")
    if after:
        return between(shelf, seen, before, after)
    return against_running(shelf, seen, before)
