"""Orders deployments."""

from __future__ import annotations

from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter, Response

from api.access import AccessDep
from api.dependencies import ClusterDep, IdempotencyKey, TemporalDep
from api.operations.appointments import order_for_later
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

    With `notBefore` it waits for its time beside that queue, as an operation of its own; one at a
    time waits for a place (409). With `expires` it is given up when it was not begun by then.
    """
    await access.organization(order.organization)
    component = await component_of(cluster, order.organization, order.component)
    await access.require(
        order.organization,
        Action.DEPLOY,
        project=component.project,
        environment=order.environment,
    )
    actor, key, at = access.actor, idempotency_key, order.not_before
    if at is not None and at > datetime.now(UTC):
        accepted = await order_for_later(client, order, at, actor=actor, idempotency_key=key)
    else:
        accepted = await order_deployment(client, order, actor=actor, idempotency_key=key)
    response.headers["Location"] = accepted.links.self
    return accepted
