"""Emergency stops: list them, stop a place, let it go on."""

from __future__ import annotations

import asyncio
import uuid
from datetime import UTC, datetime

from fastapi import APIRouter
from temporalio.client import Client

from api.access import Access, AccessDep
from api.dependencies import IdempotencyKey, ServicesDep
from api.kinds import kind_of
from api.schemas.records import StopCommand, StopList, StopResult, StopView
from api.services import Services
from domain.errors import DependencyUnavailable, InvalidRequest, NotFound
from domain.records.stops import Place, StopOrder, StopOutcome
from domain.resources import Action, Environment
from workflows.starting import carry_out_stop

router = APIRouter(prefix="/v1/stops", tags=["stops"])
_LONGEST_WAIT = 20
"""Seconds the API waits for the order to be carried out."""


@router.get("", summary="Which emergency stops hold")
async def list_stops(
    *, access: AccessDep, services: ServicesDep, organization: str = ""
) -> StopList:
    """Lists the stops of an organization and those of everything; all of them for admins only."""
    if organization:
        await access.organization(organization)
    else:
        access.permit(None, Action.READ)
    stops = await services.records().stops(Place(organization=organization))
    return StopList(items=tuple(StopView.of(stop) for stop in stops))


@router.post("", summary="Stop a place")
async def stop(
    command: StopCommand,
    access: AccessDep,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> StopResult:
    """Makes every flow of the place park at its next safe point, also those that begin later.

    What is being applied or undone is completed first. Administrators of the place only.
    """
    return await _change(command, access, services, idempotency_key, stops=True)


@router.post("/resume", summary="Let a stopped place go on")
async def resume(
    command: StopCommand,
    access: AccessDep,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> StopResult:
    """Lets the parked flows go on; they read their facts anew. Other stops still hold."""
    return await _change(command, access, services, idempotency_key, stops=False)


async def _change(
    command: StopCommand,
    access: Access,
    services: Services,
    key: str | None,
    *,
    stops: bool,
) -> StopResult:
    place = Place(organization=command.organization, environment=command.environment)
    await _may(access, services, place)
    order = StopOrder(
        place=place,
        stops=stops,
        actor=access.actor,
        authority="administers the installation" if access.is_admin else f"administers {place}",
        reason=command.reason,
        key=f"emergency/{place.chain}/{place.environment or '-'}/{key or uuid.uuid4().hex}",
        at=datetime.now(UTC),
    )
    outcome = await _carried_out(await services.temporal(), order)
    return StopResult(place=str(place), changed=outcome.changed, told=outcome.told)


async def _may(access: Access, services: Services, place: Place) -> None:
    """Returns when the person may stop that place and it exists: a typing error stops nothing.

    Raises:
        Denied: They do not administer it.
        NotFound: There is no such place for this person.
    """
    if not place.organization:
        if place.environment:
            raise InvalidRequest("an environment belongs to an organization: name both")
        access.permit(None, Action.ADMINISTER)
        return
    await access.require(place.organization, Action.ADMINISTER, environment=place.environment)
    if place.environment:
        cluster = await services.cluster()
        kind = kind_of(Environment)
        if await cluster.find(kind, place.environment, place.organization) is None:
            raise NotFound(f"{place.organization} has no environment {place.environment}")


async def _carried_out(client: Client, order: StopOrder) -> StopOutcome:
    """Waits until the stop holds.

    Raises:
        DependencyUnavailable: No worker carried it out yet; the order stays and will be.
    """
    try:
        async with asyncio.timeout(_LONGEST_WAIT):
            return await carry_out_stop(client, order)
    except TimeoutError:
        raise DependencyUnavailable(
            f"the order for {order.place} is accepted, but no worker carried it out within "
            f"{_LONGEST_WAIT} s; it stays and will be"
        ) from None
