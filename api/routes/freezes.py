"""Freeze windows as people look at them: what comes, what is closed, what is let in."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from api.access import Access, AccessDep
from api.dependencies import ClusterDep
from api.kinds import kind_of
from api.schemas.deliveries import Request, View
from clients.kubernetes import Cluster
from domain.deliveries.freezes import FreezePlace
from domain.durations import parse_duration
from domain.errors import Denied, InvalidRequest
from domain.policies import windows
from domain.resources import Action, Component, FreezeWindow, parse_as
from domain.resources.freeze import FreezeOverride, OverrideBy

router = APIRouter(prefix="/v1/freezes", tags=["freezes"])
_MANAGER = "pavane-freezes"
_LONGEST = timedelta(days=60)
_LONGEST_OVERRIDE = timedelta(hours=24)
_KEPT = timedelta(days=30)
_NEEDS = {OverrideBy.ADMIN: Action.ADMINISTER, OverrideBy.DEVELOPER: Action.DEPLOY}


class OccurrenceView(View):
    """One time that a window is."""

    window: str
    effect: str
    reason: str
    start: datetime
    end: datetime
    active: bool


class ClosedView(View):
    """A window that keeps a place closed."""

    window: str
    reason: str
    until: datetime | None = None
    override_by: str


class FreezeCheckView(View):
    """Whether a place is open now."""

    open: bool
    until: datetime | None = None
    closed_by: tuple[ClosedView, ...] = ()
    overridden: tuple[str, ...] = ()


class FreezeList(View):
    """What happens in the time to come."""

    items: tuple[OccurrenceView, ...]
    problems: dict[str, str] = Field({}, description="Window -> why it cannot be read.")


class OverrideOrder(Request):
    """Lets something in although a window is closed."""

    environment: str = Field(max_length=63)
    component: str = Field("", max_length=63, description="Empty = everything there.")
    reason: str = Field(min_length=3, max_length=1000)
    duration: str = Field("1h", max_length=24, description="How long, at most 24h.")


@router.get("/{organization}", summary="List what freeze windows do in the time to come")
async def list_freezes(
    organization: str,
    access: AccessDep,
    cluster: ClusterDep,
    following: Annotated[
        str, Query(alias="next", max_length=24, description="How far to look, such as 14d.")
    ] = "14d",
) -> FreezeList:
    """Windows are wall times of their zone; they are told in UTC."""
    await access.require(organization, Action.READ)
    span = parse_duration(following)
    if not timedelta(0) < span <= _LONGEST:
        raise InvalidRequest(f"look ahead by up to {_LONGEST.days} days")
    now = datetime.now(UTC)
    found = await _windows(cluster, organization)
    return FreezeList(
        items=tuple(
            OccurrenceView(
                window=one.window,
                effect=one.effect.value,
                reason=one.reason,
                start=one.start,
                end=one.end,
                active=one.start <= now < one.end,
            )
            for one in windows.upcoming(found, now, now + span)
        ),
        problems={one.name: faults[0] for one in found if (faults := windows.problems(one))},
    )


@router.get("/{organization}/check", summary="Tell whether a place is open now")
async def check(
    organization: str,
    access: AccessDep,
    cluster: ClusterDep,
    environment: Annotated[str, Query(max_length=63)],
    component: Annotated[str, Query(max_length=63)] = "",
) -> FreezeCheckView:
    """Says which windows keep it closed, and when it opens by itself."""
    await access.require(organization, Action.READ)
    place = await _place(cluster, organization, environment, component)
    found = windows.verdict(await _windows(cluster, organization), place, datetime.now(UTC))
    return FreezeCheckView(
        open=found.is_open,
        until=found.until,
        closed_by=tuple(
            ClosedView(
                window=one.window, reason=one.reason, until=one.until, override_by=one.override_by
            )
            for one in found.closed_by
        ),
        overridden=found.overridden,
    )


@router.post("/{organization}/{window}/override", summary="Let something in nevertheless")
async def override(
    organization: str, window: str, order: OverrideOrder, access: AccessDep, cluster: ClusterDep
) -> FreezeCheckView:
    """Opens the window for one place and a while. Takes the role that the window names."""
    await access.organization(organization)
    found = parse_as(FreezeWindow, await cluster.get(kind_of(FreezeWindow), window, organization))
    place = await _place(cluster, organization, order.environment, order.component)
    await _permit(access, found, place)
    length = parse_duration(order.duration)
    if not timedelta(0) < length <= _LONGEST_OVERRIDE:
        raise InvalidRequest("an override lasts for up to 24 hours")
    now = datetime.now(UTC).replace(microsecond=0)
    added = FreezeOverride(
        id=f"o{secrets.token_hex(6)}",
        environment=order.environment,
        component=order.component,
        by=access.actor,
        reason=order.reason,
        at=now,
        until=now + length,
    )
    kept = [one for one in found.status.overrides if one.until > now - _KEPT][-49:]
    status = found.status.model_copy(update={"overrides": (*kept, added)})
    await cluster.apply_status(
        found.model_copy(update={"status": status}).status_manifest(), manager=_MANAGER
    )
    return await check(organization, access, cluster, order.environment, order.component)


async def _permit(access: Access, window: FreezeWindow, place: FreezePlace) -> None:
    needed = _NEEDS.get(window.spec.override_by)
    if needed is None:
        raise Denied(f"freeze {window.name} lets nobody in: a platform engineer may suspend it")
    await access.require(
        place.organization, needed, project=place.project, environment=place.environment
    )


async def _windows(cluster: Cluster, organization: str) -> list[FreezeWindow]:
    listing = await cluster.list(kind_of(FreezeWindow), organization)
    return [parse_as(FreezeWindow, item) for item in listing.items]


async def _place(
    cluster: Cluster, organization: str, environment: str, component: str
) -> FreezePlace:
    place = FreezePlace(organization=organization, environment=environment, component=component)
    if not component:
        return place
    found = parse_as(Component, await cluster.get(kind_of(Component), component, organization))
    return place.model_copy(
        update={"project": found.project, "labels": dict(found.metadata.labels)}
    )
