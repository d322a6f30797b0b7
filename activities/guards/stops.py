"""Stops flows in an emergency, lets them go on, and tells them."""

from __future__ import annotations

import asyncio

from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from clients.records import Records
from domain.errors import DependencyUnavailable, Stopped
from domain.records import Recorded
from domain.records.stops import Place, Standing, Stop, StopOrder
from runtime import search_attributes as attributes

SIGNAL = "stop_changed"
"""What every flow with safe points listens to."""
_TOGETHER = 50


class StopActivities:
    """Effects and readings of emergency stops."""

    def __init__(self, records: Records) -> None:
        self._records = records

    @activity.defn
    async def change_stop(self, order: StopOrder) -> bool:
        """Stops a place, or lets it go on; writes the fact in the same transaction.

        Idempotent by the key of the order. False = it was so already.
        """
        return await self._records.change_stop(order)

    @activity.defn
    async def read_stops(self, place: Place) -> Standing:
        """Returns the stops that hold in a place now. Idempotent: a reading."""
        return Standing(stops=await self._records.stops(place))

    @activity.defn
    async def tell_flows(self, place: Place) -> int:
        """Tells every running flow of a place that a stop changed; returns how many.

        Idempotent: a flow that is told twice looks twice. What visibility does not show yet looks
        by itself when it begins.
        """
        client = activity.client()
        told, batch = 0, []
        async for execution in client.list_workflows(_running_in(place)):
            batch.append(_tell(client, execution.id))
            if len(batch) == _TOGETHER:
                told += sum(await asyncio.gather(*batch))
                batch = []
        return told + sum(await asyncio.gather(*batch))


def heed(recorded: Recorded) -> None:
    """Returns when nothing stops what was just written to begin.

    Raises:
        Stopped: Somebody stopped the place; the flow parks and tries again when it goes on.
    """
    for stop in recorded.stops:
        raise stopped(stop)


def stopped(stop: Stop) -> Stopped:
    """Returns the error that tells of a stop."""
    facts = {
        "place": str(stop.place),
        "by": stop.actor,
        "why": stop.reason,
        "since": stop.since.isoformat(),
    }
    return Stopped(str(stop), facts=facts)


async def _tell(client: Client, workflow_id: str) -> bool:
    try:
        await client.get_workflow_handle(workflow_id).signal(SIGNAL)
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False  # it ended meanwhile
        raise DependencyUnavailable(f"{workflow_id}: Temporal does not take the signal") from error
    return True


def _running_in(place: Place) -> str:
    """Returns the visibility query. Names of places are DNS labels, so nothing can be escaped."""
    kinds = ", ".join(f"'{kind}'" for kind in attributes.STOPPABLE)
    terms = ["ExecutionStatus = 'Running'", f"{attributes.KIND.name} IN ({kinds})"]
    if place.organization:
        terms.append(f"{attributes.ORGANIZATION.name} = '{place.organization}'")
    if place.environment:
        terms.append(f"{attributes.ENVIRONMENT.name} = '{place.environment}'")
    return " AND ".join(terms)
