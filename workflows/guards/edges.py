"""What becomes of what is under way when a freeze begins: it goes on, waits or is undone."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow

from activities.guards.freezes import FreezeActivities
from domain import ids
from domain.deliveries.freezes import FreezePlace, FreezeVerdict
from domain.errors import FreezeActive
from domain.resources.freeze import RolloutInProgress
from workflows.common.calls import QUICK, call

Result = TypeVar("Result")
_PATCH = "freezes-reach-what-is-under-way"


class Edge:
    """The freezes that may begin while one flow is at work. Give it ``freezes_changed``."""

    def __init__(self) -> None:
        self._is_stirred = False

    @property
    def is_stirred(self) -> bool:
        """Tells whether something was told since it was looked last."""
        return self._is_stirred

    def changed(self) -> None:
        """A window was changed, deleted or overridden."""
        self._is_stirred = True

    async def unless_reverted(
        self, work: Awaitable[Result], place: FreezePlace, known: FreezeVerdict | None
    ) -> Result:
        """Awaits the work; stops it when a freeze begins that wants it undone.

        Costs nothing while no such freeze is known or told of.

        Args:
            work: What is under way; it is cancelled then.
            place: Where.
            known: What was read before it began: when the next freeze begins, and which windows
                somebody let it in through.

        Raises:
            FreezeActive: It was stopped; what it did is there still.
        """
        task = asyncio.ensure_future(work)
        self._is_stirred = False
        until = known.until if known is not None and known.reverts_then else None
        try:
            while await self._woken(task, until):
                until = None  # what is told from now on is told by signal
                await self._stop_if_reverted(place, known)
        except (asyncio.CancelledError, FreezeActive):
            task.cancel()
            await workflow.wait([task])
            if not task.cancelled():
                task.exception()  # looked at: it is undone, however it ended
            raise
        return task.result()

    async def look(self, place: FreezePlace, known: FreezeVerdict | None) -> FreezeVerdict | None:
        """Returns what keeps the place closed now, but for windows it was let in through."""
        self._is_stirred = False
        verdict = await call(
            FreezeActivities.read_freeze,
            place,
            f"look whether {place.environment} is frozen",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )
        lifted = {one.window for one in known.lifted} if known is not None else set()
        shut = tuple(one for one in verdict.closed_by if one.window not in lifted)
        return verdict.model_copy(update={"closed_by": shut}) if shut else None

    async def _stop_if_reverted(self, place: FreezePlace, known: FreezeVerdict | None) -> None:
        if not workflow.patched(_PATCH):
            self._is_stirred = False
            return
        shut = await self.look(place, known)
        if shut is not None and shut.in_progress == RolloutInProgress.REVERT:
            raise FreezeActive(shut.message, facts={"reason": "FreezeActive"})

    async def _woken(self, task: asyncio.Future[Result], until: datetime | None) -> bool:
        """Waits for the end of the work, or for a freeze; True = it is to be looked at."""
        if until is None:
            await workflow.wait_condition(lambda: task.done() or self._is_stirred)
        else:
            left = max(until - workflow.now(), timedelta(0)) + timedelta(seconds=1)
            try:
                await workflow.wait_condition(
                    lambda: task.done() or self._is_stirred,
                    timeout=left,
                    timeout_summary="a freeze begins",
                )
            except TimeoutError:
                return not task.done()
        return not task.done()
