"""Orders deployments."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response

from api.access import AccessDep
from api.dependencies import ClusterDep, IdempotencyKey, TemporalDep
from api.operations.orders import order_deployment
from api.schemas.deliveries import Accepted, DeployOrder
from api.views.components import component_of
from domain.resources import Action

router = APIRouter(prefix="/v1/deployments", tags=["deployments"])


@router.post("", status_code=HTTPStatus.ACCEPTED, summary="Deploy a component to an environment")
async def deploy(
    *,
    order: DeployOrder,
    response: Response,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
    idempotency_key: IdempotencyKey = None,
) -> Accepted:
    """Queues the deployment and answers with its place in the queue of that environment.

    Deployments of a component to an environment never overlap. What runs already is not rolled
    out again. Without an answer of a worker within ten seconds the status is 503 and the order may
    still be carried out: repeat it with the same `Idempotency-Key`.
    """
    await access.organization(order.organization)
    component = await component_of(cluster, order.organization, order.component)
    await access.require(
        order.organization,
        Action.DEPLOY,
        project=component.project,
        environment=order.environment,
    )
    accepted = await order_deployment(
        client, order, actor=access.actor, idempotency_key=idempotency_key
    )
    response.headers["Location"] = accepted.links.self
    return accepted
