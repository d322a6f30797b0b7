"""What runs by the clock in an organization, as Temporal knows it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from temporalio.client import (
    Client,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionResult,
    ScheduleListDescription,
)

from domain import ids
from domain.deliveries.schedules import ScheduleChanged, ScheduleOrder
from workflows.health.changes import ScheduleChangeWorkflow

KINDS = ("sweep", "rotation")
"""What can run by the clock in an organization: the first part of a schedule's id."""


@dataclass(frozen=True)
class SeenSchedule:
    """One schedule."""

    kind: str
    name: str
    note: str
    paused: bool
    every: timedelta | None
    """None = by a calendar."""
    next_at: datetime | None
    last_at: datetime | None
    last_workflow: str


async def schedules_of(client: Client, organization: str) -> list[SeenSchedule]:
    """Returns the schedules of an organization by kind and name, as visibility shows them."""
    ids.slug(organization, "organization")
    prefixes = tuple(f"{kind}/{organization}/" for kind in KINDS)
    found = [
        _seen(one)
        async for one in await client.list_schedules(page_size=1000)
        if one.id.startswith(prefixes)
    ]
    return sorted(found, key=lambda one: (one.kind, one.name))


def _seen(one: ScheduleListDescription) -> SeenSchedule:
    kind, _, name = one.id.split("/", 2)
    info, schedule = one.info, one.schedule
    last = _last(info.recent_actions if info else ())
    intervals = schedule.spec.intervals if schedule else ()
    return SeenSchedule(
        kind=kind,
        name=name,
        note=(schedule.state.note or "") if schedule else "",
        paused=bool(schedule and schedule.state.paused),
        every=intervals[0].every if intervals else None,
        next_at=min(info.next_action_times, default=None) if info else None,
        last_at=last.started_at if last else None,
        last_workflow=_workflow(last),
    )


def _last(actions: Iterable[ScheduleActionResult]) -> ScheduleActionResult | None:
    return max(actions, key=lambda one: one.started_at, default=None)


def _workflow(last: ScheduleActionResult | None) -> str:
    begun = last.action if last else None
    return begun.workflow_id if isinstance(begun, ScheduleActionExecutionStartWorkflow) else ""


async def change_schedule(client: Client, order: ScheduleOrder, key: str) -> ScheduleChanged:
    """Pauses, resumes or triggers a schedule; returns when that is done. Idempotent by ``key``.

    Raises:
        WorkflowFailureError: There is no such schedule.
    """
    return await client.execute_workflow(
        ScheduleChangeWorkflow.run,
        order,
        id=ids.schedule_change_id(order.organization, key),
        task_queue=ids.ORCHESTRATION_QUEUE,
        static_summary=f"{order.act.value} {order.schedule}",
        static_details=f"By {order.actor}: {order.reason}" if order.reason else f"By {order.actor}",
    )
