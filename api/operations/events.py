"""Follows an operation: the history says when something happened, the procedure says what.

Temporal's long poll returns when the history grows, so nothing is asked in vain and nothing is
missed: whatever happens while the status is read makes the next poll return at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable

from sse_starlette import ServerSentEvent
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent
from temporalio.client import Client, WorkflowHistoryEventAsyncIterator
from temporalio.service import RPCError

from api.operations.reading import RUN_ID, Reference, read
from api.schemas.deliveries import OperationView
from api.serving.problems import from_temporal
from api.serving.streams import until
from domain.errors import PlatformError

_CONTINUED = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
_RECONNECT_MILLISECONDS = 1000
_LOOK_AGAIN_SECONDS = 3.0


async def follow(
    client: Client, reference: Reference, last_event_id: str, stopping: asyncio.Event
) -> AsyncGenerator[ServerSentEvent, None]:
    """Yields the operation after each change, and ends when it is over or the process stops."""
    before: OperationView | None = None
    try:
        changes = _changes(client, reference, last_event_id)
        stream = until(_or_retried(client, reference, changes), stopping)
        async for event_id in stream:
            run = Reference(reference.procedure, event_id.partition(":")[0])
            view = await read(client, run)
            # It may have gone on while it was read: its end is told once, by its last event, so
            # that who comes back with this id is not told again.
            told = event_id if view.is_open else await _last(stream, event_id)
            if view != before:
                yield _event("operation", view.model_dump_json(by_alias=True), told)
            before = view
            if not view.is_open:
                return
    except (RPCError, PlatformError) as error:
        # The status line is long gone: the client reads this and comes back by Last-Event-ID.
        failure = from_temporal(error) if isinstance(error, RPCError) else error
        yield _event("fault", failure.message)


async def _last(stream: AsyncIterable[str], event_id: str) -> str:
    async for later in stream:
        event_id = later
    return event_id


def _event(kind: str, content: str, event_id: str | None = None) -> ServerSentEvent:
    return ServerSentEvent(content, event=kind, id=event_id, retry=_RECONNECT_MILLISECONDS)


async def _changes(
    client: Client, reference: Reference, last_event_id: str
) -> AsyncGenerator[str, None]:
    """Yields ``run:event`` whenever the history has grown beyond ``last_event_id``."""
    run_id, seen = _parsed(last_event_id)
    if not run_id:
        run_id = reference.run_id or (await reference.handle(client).describe()).run_id
    while run_id:
        handle = client.get_workflow_handle(str(reference.procedure), run_id=run_id)
        history = handle.fetch_history_events(wait_new_event=True)
        following = ""
        while (last := await _grown(history)) is not None:
            if last.event_id > seen:
                yield f"{run_id}:{last.event_id}"
            following = _next_run(last)
        run_id, seen = following, 0


async def _or_retried(
    client: Client, reference: Reference, changes: AsyncGenerator[str, None]
) -> AsyncGenerator[str, None]:
    """Yields what ``changes`` yields, and that again when an activity failed meanwhile.

    The tries of an activity are no part of the history, so nothing tells of them: they are looked
    at every few seconds.
    """
    last, tries = "", ""
    coming: asyncio.Future[str | None] | None = None
    try:
        while True:
            coming = coming or asyncio.ensure_future(anext(changes, None))
            done, _ = await asyncio.wait({coming}, timeout=_LOOK_AGAIN_SECONDS)
            if done:
                change, coming = coming.result(), None
                if change is None:
                    return
                last = change
                yield last
            elif last and (now := await _tries(client, reference, last)) != tries:
                tries = now
                yield last
    finally:
        if coming is not None:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)
        await changes.aclose()


async def _tries(client: Client, reference: Reference, event_id: str) -> str:
    """What differs when an activity of the run has failed, or lies without a worker."""
    run = Reference(reference.procedure, event_id.partition(":")[0])
    pending = (await run.handle(client).describe()).raw_description.pending_activities
    return " ".join(f"{one.activity_id}.{one.attempt}.{one.state}" for one in pending)


async def _grown(history: WorkflowHistoryEventAsyncIterator) -> HistoryEvent | None:
    """Returns the newest event once there are new ones, None when the run is over."""
    while history.current_page is None or history.next_page_token:
        await history.fetch_next_page()
        if history.current_page:
            return history.current_page[-1]
    return None


def _next_run(event: HistoryEvent) -> str:
    if event.event_type != _CONTINUED:
        return ""
    attributes = event.workflow_execution_continued_as_new_event_attributes
    return str(attributes.new_execution_run_id)


def _parsed(last_event_id: str) -> tuple[str, int]:
    """Returns run and event; what is not of our making is as good as nothing."""
    run_id, _, number = last_event_id.partition(":")
    if RUN_ID.fullmatch(run_id) and number.isdecimal():
        return run_id, int(number)
    return "", 0
