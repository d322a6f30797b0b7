"""Shows the configuration of components, with the origin of each value, and what differs."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from api.access import Access, AccessDep
from api.dependencies import ClusterDep, ServicesDep, TemporalDep
from api.kinds import kind_of
from api.operations.orders import accepted
from api.routes.golden_paths import gateway_defaults
from api.schemas.configuration import (
    ConfigurationDiff,
    EffectiveView,
    PlanView,
    ReleaseHistory,
    ReleaseOrder,
)
from api.schemas.deliveries import Accepted
from api.views.components import all_of, component_of
from api.views.configuration import (
    against_running,
    between,
    effective_view,
    history_view,
    plan_view,
)
from api.views.shelves import shelf_of
from clients.kubernetes import Cluster
from domain import ids
from domain.deliveries import ConfigurationRequest, Trigger
from domain.errors import NotFound
from domain.resources import Action, Component, parse_as
from domain.resources.configuration import ConfigurationGroup, ConfigurationRevision
from domain.resources.families import FAMILIES, family_of
from workflows.configurations.starting import signal_configuration

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
    running: Annotated[bool, Query(description="As it runs, not as the groups say now.")] = False,
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
    families = tuple(FAMILIES.values())
    if component:
        families = (family_of(await component_of(cluster, organization, component)),)
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


@router.get("/configuration/{organization}/{group}/plan", summary="Who a release would touch")
async def plan(
    *,
    organization: str,
    group: str,
    access: AccessDep,
    cluster: ClusterDep,
    services: ServicesDep,
) -> PlanView:
    """Returns who runs with other values than the group gives now. Nothing is written."""
    found = await _group(cluster, access, organization, group, Action.READ)
    shelf = await shelf_of(cluster, organization, tuple(FAMILIES.values()))
    return plan_view(shelf, found, gateway_defaults(services.settings))


@router.get("/configuration/{organization}/{group}/history", summary="Releases of a group")
async def history(
    *, organization: str, group: str, access: AccessDep, cluster: ClusterDep
) -> ReleaseHistory:
    """Lists the last releases, newest first, with what became of them."""
    found = await _group(cluster, access, organization, group, Action.READ)
    revisions = await all_of(cluster, ConfigurationRevision, organization)
    kept = {one.name for one in revisions if one.spec.group_ref == group}
    return history_view(found, kept)


@router.post(
    "/configuration/{organization}/{group}/releases",
    status_code=HTTPStatus.ACCEPTED,
    summary="Release what a group says, or bring back what it said",
)
async def release(
    *,
    organization: str,
    group: str,
    order: ReleaseOrder,
    response: Response,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> Accepted:
    """Begins a release, or has the one that runs look again. Asking twice changes nothing more.

    With `restore` the group says again what it said in that revision.
    """
    found = await _group(cluster, access, organization, group, Action.DEPLOY)
    if order.restore:
        owner = await access.organization(organization)
        access.permit(owner, Action.WRITE, project=found.spec.project_ref)
        await _kept(cluster, found, order.restore)
    request = ConfigurationRequest(
        organization=organization,
        group=found.name,
        restore=order.restore,
        trigger=Trigger(actor=access.actor),
    )
    handle = await signal_configuration(client, request)
    answer = accepted(handle.id, handle.first_execution_run_id or "")
    response.headers["Location"] = answer.links.self
    return answer


async def _group(
    cluster: Cluster, access: Access, organization: str, name: str, action: Action
) -> ConfigurationGroup:
    """Returns a group if the person may do that with it; one of no project is of all."""
    owner = await access.organization(organization)
    found = await cluster.find(kind_of(ConfigurationGroup), ids.slug(name, "group"), organization)
    group = parse_as(ConfigurationGroup, found) if found else None
    if group is None or not access.sees(owner, group.spec.project_ref):
        raise NotFound(f"there is no ConfigurationGroup {name} in {organization}")
    access.permit(owner, action, project=group.spec.project_ref)
    return group


async def _kept(cluster: Cluster, group: ConfigurationGroup, name: str) -> None:
    kind = kind_of(ConfigurationRevision)
    found = await cluster.find(kind, ids.slug(name, "revision"), group.namespace)
    if found is None or parse_as(ConfigurationRevision, found).spec.group_ref != group.name:
        raise NotFound(f"ConfigurationGroup {group.name} has no revision {name}")
