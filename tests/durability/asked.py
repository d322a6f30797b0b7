"""What was asked for in a scenario, each perhaps several times, and how it ended."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError, RPCStatusCode

from tests.durability.orders import without_organization

Answer = TypeVar("Answer")


class Asked:
    """The procedures somebody asked for."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.times = 1
        """How often each request is sent; more than once shows that equal requests are one."""
        self.operations: dict[str, WorkflowHandle[Any, Any]] = {}
        self._runs: set[str | None] = set()
        """Runs of procedures that somebody else started and that are known."""

    async def begun(self, workflow_id: str) -> None:
        """Waits until somebody else starts a run of a procedure that is not known yet."""
        handle = self.client.get_workflow_handle(workflow_id)
        while True:
            try:
                run = (await handle.describe()).run_id
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
            else:
                if run not in self._runs:
                    self._runs.add(run)
                    self.remember(self.client.get_workflow_handle(workflow_id, run_id=run))
                    return
            await asyncio.sleep(0.05)

    async def each(self, ask: Callable[[], Awaitable[Answer]]) -> list[Answer]:
        """Sends a request as often as it is to be sent, all at once."""
        return list(await asyncio.gather(*(ask() for _ in range(self.times))))

    def remember(self, handle: WorkflowHandle[Any, Any]) -> None:
        self.operations[handle.id] = handle

    async def ended(self) -> None:
        """Waits until everything that was asked for has ended, well or not."""
        for handle in sorted(self.operations.values(), key=lambda one: one.id):
            # A request of a build ends before the build that it starts is sure to exist.
            try:
                await handle.result()
            except WorkflowFailureError:
                continue
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                # A request that was cancelled early never started its build.
                del self.operations[handle.id]

    async def outcomes(self) -> list[dict[str, Any]]:
        """How everything that was asked for ended, as a caller sees it."""
        found = []
        for workflow_id, handle in sorted(self.operations.items()):
            status = (await handle.describe()).status
            outcome: dict[str, Any] = {
                "workflow": without_organization(workflow_id),
                "status": status.name if status else "",
            }
            try:
                result = await handle.result()
                plain = result is None or isinstance(result, dict)
                outcome["result"] = result if plain else result.model_dump()
            except WorkflowFailureError as error:
                cause = error.cause
                outcome["failure"] = str(cause)
                if isinstance(cause, ApplicationError):
                    outcome["type"] = cause.type
            found.append(outcome)
        return found
