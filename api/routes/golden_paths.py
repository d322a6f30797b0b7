"""Renders components, tells who follows a class and begins upgrades, shows quotas."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Response

from api.access import AccessDep
from api.dependencies import ClusterDep, ServicesDep, TemporalDep
from api.kinds import kind_of, model_of
from api.operations.orders import accepted
from api.schemas.deliveries import Accepted
from api.schemas.platform import ConsumerList, QuotaList, RenderView
from api.views.components import component_of
from api.views.renderings import rendered
from api.views.shelves import consumers, quotas
from clients.kubernetes import Cluster
from domain import ids
from domain.deliveries import ClassUpgradeRequest, Trigger
from domain.errors import InvalidRequest, NotFound
from domain.rendering.facts import GatewayDefaults
from domain.resources import Action, ComponentClass, parse_as
from domain.resources.families import CLASSES
from settings import Settings
from workflows.starting import start_class_upgrade

router = APIRouter(prefix="/v1", tags=["golden paths"])


@router.get("/components/{organization}/{component}/render", summary="Render a component")
async def render(
    *,
    organization: str,
    component: str,
    environment: str,
    access: AccessDep,
    cluster: ClusterDep,
    services: ServicesDep,
    present_class: Annotated[
        bool, Query(alias="presentClass", description="With the present content of its class.")
    ] = False,
) -> RenderView:
    """Returns the objects it becomes there and what differs from the release that runs.

    Nothing is written.
    """
    owner = await access.organization(organization)
    found = await component_of(cluster, organization, component)
    if not access.sees(owner, found.project, environment):
        raise NotFound(f"there is no component {component} in {organization}")
    return await rendered(
        cluster,
        services.objects(),
        found,
        ids.slug(environment, "environment"),
        gateway=gateway_defaults(services.settings),
        present_class=present_class,
        sees=lambda project: access.sees(owner, project, environment),
    )


@router.get("/classes/{organization}/{kind}/{name}/consumers", summary="Who follows a class")
async def list_consumers(
    *,
    organization: str,
    kind: str,
    name: str,
    access: AccessDep,
    cluster: ClusterDep,
    plan: Annotated[bool, Query(description="Tell what an upgrade would change.")] = False,
) -> ConsumerList:
    """Lists the bindings that name the class with the revision that each runs with."""
    await access.require(organization, Action.ADMINISTER)
    present = await _class(cluster, organization, kind, name)
    items = await consumers(cluster, present, plan=plan)
    return ConsumerList(
        kind=present.kind, name=present.name, revision=present.revision, items=items
    )


@router.post(
    "/classes/{organization}/{kind}/{name}/upgrades",
    status_code=HTTPStatus.ACCEPTED,
    summary="Bring components to the present content of their class",
)
async def upgrade(
    *,
    organization: str,
    kind: str,
    name: str,
    response: Response,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> Accepted:
    """Begins an upgrade in the waves of the class's policy, or returns the one that runs."""
    await access.require(organization, Action.ADMINISTER)
    present = await _class(cluster, organization, kind, name)
    request = ClassUpgradeRequest(
        organization=organization,
        class_kind=present.kind,
        class_name=present.name,
        trigger=Trigger(actor=access.actor),
    )
    handle = await start_class_upgrade(client, request)
    answer = accepted(handle.id, handle.first_execution_run_id or "")
    response.headers["Location"] = answer.links.self
    return answer


@router.get("/quota/{organization}", summary="Quotas and what is used of them")
async def list_quotas(organization: str, access: AccessDep, cluster: ClusterDep) -> QuotaList:
    """Lists the quotas of organization, projects and environments."""
    owner = await access.require(organization, Action.READ)
    return QuotaList(items=await quotas(cluster, owner))


def gateway_defaults(settings: Settings) -> GatewayDefaults:
    """Returns the installation's gateway as renderings need it."""
    address = urlsplit(settings.gateway.url)
    return GatewayDefaults(
        name=settings.gateway.name,
        namespace=settings.gateway.namespace,
        port=address.port or (443 if address.scheme == "https" else 80),
    )


async def _class(cluster: Cluster, organization: str, kind: str, name: str) -> ComponentClass:
    model = model_of(kind)
    if model not in CLASSES or not issubclass(model, ComponentClass):
        known = ", ".join(one.plural for one in CLASSES)
        raise InvalidRequest(f"{model.kind} is no kind of class: there are {known}")
    found = await cluster.find(kind_of(model), ids.slug(name, "class"), organization)
    if found is None:
        raise NotFound(f"there is no {model.kind} {name} in {organization}")
    return parse_as(model, found)
