"""Turns orders of callers into procedures, each order exactly once."""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio.client import Client
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.operations.reading import links, operation_id
from api.schemas.deliveries import Accepted, BuildOrder, DeployOrder
from api.serving.idempotency import confirm_same, request_key
from domain import ids
from domain.deliveries import BuildRequest, DeployRequest, Trigger
from workflows.starting import enqueue_deployment, request_build, start_build

_UPDATE_SECONDS = 10


def accepted(workflow_id: str, run_id: str, **details: Any) -> Accepted:
    """Returns the answer to an order."""
    return Accepted(
        id=operation_id(workflow_id, run_id),
        workflow_id=workflow_id,
        run_id=run_id,
        links=links(workflow_id, run_id),
        **details,
    )


async def order_build(
    client: Client, order: BuildOrder, *, actor: str, idempotency_key: str | None
) -> Accepted:
    """Starts a build, or the procedure that finds the commit and starts the build.

    Raises:
        InvalidRequest: A name is not valid.
        Conflict: The key was used for another order.
    """
    key = request_key(idempotency_key, actor)
    request = BuildRequest(
        organization=order.organization,
        component=order.component,
        revision=order.revision,
        trigger=Trigger(actor=actor, reference=key),
    )
    if ids.is_commit(order.revision):
        build = await start_build(client, request.model_copy(update={"commit": order.revision}))
        return accepted(build.workflow_id, build.run_id, existing=build.existing)
    try:
        handle = await request_build(client, request, key)
        workflow_id, run_id = handle.id, handle.first_execution_run_id or ""
    except WorkflowAlreadyStartedError as known:
        workflow_id, run_id = known.workflow_id, known.run_id or ""
    if idempotency_key is not None:
        await confirm_same(client, workflow_id, run_id, request)
    return accepted(workflow_id, run_id, request_id=key)


async def order_deployment(
    client: Client, order: DeployOrder, *, actor: str, idempotency_key: str | None
) -> Accepted:
    """Queues a deployment and answers with its place.

    Raises:
        InvalidRequest: A name is not valid.
        DependencyUnavailable: No worker answered in time (the order may still be carried out).
        Conflict: The key was used for another order to this queue.
    """
    key = request_key(idempotency_key, actor)
    request = DeployRequest(
        organization=order.organization,
        component=order.component,
        environment=order.environment,
        request_id=key,
        artifact=order.artifact,
        force_conflicts=order.force_conflicts,
        expires=order.expires,
        trigger=Trigger(actor=actor, reference=key),
    )
    async with asyncio.timeout(_UPDATE_SECONDS):
        handle, place = await enqueue_deployment(client, request)
    run_id = handle.run_id or handle.first_execution_run_id or ""
    if idempotency_key is not None:
        await confirm_same(client, handle.id, run_id, request)
    return accepted(handle.id, run_id, position=place.position, request_id=key)
