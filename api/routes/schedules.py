"""What runs by the clock: list it, pause it, let it go on, begin it once."""

from __future__ import annotations

import asyncio
import hashlib
import uuid
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Path
from pydantic import Field
from temporalio.client import Client, WorkflowFailureError

from api.access import Access, AccessDep
from api.dependencies import ClusterDep, IdempotencyKey, TemporalDep
from api.routes.rotations import permit_rotation
from api.schemas.deliveries import Request, View
from clients.kubernetes import Cluster
from domain import ids
from domain.deliveries.schedules import ScheduleAct, ScheduleOrder
from domain.errors import DependencyUnavailable, InvalidRequest
from domain.resources import Action
from runtime.errors import as_domain_error
from workflows.health.seeing import SeenSchedule, change_schedule, schedules_of

router = APIRouter(prefix="/v1/schedules", tags=["schedules"])
_LONGEST_WAIT = 20
Kind = Annotated[Literal["sweep", "rotation"], Path(description="What it begins.")]
Name = Annotated[
    str, Path(max_length=63, description="The environment, or the SecretRotation, it is of.")
]


class ScheduleView(View):
    """One schedule."""

    id: str
    kind: str = Field(description="sweep = a look at the health of an environment; rotation.")
    name: str = Field(description="The environment or the SecretRotation.")
    paused: bool
    note: str = Field(description="What it is for, or who paused it and why.")
    every_seconds: float | None = Field(description="null = by a calendar.")
    next_at: datetime | None = Field(description="null = nothing comes; it may be paused.")
    last_at: datetime | None
    last_workflow: str = Field(description="Id of what it began last, for the Temporal UI.")

    @classmethod
    def of(cls, organization: str, one: SeenSchedule) -> ScheduleView:
        """Returns what is shown of a schedule."""
        return cls(
            id=f"{one.kind}/{organization}/{one.name}",
            kind=one.kind,
            name=one.name,
            paused=one.paused,
            note=one.note,
            every_seconds=one.every.total_seconds() if one.every else None,
            next_at=None if one.paused else one.next_at,
            last_at=one.last_at,
            last_workflow=one.last_workflow,
        )


class ScheduleList(View):
    """What runs by the clock."""

    items: tuple[ScheduleView, ...]


class ScheduleCommand(Request):
    """Why a schedule is changed."""

    reason: str = Field("", max_length=500, description="Why; required to pause.")


class ScheduleResult(View):
    """What became of it."""

    id: str
    changed: bool = Field(description="false = it was so already.")
    note: str


@router.get("/{organization}", summary="What runs by the clock")
async def list_schedules(organization: str, access: AccessDep, client: TemporalDep) -> ScheduleList:
    """Lists the looks at environments and the rotations of secrets, with the next and last time."""
    await access.require(organization, Action.READ)
    found = await schedules_of(client, organization)
    return ScheduleList(items=tuple(ScheduleView.of(organization, one) for one in found))


@router.post("/{organization}/{kind}/{name}/pause", summary="Pause a schedule")
async def pause(
    *,
    organization: str,
    kind: Kind,
    name: Name,
    command: ScheduleCommand,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
    key: IdempotencyKey = None,
) -> ScheduleResult:
    """Nothing begins by itself until somebody resumes it, whatever its resource says meanwhile."""
    if not command.reason.strip():
        raise InvalidRequest("to pause takes a reason: it is shown to whoever wonders")
    order = await _order(access, cluster, organization, (kind, name), ScheduleAct.PAUSE)
    return await _changed(client, order, command.reason, key)


@router.post("/{organization}/{kind}/{name}/resume", summary="Let a schedule go on")
async def resume(
    *,
    organization: str,
    kind: Kind,
    name: Name,
    command: ScheduleCommand,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
    key: IdempotencyKey = None,
) -> ScheduleResult:
    """What was missed meanwhile is not made up for. Its resource may suspend it again."""
    order = await _order(access, cluster, organization, (kind, name), ScheduleAct.RESUME)
    return await _changed(client, order, command.reason, key)


@router.post("/{organization}/{kind}/{name}/trigger", summary="Begin it once, now")
async def trigger(
    *,
    organization: str,
    kind: Kind,
    name: Name,
    command: ScheduleCommand,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
    key: IdempotencyKey = None,
) -> ScheduleResult:
    """Also while it is paused. Does nothing when what it begins runs already."""
    order = await _order(access, cluster, organization, (kind, name), ScheduleAct.TRIGGER)
    return await _changed(client, order, command.reason, key)


async def _order(
    access: Access, cluster: Cluster, organization: str, of: tuple[str, str], act: ScheduleAct
) -> ScheduleOrder:
    """Returns the order of a person who may give it.

    Raises:
        Denied: They do not administer the place.
    """
    kind, name = of
    if kind == "rotation":
        await permit_rotation(access, cluster, organization, name, Action.ADMINISTER)
        schedule = ids.rotation_id(organization, name)
    else:
        await access.require(organization, Action.ADMINISTER, environment=name)
        schedule = ids.sweep_id(organization, name)
    return ScheduleOrder(
        organization=organization,
        schedule=schedule,
        act=act,
        actor=access.actor,
        authority="administers the installation" if access.is_admin else "administers the place",
        at=datetime.now(UTC),
    )


async def _changed(
    client: Client, order: ScheduleOrder, reason: str, key: str | None
) -> ScheduleResult:
    """Carries an order out.

    Raises:
        NotFound: There is no such schedule.
        DependencyUnavailable: No worker carried it out yet; the order stays and will be.
    """
    told = order.model_copy(update={"reason": reason.strip()})
    try:
        async with asyncio.timeout(_LONGEST_WAIT):
            done = await change_schedule(client, told, _key(order, key))
    except TimeoutError:
        raise DependencyUnavailable(
            f"the order for {order.schedule} is accepted, but no worker carried it out within "
            f"{_LONGEST_WAIT} s; it stays and will be"
        ) from None
    except WorkflowFailureError as failure:
        raise as_domain_error(failure) from failure
    return ScheduleResult(id=order.schedule, changed=done.changed, note=done.note)


def _key(order: ScheduleOrder, key: str | None) -> str:
    if key is None:
        return uuid.uuid4().hex
    return hashlib.sha256(f"{order.schedule} {order.act} {key}".encode()).hexdigest()[:40]
