"""Remembers operations that are over: nothing changes them any more."""

from __future__ import annotations

from async_lru import alru_cache
from temporalio.client import Client, WorkflowExecutionStatus

from api.operations.reading import Reference, view_of
from api.schemas.deliveries import OperationView

_REMEMBERED = 1000
"""Runs; each a few kilobytes."""


async def _read(client: Client, workflow_id: str, run_id: str) -> OperationView:
    handle = client.get_workflow_handle(workflow_id, run_id=run_id)
    return await view_of(client, await handle.describe())


class EndedRuns:
    """Views of runs that are over.

    To tell its steps a worker replays the whole run, for each that asks; those who ask at once
    would wait for each other. They share one answer instead, and so do those who ask later.
    """

    def __init__(self) -> None:
        """Knows none."""
        self._views = alru_cache(maxsize=_REMEMBERED)(_read)

    async def read(self, client: Client, reference: Reference) -> OperationView:
        """Returns an operation in all detail, as ``reading.read`` does.

        Raises:
            RPCError: NOT_FOUND when there is none.
        """
        execution = await reference.handle(client).describe()
        if execution.status in {None, WorkflowExecutionStatus.RUNNING}:
            return await view_of(client, execution)
        ended = await self._views(client, execution.id, execution.run_id)
        if ended.note:  # no worker told the steps: another one may
            self._views.cache_invalidate(client, execution.id, execution.run_id)
        return ended
