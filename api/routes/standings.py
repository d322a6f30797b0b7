"""Shows and changes what is remembered of places: holds, pins and vetoes."""

from __future__ import annotations

from datetime import UTC, datetime

from fastapi import APIRouter

from api.access import AccessDep
from api.dependencies import ClusterDep, TemporalDep
from api.schemas.promotions import HoldOrder, LiftOrder, PinOrder, StandingList, StandingView
from api.serving.idempotency import request_key
from api.views.promotions import artifact_to_pin, permitted
from domain.deliveries.standings import Hold, Pin, StandingChange
from domain.errors import InvalidRequest
from domain.resources import Action
from workflows.promotions.standings import TemporalStandings
from workflows.promotions.starting import stir_promotion

router = APIRouter(prefix="/v1", tags=["promotions"])


@router.get("/standings", summary="Places where something is held, pinned or vetoed")
async def standings(organization: str, access: AccessDep, client: TemporalDep) -> StandingList:
    """Lists what keeps things away from the places that the caller may see, and why."""
    owner = await access.organization(organization)
    found = await TemporalStandings(client).awaiting(organization)
    seen = [one for one in found if access.sees(owner, "", one.environment)]
    return StandingList(items=tuple(StandingView.model_validate(one) for one in seen))


@router.get(
    "/standings/{organization}/{component}/{environment}", summary="What is remembered of a place"
)
async def standing(
    *,
    organization: str,
    component: str,
    environment: str,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> StandingView:
    """Returns what passed, what is held, pinned and vetoed."""
    await permitted(access, cluster, (organization, component, environment), Action.READ)
    found = await TemporalStandings(client).read(organization, component, environment)
    return StandingView.model_validate(found)


@router.post("/standings/{organization}/{component}/{environment}/hold", summary="Hold a place")
async def hold(
    *,
    organization: str,
    component: str,
    environment: str,
    order: HoldOrder,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> StandingView:
    """Keeps automation away from a place until a person lifts the hold."""
    await permitted(access, cluster, (organization, component, environment), Action.DEPLOY)
    now = datetime.now(UTC)
    change = StandingChange(
        organization=organization,
        component=component,
        environment=environment,
        key=f"hold-{request_key(None, access.actor)}",
        hold=Hold(reason=order.reason, by=access.actor, since=now),
        at=now,
        by=access.actor,
        reason=order.reason,
    )
    return StandingView.model_validate(await TemporalStandings(client).change(change))


@router.post("/standings/{organization}/{component}/{environment}/pin", summary="Pin a place")
async def pin(
    *,
    organization: str,
    component: str,
    environment: str,
    order: PinOrder,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> StandingView:
    """Lets nothing but one artifact come to a place, whoever asks, until the pin ends.

    Rollbacks go on. A pin that is there is replaced.
    """
    await permitted(access, cluster, (organization, component, environment), Action.DEPLOY)
    now = datetime.now(UTC)
    if order.until is not None and order.until <= now:
        raise InvalidRequest(f"{order.until.isoformat()} is over: say until when it is pinned")
    artifact = await artifact_to_pin(
        cluster, organization, component, environment, named=order.artifact
    )
    change = StandingChange(
        organization=organization,
        component=component,
        environment=environment,
        key=f"pin-{request_key(None, access.actor)}",
        pin=Pin(
            artifact=artifact,
            reason=order.reason,
            by=access.actor,
            since=now,
            until=order.until,
        ),
        at=now,
        by=access.actor,
        reason=order.reason,
    )
    changed = await TemporalStandings(client).change(change)
    await stir_promotion(client, organization, component, environment)
    return StandingView.model_validate(changed)


@router.post(
    "/standings/{organization}/{component}/{environment}/lift",
    summary="Lift a hold, a pin or a veto",
)
async def lift(
    *,
    organization: str,
    component: str,
    environment: str,
    order: LiftOrder,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> StandingView:
    """Lets automation, or artifacts, come to a place again; what waits for that looks anew."""
    await permitted(access, cluster, (organization, component, environment), Action.DEPLOY)
    if not (order.hold or order.pin or order.veto):
        raise InvalidRequest("say what is lifted: hold, pin, or the artifact of a veto")
    change = StandingChange(
        organization=organization,
        component=component,
        environment=environment,
        key=f"lift-{request_key(None, access.actor)}",
        lift_hold=order.hold,
        lift_pin=order.pin,
        lift_veto=order.veto,
        at=datetime.now(UTC),
        by=access.actor,
        reason=order.reason,
    )
    changed = await TemporalStandings(client).change(change)
    await stir_promotion(client, organization, component, environment)
    return StandingView.model_validate(changed)
