"""Answers which version of a component is where, and who is asking."""

from __future__ import annotations

from fastapi import APIRouter

from api.access import AccessDep
from api.dependencies import ClusterDep
from api.schemas.deliveries import ComponentStatusView, WhoAmI
from api.views.components import component_of, status_of
from domain.errors import NotFound

router = APIRouter(prefix="/v1", tags=["components"])


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
