"""Changes what runs by the clock."""

from __future__ import annotations

from temporalio import activity
from temporalio.client import ScheduleHandle, ScheduleUpdate, ScheduleUpdateInput
from temporalio.service import RPCError, RPCStatusCode

from domain.deliveries.schedules import ScheduleAct, ScheduleChanged, ScheduleName, ScheduleOrder
from domain.errors import DependencyUnavailable, NotFound

_LIST = {"advice": "See what there is: `pavane schedules list`."}


class ScheduleActivities:
    """Effects on Temporal Schedules."""

    @activity.defn
    async def change_schedule(self, order: ScheduleOrder) -> ScheduleChanged:
        """Pauses a schedule, lets it go on, or begins what it begins once more.

        Idempotent for pause and resume: one that is so already stays so, with the note of whoever
        was first. A trigger that is tried again begins nothing while what it began runs. Cancel:
        not heeded, it is short.

        Raises:
            NotFound: There is no such schedule.
            DependencyUnavailable: Temporal did not take it.
        """
        handle = activity.client().get_schedule_handle(order.schedule)
        try:
            if order.act is ScheduleAct.TRIGGER:
                await handle.trigger()
                return ScheduleChanged(changed=True)
            return await _pause(handle, order)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                raise NotFound(f"there is no schedule {order.schedule}", facts=_LIST) from None
            raise DependencyUnavailable(f"{order.schedule}: Temporal: {error.message}") from error

    @activity.defn
    async def drop_schedule(self, name: ScheduleName) -> bool:
        """Removes a schedule of something that is gone; False = it was removed already.

        Idempotent. Cancel: not heeded, it is short.

        Raises:
            DependencyUnavailable: Temporal did not take it.
        """
        try:
            await activity.client().get_schedule_handle(name.schedule).delete()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise DependencyUnavailable(f"{name.schedule}: Temporal: {error.message}") from error
        return True


async def _pause(handle: ScheduleHandle, order: ScheduleOrder) -> ScheduleChanged:
    wanted = order.act is ScheduleAct.PAUSE
    state = (await handle.describe()).schedule.state
    if state.paused is wanted:
        return ScheduleChanged(changed=state.note == order.note, note=state.note or "")

    def update(found: ScheduleUpdateInput) -> ScheduleUpdate:
        schedule = found.description.schedule
        schedule.state.paused, schedule.state.note = wanted, order.note
        return ScheduleUpdate(schedule=schedule)

    await handle.update(update)
    return ScheduleChanged(changed=True, note=order.note)
