"""Pauses what runs by the clock, lets it go on or begins it once, and writes down who did."""

from __future__ import annotations

from temporalio import workflow

from activities.health.schedules import ScheduleActivities
from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.schedules import ScheduleAct, ScheduleChanged, ScheduleOrder
from domain.records import FactResult
from workflows.common.calls import QUICK, call
from workflows.common.facts import Facts

_SAID = {
    ScheduleAct.PAUSE: "schedule.paused",
    ScheduleAct.RESUME: "schedule.resumed",
    ScheduleAct.TRIGGER: "schedule.triggered",
}


@workflow.defn
class ScheduleChangeWorkflow:
    """One order of one person. No undo: an order that is cancelled half-way is completed."""

    @workflow.run
    async def run(self, order: ScheduleOrder) -> ScheduleChanged:
        """Returns whether it changed anything."""
        facts = Facts(order.organization, order.schedule, Trigger(actor=order.actor))
        done = await call(
            ScheduleActivities.change_schedule,
            order,
            f"{order.act.value} {order.schedule}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=True,
        )
        facts.add(
            _SAID[order.act],
            authority=order.authority,
            reason=order.reason,
            result=FactResult.DONE if done.changed else FactResult.REFUSED,
            message="" if done.changed else f"it was so already: {done.note}",
        )
        await facts.write_to_the_end()
        return done
