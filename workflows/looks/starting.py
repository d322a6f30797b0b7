"""Looks at what runs on a plane; called by the API."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy

from domain import ids
from domain.deliveries.logs import LogRequest
from domain.deliveries.trees import ComponentTree, TreeRequest
from workflows.looks.logs import LogsWorkflow
from workflows.looks.tree import TreeWorkflow

_SLACK = timedelta(minutes=4)
_KEY = 16


async def look_at_tree(client: Client, request: TreeRequest, bound: str) -> ComponentTree:
    """Returns the objects of a component; all who know the same of it share one look.

    Args:
        client: Temporal.
        request: What is looked at.
        bound: What the asker knows of the binding; looks that began before it said so are not
            shared.

    Raises:
        WorkflowFailureError: The plane does not answer, or nothing there can be looked at.
        InvalidRequest: A name is not valid.
    """
    key = ids.content_hash([request.known, bound, request.runs])[:_KEY]
    return await client.execute_workflow(
        TreeWorkflow.run,
        request,
        id=ids.tree_id(request.organization, request.component, request.environment, key),
        task_queue=ids.ORCHESTRATION_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        execution_timeout=timedelta(seconds=request.patience_seconds) + _SLACK,
        static_summary=f"look at {request.component} in {request.environment}",
    )


async def begin_log(client: Client, request: LogRequest) -> WorkflowHandle[LogsWorkflow, None]:
    """Has the logs of a component copied to where the asker reads them; told when that is done.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await client.start_workflow(
        LogsWorkflow.run,
        request,
        id=ids.logs_id(request.organization, request.component, request.environment, request.look),
        task_queue=ids.ORCHESTRATION_QUEUE,
        static_summary=f"logs of {request.component} in {request.environment}",
    )


async def end_log(handle: WorkflowHandle[LogsWorkflow, None]) -> None:
    """Says that nobody reads the copy any more.

    Raises:
        RPCError: Temporal does not answer, or the look is over.
    """
    await handle.signal(LogsWorkflow.read)
