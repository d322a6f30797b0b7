"""How workflows call activities: four presets and one helper that insists on a summary."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypedDict, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, TimeoutError  # noqa: A004 - the SDK's name

from domain.errors import Errored
from domain.policies.silence import silence
from runtime.errors import as_domain_error

Argument = TypeVar("Argument")
Result = TypeVar("Result")
Owner = TypeVar("Owner")

BUDGET = timedelta(hours=2)
"""How long a technical fault is retried before the step gives up."""

_SILENCE = timedelta(seconds=10)
"""How long nothing may be heard of an activity before another worker takes it: every activity
tells that it lives (``runtime.liveness``), so this is what a killed worker costs."""


class Options(TypedDict, total=False):
    """The options of an activity call that a preset decides."""

    start_to_close_timeout: timedelta
    schedule_to_close_timeout: timedelta
    heartbeat_timeout: timedelta
    retry_policy: RetryPolicy
    cancellation_type: workflow.ActivityCancellationType


_RETRY = RetryPolicy(
    initial_interval=timedelta(milliseconds=500),
    backoff_coefficient=2,
    maximum_interval=timedelta(seconds=30),
)

QUICK: Options = {
    "start_to_close_timeout": timedelta(seconds=30),
    "heartbeat_timeout": _SILENCE,
    "schedule_to_close_timeout": BUDGET,
    "retry_policy": _RETRY,
    "cancellation_type": workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}
"""Reads and small writes of the control plane."""

WRITE: Options = {
    "start_to_close_timeout": timedelta(minutes=2),
    "schedule_to_close_timeout": BUDGET,
    "heartbeat_timeout": _SILENCE,
    "retry_policy": _RETRY,
    "cancellation_type": workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}
"""Changes of a plane: a cancel waits until the change has stopped, so undo finds quiet ground."""


PRESENCE: Options = {
    "start_to_close_timeout": timedelta(seconds=10),
    "schedule_to_close_timeout": timedelta(seconds=30),
    "heartbeat_timeout": _SILENCE,
    "retry_policy": _RETRY,
    "cancellation_type": workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
}
"""Whether somebody is there now: longer than a restart of a worker takes."""

UNTIL_BACK: Options = PRESENCE | {
    "start_to_close_timeout": timedelta(seconds=30),
    "schedule_to_close_timeout": timedelta(hours=1),
}
"""Until somebody is there again; whoever waits longer asks anew."""


def watch_once(longest: timedelta) -> Options:
    """Returns the preset of a watch whose end, for whatever reason, is what is waited for."""
    return watch(longest) | {"retry_policy": RetryPolicy(maximum_attempts=1)}


def watch(longest: timedelta) -> Options:
    """Returns the preset of an activity that waits for the end of something on a plane.

    Args:
        longest: The budget of the watched thing; the activity itself fails it before that.
    """
    return {
        "start_to_close_timeout": longest + timedelta(minutes=2),
        "schedule_to_close_timeout": longest + BUDGET,
        "heartbeat_timeout": _SILENCE,
        "retry_policy": _RETRY,
        "cancellation_type": workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
    }


async def call(
    method: Callable[[Any, Argument], Awaitable[Result]],
    argument: Argument,
    summary: str,
    *,
    queue: str,
    options: Options,
    even_if_cancelled: bool = False,
) -> Result:
    """Executes an activity method on the task queue that has the right to it.

    A cancel that arrives while an activity is ending is swallowed by its result, so it is looked
    for afterwards.

    Args:
        method: The activity.
        argument: Its one argument.
        summary: What a person on call reads beside it.
        queue: Task queue of the worker that may do it.
        options: One of the presets.
        even_if_cancelled: The result is needed although all is cancelled: to undo, to write
            down, or because it tells what there is to undo.
    """
    called = _named(
        workflow.execute_activity_method(
            method, argument, summary=summary, task_queue=queue, **options
        ),
        queue,
        summary,
    )
    if even_if_cancelled:
        return await to_the_end(called)
    result = await called
    stop_if_cancelled()
    return result


async def _named(called: Awaitable[Result], queue: str, summary: str) -> Result:
    """Names who let a step run out of time: Temporal only says that it did."""
    try:
        return await called
    except ActivityError as failure:
        known = as_domain_error(failure)
        if isinstance(failure.cause, TimeoutError) and type(known) is Errored:
            raise Errored(silence(queue, summary, known.message)) from failure
        raise


async def to_the_end(work: Awaitable[Result]) -> Result:
    """Awaits what must not be left half done, although the workflow is cancelled meanwhile.

    Nothing of ``work`` is cancelled. An activity that was asked to cancel would not be tried again
    when its worker dies. The caller looks for the cancel afterwards, if it matters to it.
    """
    task = asyncio.ensure_future(work)
    while True:
        try:
            return await asyncio.shield(task)
        except asyncio.CancelledError:
            if task.cancelled():
                raise


def heed_cancel() -> None:
    """Raises a cancel that was put off: of the workflow, or of the task in which this is called.

    For what came to its end although it was cancelled, where more would follow. Runs that went on
    after it before this was so do the same in their replay.
    """
    task = asyncio.current_task()
    is_cancelled = workflow.cancellation_reason() is not None or bool(task and task.cancelling())
    if is_cancelled and workflow.patched("a-cancel-that-was-put-off-is-heeded"):
        raise asyncio.CancelledError


def stop_if_cancelled() -> None:
    """Raises the cancel of the workflow again, in case a result that came with it swallowed it."""
    if workflow.cancellation_reason() is not None:
        raise asyncio.CancelledError
