"""How long it takes until somebody goes on with what a killed worker left."""

from __future__ import annotations

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from tests.durability.place import Place

_PICKED_UP = {
    EventType.EVENT_TYPE_WORKFLOW_TASK_STARTED,
    EventType.EVENT_TYPE_ACTIVITY_TASK_STARTED,
}


async def recovery(place: Place, killed: float) -> float | None:
    """Seconds until the first task after a kill was taken up; None when nothing was left to do."""
    taken = [
        when
        for handle in place.operations.values()
        for when in await _taken_up(handle)
        if when > killed
    ]
    return min(taken) - killed if taken else None


async def _taken_up(handle: WorkflowHandle[object, object]) -> list[float]:
    history = await handle.fetch_history()
    return [
        event.event_time.ToNanoseconds() / 1e9
        for event in history.events
        if event.event_type in _PICKED_UP
    ]
