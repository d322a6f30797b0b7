"""Orders builds."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response

from api.access import AccessDep
from api.dependencies import ClusterDep, IdempotencyKey, TemporalDep
from api.operations.orders import order_build
from api.schemas.deliveries import Accepted, BuildOrder
from api.views.components import component_of
from domain.errors import InvalidRequest
from domain.resources import Action

router = APIRouter(prefix="/v1/builds", tags=["builds"])


@router.post("", status_code=HTTPStatus.ACCEPTED, summary="Build a revision of a component")
async def build(
    *,
    order: BuildOrder,
    response: Response,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
    idempotency_key: IdempotencyKey = None,
) -> Accepted:
    """Starts the build of a commit, or first finds out which commit the revision means.

    A commit is built once: if it has been built or is being built, that operation is the answer.
    """
    await access.organization(order.organization)
    component = await component_of(cluster, order.organization, order.component)
    await access.require(order.organization, Action.BUILD, project=component.project)
    if component.build is None:
        raise InvalidRequest(
            f"component {component.name} has no source: its workload names an image"
        )
    accepted = await order_build(client, order, actor=access.actor, idempotency_key=idempotency_key)
    response.headers["Location"] = accepted.links.self
    return accepted
