"""Stops every flow of an organization, an environment or everything, or lets them go on."""

from __future__ import annotations

from temporalio import workflow

from activities.guards.stops import StopActivities
from domain import ids
from domain.records.stops import StopOrder, StopOutcome
from workflows.common.calls import QUICK, call


@workflow.defn
class EmergencyStopWorkflow:
    """Writes a stop down, or takes it away, and tells the flows it holds for."""

    @workflow.run
    async def run(self, order: StopOrder) -> StopOutcome:
        """First the fact, so that what begins from now on parks; then those that run are told.

        No undo: an order that is cancelled half-way is completed, as half a stop is none.
        """
        verb = "stop" if order.stops else "resume"
        changed = await call(
            StopActivities.change_stop,
            order,
            f"{verb} {order.place}: {order.reason}"[:200],
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=True,
        )
        told = await call(
            StopActivities.tell_flows,
            order.place,
            f"tell the running flows of {order.place}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=True,
        )
        return StopOutcome(changed=changed, told=told)
