"""Promotes components together, and tells how that goes."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

from fastapi import APIRouter, Response
from temporalio.client import Client, WorkflowQueryFailedError, WorkflowUpdateFailedError
from temporalio.service import RPCError, RPCStatusCode

from api.access import Access, AccessDep
from api.dependencies import ClusterDep, IdempotencyKey, TemporalDep
from api.operations.orders import accepted
from api.schemas.deliveries import Accepted
from api.schemas.sets import SetOrder, SetView, SetWord
from api.serving.idempotency import confirm_same, request_key
from api.views.promotions import permitted
from clients.kubernetes import Cluster
from domain.deliveries import Trigger
from domain.deliveries.sets import ReleaseSet, SetCommand, SetRequest
from domain.errors import NotFound
from domain.resources import Action
from runtime.errors import as_domain_error
from workflows.sets.starting import command_set, read_set, start_set

router = APIRouter(prefix="/v1/sets", tags=["promotions"])


@router.post("", status_code=HTTPStatus.ACCEPTED, summary="Promote components together")
async def promote_set(
    *,
    order: SetOrder,
    response: Response,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
    idempotency_key: IdempotencyKey = None,
) -> Accepted:
    """Promotes components in the order of what they need, each through its own gates.

    As a unit: all or none. As a batch: at a bounded rate, until more fail than may.
    """
    named = [one.component for one in order.members]
    await _permitted(access, cluster, (order.organization, order.environment), named, Action.DEPLOY)
    key = request_key(idempotency_key, access.actor)
    request = SetRequest(
        **order.model_dump(), request_id=key, trigger=Trigger(actor=access.actor, reference=key)
    )
    handle = await start_set(client, request)
    run_id = handle.first_execution_run_id or ""
    if idempotency_key is not None:
        await confirm_same(client, handle.id, run_id, request)
    answer = accepted(handle.id, run_id, request_id=key)
    response.headers["Location"] = answer.links.self
    return answer


@router.get("/{organization}/{name}/{environment}", summary="Where each member of a set stands")
async def show_set(
    *,
    organization: str,
    name: str,
    environment: str,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> SetView:
    """Returns the set that is on its way, or how the last one of that name ended."""
    await access.organization(organization)
    found = await _found(client, organization, name, environment)
    named = [one.component for one in found.members]
    await _permitted(access, cluster, (organization, environment), named, Action.READ)
    return SetView.model_validate(found)


@router.post("/{organization}/{name}/{environment}/commands", summary="Pause, resume, exclude")
async def tell_set(
    *,
    organization: str,
    name: str,
    environment: str,
    word: SetWord,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> SetView:
    """Begins no more members, goes on with them, or takes one out that has not begun."""
    await access.organization(organization)
    found = await _found(client, organization, name, environment)
    named = [one.component for one in found.members]
    await _permitted(access, cluster, (organization, environment), named, Action.DEPLOY)
    command = SetCommand(**word.model_dump(), by=access.actor)
    try:
        told = await command_set(client, organization, name, environment, command)
    except WorkflowUpdateFailedError as failure:
        raise as_domain_error(failure.cause) from failure
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise NotFound(f"set {name} to {environment} is over") from error
    return SetView.model_validate(told)


async def _found(client: Client, organization: str, name: str, environment: str) -> ReleaseSet:
    try:
        return await read_set(client, organization, name, environment)
    except (RPCError, WorkflowQueryFailedError) as error:
        if isinstance(error, RPCError) and error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise NotFound(f"there is no set {name} to {environment}") from error


async def _permitted(
    access: Access, cluster: Cluster, place: tuple[str, str], components: list[str], action: Action
) -> None:
    """Returns when the caller may do that to every member.

    Raises:
        NotFound: There is no such component for this person.
        Denied: They may not.
    """
    organization, environment = place
    places = [(organization, one, environment) for one in components]
    await asyncio.gather(*(permitted(access, cluster, one, action) for one in places))
