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
    summaries = await _summaries(client, execution)
    return tuple([await _view(client, one, summaries) for one in told])


def _is_left_lying(one: PendingActivityInfo) -> bool:
    """Tells whether no worker has taken the first try."""
    scheduled = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
    since = _time(one.scheduled_time)
    return one.state == scheduled and since is not None and datetime.now(UTC) - since > _PATIENCE


async def _view(client: Client, one: PendingActivityInfo, summaries: dict[str, str]) -> RetryView:
    what = summaries.get(one.activity_id) or one.activity_type.name.replace("_", " ")
    until = _time(one.expiration_time)
    if not one.HasField("last_failure"):
        return RetryView(
            what=what,
            attempt=one.attempt,
            type="NoWorker",
            message="no worker has taken it yet",
            until=until,
        )
    error = as_domain_error(await client.data_converter.decode_failure(one.last_failure))
    return RetryView(
        what=what,
        attempt=one.attempt,
        type=type(error).__name__,
        message=error.message,
        next_try=_time(one.next_attempt_schedule_time),
        until=until,
    )


async def _summaries(client: Client, execution: WorkflowExecutionDescription) -> dict[str, str]:
    """The words of the procedure for its activities; they stand in the history only."""
    handle = client.get_workflow_handle(execution.id, run_id=execution.run_id)
    found: dict[str, str] = {}
    async for event in handle.fetch_history_events():
        if event.event_type == _SCHEDULED and event.user_metadata.HasField("summary"):
            (words,) = await client.data_converter.decode([event.user_metadata.summary], [str])
            found[event.activity_task_scheduled_event_attributes.activity_id] = words
    return found


def _time(stamp: Timestamp) -> datetime | None:
    return stamp.ToDatetime(UTC) if stamp.seconds else None
