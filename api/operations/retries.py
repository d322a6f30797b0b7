"""What an operation tries again at the moment, and why: what Temporal knows of its activities.

A procedure does not know that its activity failed and waits for the next try, since Temporal
retries on its behalf. People who wait must know.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from google.protobuf.timestamp_pb2 import Timestamp
from temporalio.api.enums.v1 import EventType, PendingActivityState
from temporalio.api.workflow.v1 import PendingActivityInfo
from temporalio.client import Client, WorkflowExecutionDescription

from api.schemas.deliveries import RetryView
from domain.errors import Errored
from domain.policies.silence import silence, unserved
from runtime.errors import as_domain_error

_SCHEDULED = EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED
_PATIENCE = timedelta(seconds=5)
"""How long an activity may be without a worker before that is worth telling."""


async def retries(client: Client, execution: WorkflowExecutionDescription) -> tuple[RetryView, ...]:
    """Returns the activities that failed and are tried again, and those no worker takes."""
    pending = execution.raw_description.pending_activities
    told = [one for one in pending if one.HasField("last_failure") or _is_left_lying(one)]
    if not told:
        return ()
    scheduled = await _scheduled(client, execution)
    return tuple([await _view(client, one, scheduled) for one in told])


def _is_left_lying(one: PendingActivityInfo) -> bool:
    """Tells whether no worker has taken the first try."""
    scheduled = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    since = _time(one.scheduled_time)
    return one.state == scheduled and since is not None and datetime.now(UTC) - since > _PATIENCE


async def _view(
    client: Client, one: PendingActivityInfo, scheduled: dict[str, tuple[str, str]]
) -> RetryView:
    words, queue = scheduled.get(one.activity_id, ("", ""))
    what = words or one.activity_type.name.replace("_", " ")
    until = _time(one.expiration_time)
    if not one.HasField("last_failure"):
        return RetryView(
            what=what,
            attempt=one.attempt,
            type="NoWorker",
            message=unserved(queue),
            until=until,
        )
    error = as_domain_error(await client.data_converter.decode_failure(one.last_failure))
    message = error.message
    if one.last_failure.HasField("timeout_failure_info") and type(error) is Errored:
        message = silence(queue, what, error.message)
    return RetryView(
        what=what,
        attempt=one.attempt,
        type=type(error).__name__,
        message=message,
        next_try=_time(one.next_attempt_schedule_time),
        until=until,
    )


async def _scheduled(
    client: Client, execution: WorkflowExecutionDescription
) -> dict[str, tuple[str, str]]:
    """The words of the procedure for its activities and their task queues: only in the history."""
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    found: dict[str, tuple[str, str]] = {}
    async for event in handle.fetch_history_events():
        if event.event_type != _SCHEDULED:
            continue
        words = ""
        if event.user_metadata.HasField("summary"):
            (words,) = await client.data_converter.decode([event.user_metadata.summary], [str])
        about = event.activity_task_scheduled_event_attributes
        found[about.activity_id] = (words, about.task_queue.name)
    return found


def _time(stamp: Timestamp) -> datetime | None:
    return stamp.ToDatetime(UTC) if stamp.seconds else None
