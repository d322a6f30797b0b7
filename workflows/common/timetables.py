"""Keeps Temporal Schedules as resources say, without undoing what a person did to them."""

from __future__ import annotations

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.deliveries.schedules import PAUSED_BY

_KEPT = "kept"
"""Memo of what a schedule starts: the hash of what was wanted of it."""


async def keep(client: Client, name: str, wanted: Schedule) -> bool:
    """Makes a schedule so; False = it was so already. Idempotent.

    One that a person paused stays paused, whatever its resource says: only a person starts it. One
    that is so already is not written: Temporal leaves out the times before a change, and after all
    was away there may be some that it is to make up for.
    """
    mark = _marked(wanted)
    try:
        await client.create_schedule(name, wanted)
    except ScheduleAlreadyRunningError:
        changed = False

        async def update(found: ScheduleUpdateInput) -> ScheduleUpdate | None:
            nonlocal changed
            live = found.description.schedule
            is_held = live.state.paused and (live.state.note or "").startswith(PAUSED_BY)
            is_paused_so = is_held or live.state.paused == wanted.state.paused
            changed = not is_paused_so or await _mark_of(client, live) != mark
            if is_held:
                wanted.state = live.state
            return ScheduleUpdate(schedule=wanted) if changed else None

        await client.get_schedule_handle(name).update(update)
        return changed
    return True


def _marked(wanted: Schedule) -> str:
    """Notes on a schedule what is wanted of it, as servers write it in other words."""
    action = wanted.action
    if not isinstance(action, ScheduleActionStartWorkflow):
        return ""
    told = (action.workflow, action.id, action.task_queue, action.args)
    mark = ids.content_hash([repr(one) for one in (*told, wanted.spec, wanted.policy)])
    action.memo = {_KEPT: mark}
    return mark


async def _mark_of(client: Client, live: Schedule) -> str:
    memo = getattr(live.action, "memo", None) or {}
    if _KEPT not in memo:
        return ""
    (mark,) = await client.data_converter.decode([memo[_KEPT]])
    return str(mark)


async def drop(client: Client, name: str) -> bool:
    """Removes a schedule; False = there is none. Idempotent."""
    try:
        await client.get_schedule_handle(name).delete()
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True
