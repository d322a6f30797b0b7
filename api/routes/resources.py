"""Reads, applies and deletes resources of ``choreo.dev``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query

from api.access import Access, AccessDep
from api.dependencies import ClusterDep
from api.kinds import kind_of, model_of
from api.schemas.deliveries import ApplyResult, ColumnView, ResourceList
from api.views.resources import Application, manifests, permit, tidy, visible
from clients.kubernetes import Cluster
from domain import ids
from domain.errors import InvalidRequest, NotFound
from domain.rendering.tenants.access import action_for
from domain.resources import Organization, Resource, parse_as

router = APIRouter(prefix="/v1", tags=["resources"])

OrganizationName = Annotated[str, Query(description="Needed for all kinds but organizations.")]


@router.get("/resources/{kind}", summary="List resources of a kind")
async def list_resources(
    kind: str, access: AccessDep, cluster: ClusterDep, organization: OrganizationName = ""
) -> ResourceList:
    """Lists what the caller may see, with the columns of `kubectl get`."""
    model = model_of(kind)
    if issubclass(model, Organization):
        items = await _organizations(cluster, access)
    else:
        owner = await access.organization(_named(organization, model))
        items = await visible(cluster, access, owner, model)
    return ResourceList(
        kind=model.kind,
        columns=tuple(
            ColumnView(name=one.name, path=one.path, type=one.type, wide=one.wide)
            for one in model.columns
        ),
        items=tuple(items),
    )


@router.get("/resources/{kind}/{name}", summary="Show a resource")
async def show_resource(
    kind: str,
    name: str,
    access: AccessDep,
    cluster: ClusterDep,
    organization: OrganizationName = "",
) -> dict[str, Any]:
    """Returns the resource with its status."""
    return await _seen(cluster, access, model_of(kind), name, organization)


@router.post("/apply", summary="Create or change resources")
async def apply(
    *,
    body: Annotated[Any, Body(description="A manifest, an array of manifests or a List.")],
    access: AccessDep,
    cluster: ClusterDep,
    organization: Annotated[str, Query(description="Namespace of manifests that name none.")] = "",
    dry_run: Annotated[bool, Query(alias="dryRun")] = False,
    force: Annotated[bool, Query(description="Take over fields of other managers.")] = False,
) -> ApplyResult:
    """Applies manifests server-side as manager `pavane-cli`, in the order their kinds need.

    All are checked first: schema and rights. Equal content changes nothing.
    """
    application = Application(cluster, access, dry_run=dry_run, force=force)
    done = await application.apply(manifests(body), organization)
    return ApplyResult(items=tuple(done), dry_run=dry_run)


@router.delete(
    "/resources/{kind}/{name}", status_code=HTTPStatus.NO_CONTENT, summary="Delete a resource"
)
async def delete(
    kind: str,
    name: str,
    access: AccessDep,
    cluster: ClusterDep,
    organization: OrganizationName = "",
) -> None:
    """Asks for the deletion of exactly the resource that is there now."""
    model = model_of(kind)
    found = await _seen(cluster, access, model, name, organization)
    await permit(cluster, access, parse_as(model, found), action_for(model))
    await cluster.delete(
        kind_of(model), name, found["metadata"].get("namespace", ""), uid=found["metadata"]["uid"]
    )


async def _seen(
    cluster: Cluster, access: Access, model: type[Resource], name: str, organization: str
) -> dict[str, Any]:
    """Returns a resource the person may see."""
    if issubclass(model, Organization):
        owner = await access.organization(name)
        return tidy(await cluster.get(kind_of(model), owner.name))
    owner = await access.organization(_named(organization, model))
    for item in await visible(cluster, access, owner, model, name=ids.slug(name, model.kind)):
        return item
    raise NotFound(f"there is no {model.kind} {name} in {organization}")


async def _organizations(cluster: Cluster, access: Access) -> list[dict[str, Any]]:
    listing = await cluster.list(kind_of(Organization))
    return [tidy(item) for item in listing.items if access.knows(parse_as(Organization, item))]


def _named(organization: str, model: type[Resource]) -> str:
    if not organization:
        raise InvalidRequest(f"{model.plural} belong to an organization: say which one")
    return organization
