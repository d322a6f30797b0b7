"""How a procedure is opened of which one runs at a time in a place: started, or found and told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy

Request = TypeVar("Request")
Result = TypeVar("Result")


async def opened(
    client: Client,
    run: Callable[[Any, Request], Awaitable[Result]],
    request: Request,
    *,
    place: str,
    queue: str,
    signal: str = "",
    **options: Any,
) -> WorkflowHandle[Any, Result]:
    """Starts the procedure of a place, or finds the one that runs there. Idempotent by ``place``.

    Args:
        client: Of Temporal.
        run: The workflow.
        request: What it is started with.
        place: Workflow id: lock and key at once.
        queue: Task queue.
        signal: By which the request is told to one that runs already; empty = it is not.
        options: Further ones of ``start_workflow``: summary, details, attributes, priority.
    """
    if signal:
        options |= {"start_signal": signal, "start_signal_args": [request]}
    handle: WorkflowHandle[Any, Result] = await client.start_workflow(
        run,
        request,
        id=place,
        task_queue=queue,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        **options,
    )
    return handle
