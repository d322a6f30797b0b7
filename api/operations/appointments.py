"""Orders of callers for a later moment, each exactly once."""

from __future__ import annotations

from datetime import UTC, datetime

from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from api.operations.orders import accepted
from api.schemas.deliveries import Accepted, DeployOrder
from api.serving.idempotency import confirm_same, request_key, was_asked
from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.appointments import DeployAtRequest, check_ahead
from domain.errors import Conflict
from workflows.appointments.starting import start_deploy_at


async def order_for_later(
    client: Client, order: DeployOrder, at: datetime, *, actor: str, idempotency_key: str | None
) -> Accepted:
    """Orders a deployment that waits for its time.

    Raises:
        InvalidRequest: A name is not valid, or the moment is too far away.
        Conflict: Another one waits for that place, or the key was used for another order.
    """
    check_ahead(at, datetime.now(UTC))
    request = DeployAtRequest(
        organization=order.organization,
        component=order.component,
        environment=order.environment,
        artifact=order.artifact,
        force_conflicts=order.force_conflicts,
        not_before=at,
        expires=order.expires,
        trigger=Trigger(actor=actor, reference=request_key(idempotency_key, actor)),
    )
    if idempotency_key is not None and (known := await _asked_before(client, request)):
        return known
    try:
        handle = await start_deploy_at(client, request)
    except WorkflowAlreadyStartedError as known_run:
        waiting = known_run.workflow_id
        raise Conflict(
            f"a deployment of {order.component} to {order.environment} waits for its time already",
            facts={
                "operation": waiting,
                "advice": f"See it with `pavane operations show {waiting}`; `operations cancel` "
                "takes it back.",
            },
        ) from known_run
    return accepted(handle.id, handle.first_execution_run_id or "")


async def _asked_before(client: Client, request: DeployAtRequest) -> Accepted | None:
    """Returns the answer to the same order under the same key, also when it was carried out.

    Raises:
        Conflict: The key was used for another order.
    """
    place = ids.deploy_at_id(request.organization, request.component, request.environment)
    try:
        run_id = (await client.get_workflow_handle(place).describe()).run_id
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return None
        raise
    await confirm_same(client, place, run_id, request)
    if await was_asked(client, place, run_id, request):
        return accepted(place, run_id, existing=True)
    return None
