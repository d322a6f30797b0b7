"""Who calls whom, and who may."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query

from api.access import AccessDep
from api.dependencies import ClusterDep, ServicesDep
from api.routes.golden_paths import gateway_defaults
from api.schemas.network import CallList, DependencyView
from api.views.networks import Asked, Network, dependencies
from domain import ids
from domain.errors import InvalidRequest, NotFound

router = APIRouter(prefix="/v1/network", tags=["network"])
_LARGEST_MATRIX = 200
Project = Annotated[str, Query(max_length=63, description="Empty = all that the person sees.")]
Environment = Annotated[str, Query(min_length=1, max_length=63)]


@router.get("/{organization}/graph", summary="Who calls whom")
async def graph(
    organization: str, access: AccessDep, cluster: ClusterDep, project: Project = ""
) -> DependencyView:
    """Returns components, connections, cycles, and who breaks when one is removed.

    What is of projects that the person may not read is left out.
    """
    owner = await access.organization(organization)
    if project and not access.sees(owner, project):
        raise NotFound(f"there is no project {project} in {organization}")
    return await dependencies(cluster, organization, project, lambda name: access.sees(owner, name))


@router.get("/{organization}/can", summary="Whether one may call another")
async def can(
    *,
    organization: str,
    source: Annotated[str, Query(min_length=1, max_length=63)],
    target: Annotated[
        str, Query(min_length=1, max_length=253, description="A component, host or address.")
    ],
    environment: Environment,
    access: AccessDep,
    cluster: ClusterDep,
    services: ServicesDep,
    port: Annotated[int, Query(ge=0, le=65535, description="0 = every endpoint.")] = 0,
    method: Annotated[str, Query(max_length=16)] = "",
    path: Annotated[str, Query(alias="requestPath", max_length=512)] = "",
    declared: Annotated[bool, Query(description="By what is declared, whatever runs.")] = False,
) -> CallList:
    """Judges by the network policies of both ends, and names the rule that decides."""
    owner = await access.organization(organization)
    network = await Network.of(
        cluster, services.objects(), organization, gateway_defaults(services.settings)
    )
    place = ids.slug(environment, "environment")
    for name in (source, target):
        project = network.project_of(name)
        if (name == source and not project) or (project and not access.sees(owner, project, place)):
            raise NotFound(f"there is no component {name} in {organization}")
    asked = Asked(place, port, method, path, declared)
    items = await network.can(source, target, asked)
    return CallList(environment=place, items=items)


@router.get("/{organization}/matrix", summary="All pairs that may talk")
async def matrix(
    *,
    organization: str,
    environment: Environment,
    access: AccessDep,
    cluster: ClusterDep,
    services: ServicesDep,
    project: Project = "",
    every: Annotated[
        bool, Query(alias="all", description="Also the pairs that may not talk.")
    ] = False,
    declared: Annotated[bool, Query(description="By what is declared, whatever runs.")] = False,
) -> CallList:
    """Lists which component may call which, by the network policies of both ends."""
    owner = await access.organization(organization)
    network = await Network.of(
        cluster, services.objects(), organization, gateway_defaults(services.settings)
    )
    place = ids.slug(environment, "environment")
    names = [
        one.name for one in network.components_of(project) if access.sees(owner, one.project, place)
    ]
    if len(names) > _LARGEST_MATRIX:
        raise InvalidRequest(
            f"{len(names)} components are more than a matrix of {_LARGEST_MATRIX}: name a project"
        )
    found = await network.matrix(names, Asked(place, declared=declared))
    return CallList(environment=place, items=tuple(one for one in found if every or one.allowed))
