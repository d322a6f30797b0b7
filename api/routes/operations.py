"""Lists, shows, cancels and follows operations."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Header, Query
from sse_starlette import EventSourceResponse

from api.access import Access, AccessDep
from api.dependencies import ServicesDep, TemporalDep
from api.kinds import kind_of
from api.operations.events import follow
from api.operations.parking import action_of, cancel_action, decide_parked
from api.operations.reading import Reference, read, summarize
from api.operations.visibility import Filters, Kind, page
from api.schemas.deliveries import CancelOrder, OperationList, OperationView, ResolveOrder
from api.services import Services
from api.views.components import component_of
from domain.deliveries.parking import Resolution
from domain.errors import NotFound
from domain.ids import OperationId
from domain.phases import Phase
from domain.resources import Action, parse_as
from domain.resources.configuration import ConfigurationGroup

router = APIRouter(prefix="/v1/operations", tags=["operations"])
_HEARTBEAT_SECONDS = 15
_LAST_WORDS_SECONDS = 5.0
_OF_A_PLACE = {"break-glass", "deploy", "deploy-at", "promotion", "rollback", "set"}
"""Kinds whose key is an environment."""


@router.get("", summary="List operations, newest first")
async def list_operations(
    *,
    access: AccessDep,
    client: TemporalDep,
    organization: str = "",
    component: str = "",
    environment: str = "",
    kind: Kind | None = None,
    phase: Phase | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    page_token: Annotated[str, Query(alias="page", max_length=4096)] = "",
) -> OperationList:
    """Lists procedures that run or ran, as far as Temporal keeps them.

    Without an organization it takes an administrator of the installation.
    """
    if organization:
        await access.require(organization, Action.READ)
    else:
        access.permit(None, Action.READ)
    filters = Filters(organization, component, environment, kind, phase)
    executions, following = await page(client, filters, limit=limit, token=page_token)
    return OperationList(
        items=tuple(summarize(execution) for execution in executions), next_page=following
    )


@router.get("/{operation_id:operation}/events", summary="Follow an operation (server-sent events)")
async def events(
    operation_id: str,
    access: AccessDep,
    services: ServicesDep,
    last_event_id: Annotated[str, Header(alias="Last-Event-ID", max_length=100)] = "",
) -> EventSourceResponse:
    """Sends the operation each time it changes, as event `operation`, until it is over.

    Comments are sent when nothing changes. With `Last-Event-ID` only what came later is sent.
    """
    reference = await _visible(services, access, operation_id, Action.READ)
    client = await services.temporal()
    await reference.handle(client).describe()
    return EventSourceResponse(
        follow(client, reference, last_event_id, services.stopping),
        ping=_HEARTBEAT_SECONDS,
        # The library would cut the answer at a stop; `stopping` ends it in order before that.
        shutdown_grace_period=_LAST_WORDS_SECONDS,
        headers={"Cache-Control": "no-store"},
    )


@router.post(
    "/{operation_id:operation}/cancel",
    status_code=HTTPStatus.ACCEPTED,
    summary="Stop an operation and undo what it did",
)
async def cancel(
    operation_id: str, order: CancelOrder, access: AccessDep, services: ServicesDep
) -> OperationView:
    """Asks the operation to stop. It undoes what it did before it ends: follow its events.

    Idempotent; an operation that is over stays as it is. Whoever has a role for a while may always
    give it back.
    """
    procedure = Reference.of(operation_id).procedure
    action = Action.READ if access.is_own_right(str(procedure)) else cancel_action(procedure.kind)
    reference = await _visible(services, access, operation_id, action)
    client = await services.temporal()
    view = await read(client, reference)
    if view.is_open:
        why = f"{access.actor}: {order.reason}" if order.reason else access.actor
        await Reference.of(view.id).handle(client).cancel(reason=why)
    return view


@router.post("/{operation_id:operation}/resolve", summary="Decide about a parked operation")
async def resolve(
    operation_id: str, order: ResolveOrder, access: AccessDep, services: ServicesDep
) -> OperationView:
    """Lets an operation that a technical fault parked retry, skip, go on with a fix, or give up.

    Whoever may do that kind of operation may retry and fix it, whoever may cancel it may give it
    up; skipping takes an administrator. The answer shows it as it goes on.
    """
    procedure = Reference.of(operation_id).procedure
    action = action_of(procedure.kind, order.choice)
    reference = await _visible(services, access, operation_id, action)
    client = await services.temporal()
    resolution = Resolution(
        **order.model_dump(), actor=access.actor, authority=f"may {action} there"
    )
    await decide_parked(reference.handle(client), resolution)
    return await read(client, reference)


@router.get("/{operation_id:operation}", summary="Show an operation")
async def show(operation_id: str, access: AccessDep, services: ServicesDep) -> OperationView:
    """Shows steps, what is waited for, result or failure; says so when no worker answers.

    The id with a run names that run for ever; without, the latest one.
    """
    reference = await _visible(services, access, operation_id, Action.READ)
    return await services.ended.read(await services.temporal(), reference)


async def _visible(
    services: Services, access: Access, operation_id: str, action: Action
) -> Reference:
    """Returns the operation's name if the person may do that to it.

    Raises:
        NotFound: For outsiders, whether it exists or not.
        Denied: For insiders who may read but not do that.
    """
    reference = Reference.of(operation_id)
    procedure = reference.procedure
    try:
        organization = await access.organization(procedure.organization)
    except NotFound:
        if action is Action.READ and access.is_admin:
            return reference  # what was done to an organization that is gone
        raise
    project = await _project(services, procedure)
    environment = procedure.key if procedure.kind in _OF_A_PLACE else ""
    if not access.sees(organization, project, environment):
        raise NotFound("there is no such operation")
    if action is not Action.READ:
        await access.require(organization.name, action, project=project, environment=environment)
    return reference


async def _project(services: Services, procedure: OperationId) -> str:
    """The project of what an operation is about; empty when it has none, or none any more."""
    if not procedure.component:
        return ""
    if procedure.kind == "leak":
        return procedure.component
    cluster, where, name = await services.cluster(), procedure.organization, procedure.component
    if procedure.kind == "configuration":
        found = await cluster.find(kind_of(ConfigurationGroup), name, where)
        return parse_as(ConfigurationGroup, found).spec.project_ref if found else ""
    try:
        return (await component_of(cluster, where, name)).project
    except NotFound:
        return ""
