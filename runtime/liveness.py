"""Lets every activity tell that it lives, so that a killed worker is noticed within seconds."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.worker import (
    ActivityInboundInterceptor,
    ActivityOutboundInterceptor,
    ExecuteActivityInput,
    Interceptor,
)

BEAT = timedelta(seconds=2)
"""How often an activity tells that it lives; one that ends before that never does."""


class LivenessInterceptor(Interceptor):
    """Heartbeats for every activity that has a heartbeat timeout.

    A cancel arrives with the answer to a heartbeat. It is passed on to activities that beat by
    themselves as well, which is how an activity says that it may be stopped half-way; all others
    are short, and what they return is needed to undo what they did.
    """

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002 - the SDK's name
        """Wraps the execution of every activity."""
        return _Living(next)


class _Living(ActivityInboundInterceptor):
    def init(self, outbound: ActivityOutboundInterceptor) -> None:
        self._told = _Told(outbound)
        super().init(self._told)

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's name
        if activity.info().heartbeat_timeout is None:
            return await super().execute_activity(input)
        working = asyncio.ensure_future(super().execute_activity(input))
        beating = asyncio.create_task(self._beat(), name="heartbeat")
        try:
            return await self._result(working)
        finally:
            beating.cancel()
            with suppress(asyncio.CancelledError):
                await beating

    async def _result(self, working: asyncio.Future[Any]) -> Any:
        while True:
            try:
                return await asyncio.shield(working)
            except asyncio.CancelledError:
                if not working.done() and self._may_finish():
                    continue
                working.cancel()
                return await working

    def _may_finish(self) -> bool:
        """Whether all that happened is that the workflow is being cancelled."""
        details = activity.cancellation_details()
        wished = details is not None and details.cancel_requested
        return wished and not activity.is_worker_shutdown() and not self._told.by_itself

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(BEAT.total_seconds())
            self._told.again()


class _Told(ActivityOutboundInterceptor):
    """Remembers what the activity told last: a beat without details would erase it."""

    def __init__(self, following: ActivityOutboundInterceptor) -> None:
        super().__init__(following)
        self._details: tuple[Any, ...] = ()
        self.by_itself = False

    def heartbeat(self, *details: Any) -> None:
        self.by_itself = True
        self._details = details
        super().heartbeat(*details)

    def again(self) -> None:
        super().heartbeat(*self._details)
