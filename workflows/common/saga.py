"""Undo of what one run of a procedure did, in reverse order."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from temporalio import workflow
from temporalio.exceptions import FailureError

from domain.errors import CompensationFailed, PlatformError
from runtime.errors import as_domain_error
from workflows.common.calls import to_the_end

Undo = Callable[[], Awaitable[object]]


class Saga:
    """Remembers how to undo each step; an undo is registered *before* its step runs."""

    def __init__(self) -> None:
        self._undos: list[tuple[str, Undo]] = []
        self.undone: list[str] = []
        """What the compensation did, in words, in the order it did it."""

    def add(self, what: str, undo: Undo) -> None:
        """Registers how to undo the step that comes next."""
        self._undos.append((what, undo))

    async def compensate(self) -> None:
        """Undoes everything, in reverse and to the end, even while the workflow is cancelled.

        A failing undo does not stop the others. A flow that goes on afterwards heeds the cancel
        itself (``heed_cancel``).

        Raises:
            CompensationFailed: At least one undo failed; the message names each.
        """
        await to_the_end(self._compensate())

    async def _compensate(self) -> None:
        failures = []
        while self._undos:
            what, undo = self._undos.pop()
            try:
                await undo()
            except (FailureError, PlatformError) as failure:
                reason = as_domain_error(failure).message
                workflow.logger.error("undo failed: %s: %s", what, reason)
                failures.append(f"{what}: {reason}")
            else:
                self.undone.append(what)
        if failures:
            raise CompensationFailed("; ".join(failures))
