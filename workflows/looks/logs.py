"""Looks at the logs of a component on its plane, wherever the plane is.

Its only effect is the copy from which the asker reads, which it drops when that is done. Lines
never come into its history (docs/decisions/0042).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.looks.log_copies import LogCopyActivities
from activities.looks.logs import FOLLOWED_FOR, LogActivities
from activities.looks.places_of_logs import LogPlanActivities
from domain import ids
from domain.deliveries.logs import CopyOfLog, LogRequest
from domain.errors import PlatformError
from workflows.common.calls import PRESENCE, QUICK, WRITE, Options, call, stop_if_cancelled

READ_WITHIN = timedelta(minutes=10)
"""How long a finished copy is kept for a reader who says nothing."""
_SLACK = timedelta(minutes=1)


@workflow.defn
class LogsWorkflow:
    """One look; it lasts as long as somebody reads it."""

    @workflow.init
    def __init__(self, request: LogRequest) -> None:
        self._request = request
        self._is_read = False

    @workflow.run
    async def run(self, _request: LogRequest) -> None:
        """Has the worker of the plane copy the logs, and drops the copy once it was read."""
        try:
            await self._copy()
            with suppress(asyncio.TimeoutError):
                await workflow.wait_condition(
                    lambda: self._is_read,
                    timeout=READ_WITHIN,
                    timeout_summary="drop what nobody said to have read",
                )
        except (asyncio.CancelledError, FailureError, PlatformError):
            await self._drop()
            raise
        await self._drop()

    @workflow.signal
    def read(self) -> None:
        """Nobody reads it any more."""
        self._is_read = True

    async def _copy(self) -> None:
        """Returns when the copy is complete, or nobody reads it any more."""
        request = self._request
        order = await call(
            LogPlanActivities.prepare_log,
            request,
            f"find the pods of {request.component} in {request.environment}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )
        copying = asyncio.ensure_future(
            call(
                LogActivities.copy_log,
                order,
                f"read the logs of {request.component} in {request.environment}",
                queue=order.task_queue,
                options=_options(request),
            )
        )
        await workflow.wait_condition(lambda: self._is_read or copying.done())
        if copying.done():
            copying.result()
            return
        copying.cancel()
        await asyncio.gather(copying, return_exceptions=True)
        stop_if_cancelled()

    async def _drop(self) -> None:
        request = self._request
        await call(
            LogCopyActivities.drop_log_copy,
            CopyOfLog(organization=request.organization, look=request.look),
            "drop the copy that was read",
            queue=ids.CONTROL_QUEUE,
            options=WRITE,
            even_if_cancelled=True,
        )


def _options(request: LogRequest) -> Options:
    """Longer than a worker that was killed takes to come back; who asks need not wait so long."""
    lasts = FOLLOWED_FOR if request.follow else timedelta(minutes=2)
    return PRESENCE | {
        "start_to_close_timeout": lasts + _SLACK,
        "schedule_to_close_timeout": lasts + 2 * _SLACK,
    }
