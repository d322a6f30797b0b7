"""Answers which version of a component is where, and who is asking."""

from __future__ import annotations

from fastapi import APIRouter
from sse_starlette import EventSourceResponse

from api.access import Access, AccessDep
from api.dependencies import ClusterDep, ServicesDep, TemporalDep
from api.looks.trees import Place, follow, look
from api.schemas.components import ComponentStatusView
from api.schemas.deliveries import WhoAmI
from api.schemas.trees import TreeView
from api.serving.streams import begun, until
from api.views.components import component_of, status_of
from clients.kubernetes import Cluster
from domain import ids
from domain.errors import NotFound
from domain.resources import Action

router = APIRouter(prefix="/v1", tags=["components"])
_HEARTBEAT_SECONDS = 15
_LAST_WORDS_SECONDS = 5.0


@router.get(
    "/components/{organization}/{component}/status",
    summary="Which version is in which environment, and why not a newer one",
)
async def status(
    organization: str, component: str, access: AccessDep, cluster: ClusterDep
) -> ComponentStatusView:
    """Lists the environments of the component's pipeline in order, with what runs in each.

    Environments in which the caller may not read are left out.
    """
    owner = await access.organization(organization)
    found = await component_of(cluster, organization, component)
    if not access.sees(owner, found.project):
        raise NotFound(f"there is no component {component} in {organization}")
    view = await status_of(cluster, found)
    visible = tuple(
        place for place in view.environments if access.sees(owner, found.project, place.environment)
    )
    return view.model_copy(update={"environments": visible})


@router.get(
    "/components/{organization}/{component}/tree",
    summary="The objects of a component in an environment, and how each one is",
)
async def tree(
    *,
    organization: str,
    component: str,
    environment: str,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> TreeView:
    """Shows the objects of the release that runs, their ReplicaSets, Jobs and pods.

    The worker of the plane looks, so it may be any plane; 503 when it does not answer.
    """
    place = await _place(cluster, access, organization, component, environment)
    return TreeView.of(await look(client, place.request()))


@router.get(
    "/components/{organization}/{component}/tree/events",
    summary="Follow the objects of a component (server-sent events)",
)
async def tree_events(
    *, organization: str, component: str, environment: str, access: AccessDep, services: ServicesDep
) -> EventSourceResponse:
    """Sends the tree as event `tree`, and again each time it is another one."""
    place = await _place(await services.cluster(), access, organization, component, environment)
    changes = follow(await services.temporal(), await services.watches(), place)
    return EventSourceResponse(
        until(await begun(changes), services.stopping),
        ping=_HEARTBEAT_SECONDS,
        shutdown_grace_period=_LAST_WORDS_SECONDS,
        headers={"Cache-Control": "no-store"},
    )


async def _place(
    cluster: Cluster, access: Access, organization: str, component: str, environment: str
) -> Place:
    """Returns a place that the caller may read."""
    await access.organization(organization)
    found = await component_of(cluster, organization, component)
    await access.require(organization, Action.READ, project=found.project, environment=environment)
    return Place(organization, found, ids.slug(environment, "environment"))


@router.get("/whoami", tags=["identity"], summary="Who the token says you are")
async def whoami(access: AccessDep) -> WhoAmI:
    """Returns the person as the identity provider describes them."""
    person = access.person
    return WhoAmI(
        subject=person.subject,
        name=person.name,
        email=person.email,
        groups=person.groups,
        administrator=access.is_admin,
    )
