"""Reads, applies and deletes resources of ``choreo.dev``."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Response
from fastapi.responses import JSONResponse

from api.access import Access, AccessDep
from api.dependencies import ClusterDep, TemporalDep
from api.kinds import kind_of, model_of
from api.schemas.deliveries import (
    ApplyResult,
    ColumnView,
    DeletionPlanView,
    DeletionView,
    ResourceList,
)
from api.views.deletions import planned, shown
from api.views.resources import Application, manifests, permit, tidy, visible
from clients.kubernetes import Cluster
from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.teardown import TeardownRequest
from domain.errors import Conflict, InvalidRequest, NotFound
from domain.policies.teardown.holds import TEARDOWN
from domain.rendering.tenants.access import action_for
from domain.resources import Organization, Resource, parse_as
from workflows.teardown.starting import signal_teardown

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


@router.get("/resources/{kind}/{name}/deletion", summary="Show what a deletion would do")
async def plan_deletion(
    kind: str,
    name: str,
    access: AccessDep,
    cluster: ClusterDep,
    organization: OrganizationName = "",
) -> DeletionPlanView:
    """Returns what would go, in which order, what it would wait for, what would stay."""
    target = await _deletable(cluster, access, kind, name, organization)
    return shown(await planned(cluster, access, target))


@router.delete(
    "/resources/{kind}/{name}",
    summary="Delete a resource",
    responses={
        HTTPStatus.ACCEPTED: {"model": DeletionView, "description": "It is being taken down."},
        HTTPStatus.NO_CONTENT: {"description": "There was nothing to take down."},
    },
    response_class=Response,
)
async def delete(
    *,
    kind: str,
    name: str,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
    organization: OrganizationName = "",
    anyway: Annotated[
        bool, Query(description="Also when others use it: it goes when they do not any more.")
    ] = False,
) -> Response:
    """Asks for the deletion of exactly the resource that is there now, with its parts.

    What others use is refused, unless `anyway` is set. A deletion that was cancelled goes on.
    """
    target = await _deletable(cluster, access, kind, name, organization)
    plan = await planned(cluster, access, target)
    if plan.waits_for and not anyway:
        raise Conflict(
            f"{target.kind} {target.name} is not deleted: {'; '.join(plan.waits_for[:5])}. Remove "
            "that first, or have it wait with `anyway` (--anyway)",
            facts={"reason": "InUse"},
        )
    await cluster.delete(
        kind_of(type(target)), target.name, target.namespace, uid=target.metadata.uid
    )
    if TEARDOWN not in target.metadata.finalizers:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    handle = await signal_teardown(
        client,
        TeardownRequest(
            organization=target.organization,
            kind=target.kind,
            name=target.name,
            uid=target.metadata.uid,
            trigger=Trigger(actor=access.actor, reference=f"delete {target.kind} {target.name}"),
        ),
    )
    body = DeletionView(operation=handle.id).model_dump(mode="json", by_alias=True)
    return JSONResponse(body, status_code=HTTPStatus.ACCEPTED)


async def _deletable(
    cluster: Cluster, access: Access, kind: str, name: str, organization: str
) -> Resource:
    """Returns a resource that the person may delete."""
    model = model_of(kind)
    target = parse_as(model, await _seen(cluster, access, model, name, organization))
    await permit(cluster, access, target, action_for(model))
    return target


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
