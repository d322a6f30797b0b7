"""Keeps Temporal Schedules as resources say, without undoing what a person did to them."""

from __future__ import annotations

from temporalio.client import (
    Client,
    Schedule,
    ScheduleAlreadyRunningError,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from domain.deliveries.schedules import PAUSED_BY


async def keep(client: Client, name: str, wanted: Schedule) -> bool:
    """Makes a schedule so; returns True. Idempotent.

    One that a person paused stays paused, whatever its resource says: only a person starts it.
    """
    try:
        await client.create_schedule(name, wanted)
    except ScheduleAlreadyRunningError:

        async def update(found: ScheduleUpdateInput) -> ScheduleUpdate:
            state = found.description.schedule.state
            if state.paused and (state.note or "").startswith(PAUSED_BY):
                wanted.state = state
            return ScheduleUpdate(schedule=wanted)

        await client.get_schedule_handle(name).update(update)
    return True


async def drop(client: Client, name: str) -> bool:
    """Removes a schedule; False = there is none. Idempotent."""
    try:
        await client.get_schedule_handle(name).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True
