"""Looks after one plane for as long as it is declared: what it can do, whether it answers.

The watch on the plane is one activity that lives while its worker and the cluster do. It ends when
kinds come or go, when the connection breaks or when its worker is silent; each time the plane is
looked at again. A silent plane holds up nothing here: the look waits in its task queue until
somebody takes it, which is how its return is noticed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.planes.checks import PlaneCheckActivities
from activities.planes.reports import PlaneReportActivities
from domain import ids
from domain.deliveries import OperationStatus
from domain.deliveries.planes import (
    CREDENTIALS,
    FoundCapabilities,
    PlaneReport,
    PlaneRequest,
    PlaneWatch,
)
from domain.errors import Denied, PlatformError
from domain.phases import Phase
from domain.records import FactResult
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error
from workflows.common.calls import PRESENCE, QUICK, UNTIL_BACK, call, stop_if_cancelled, watch_once
from workflows.common.facts import Facts
from workflows.common.progress import Progress

Result = TypeVar("Result")
_SWEEP = timedelta(hours=1)
_STEPS = ("inspect", "watch")
_REFUSED = timedelta(minutes=10)
_CALM = timedelta(seconds=5)
"""Between two looks, so that a connection that breaks all the time does not keep everybody busy."""


@workflow.defn
class PlaneCheckWorkflow:
    """Looks after one plane of one organization."""

    @workflow.init
    def __init__(self, request: PlaneRequest) -> None:
        self._request = request
        self._changed = False
        self._gone = False
        self._connected = request.connected
        self._rounds = 0
        self._progress = Progress(f"look after {request.plane_kind} {request.plane}", _STEPS)
        self._facts = Facts(
            request.organization, f"{request.plane_kind} {request.plane}", request.trigger
        )
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("plane-check"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.COMPONENT.value_set(request.plane),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.run
    async def run(self, _request: PlaneRequest) -> None:
        """Looks until the plane is not declared any more."""
        try:
            while not self._gone:
                if workflow.info().is_continue_as_new_suggested():
                    await workflow.wait_condition(workflow.all_handlers_finished)
                    known = {"connected": self._connected}
                    workflow.continue_as_new(self._request.model_copy(update=known))
                self._changed = False
                self._rounds += 1
                self._facts.begin_again(self._rounds)
                self._progress.restart()
                self._progress.begins(f"look after {self._request.plane}")
                await self._look()
        except asyncio.CancelledError:
            await self._cancelled()
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._progress.is_at(Phase.SUCCEEDED, "it is not declared any more")

    @workflow.signal
    def changed(self, request: PlaneRequest) -> None:
        """The plane's resource is another one: perhaps its task queue."""
        self._changed = self._changed or request.task_queue != self._request.task_queue
        self._request = request

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the look stands and what is waited for."""
        return self._progress.status()

    async def _look(self) -> None:
        """One look: inspect, tell, watch until something happens."""
        with self._progress.step("inspect"):
            found = await self._inspected()
        if found is None:
            return
        await self._tell(connected=True, found=found)
        if self._gone:
            return
        with self._progress.step(
            "watch",
            awaiting=f"a change of plane {self._request.plane}",
            until=workflow.now() + _SWEEP,
        ):
            why = await self._watched(found)
        if why:
            self._progress.note("watch", why)
            await workflow.sleep(_CALM, summary=f"look again soon: {why}"[:200])

    async def _inspected(self) -> FoundCapabilities | None:
        """Looks; one that does not answer soon is told of, and waited for. None = begin anew."""
        try:
            return await self._unless_changed(
                call(
                    PlaneCheckActivities.inspect_plane,
                    self._request,
                    f"look what there is on plane {self._request.plane}",
                    queue=self._request.task_queue,
                    options=PRESENCE,
                )
            )
        except (FailureError, PlatformError) as failure:
            stop_if_cancelled()
            error = as_domain_error(failure)
            told = error.message if CREDENTIALS in error.facts else ""
            await self._tell(connected=False, message=error.message)
        if self._gone:
            return None
        plane = self._request.plane
        with self._progress.waiting(f"plane {plane} to answer", who="who runs its worker"):
            try:
                return await self._unless_changed(
                    call(
                        PlaneCheckActivities.inspect_plane,
                        self._request.model_copy(update={"told": told}),
                        f"wait until plane {plane} answers",
                        queue=self._request.task_queue,
                        options=UNTIL_BACK,
                    )
                )
            except (FailureError, PlatformError) as failure:
                stop_if_cancelled()
                if isinstance(as_domain_error(failure), Denied) and workflow.patched("refused"):
                    await self._leave_alone()
                return None

    async def _leave_alone(self) -> None:
        """Waits for a while, or a change: whoever refuses answers at once, again and again."""
        with suppress(asyncio.TimeoutError):
            await workflow.wait_condition(
                lambda: self._changed,
                timeout=_REFUSED,
                timeout_summary="ask again a worker that refused",
            )

    async def _watched(self, found: FoundCapabilities) -> str:
        """Waits until there is something to look at; returns why, empty = nothing is wrong."""
        try:
            await self._unless_changed(
                call(
                    PlaneCheckActivities.watch_plane,
                    PlaneWatch(
                        organization=self._request.organization,
                        plane=self._request.plane,
                        found=found,
                    ),
                    f"watch plane {self._request.plane}",
                    queue=self._request.task_queue,
                    options=watch_once(_SWEEP),
                )
            )
        except (FailureError, PlatformError) as failure:
            stop_if_cancelled()
            return "" if is_cancelled_exception(failure) else as_domain_error(failure).message
        return ""

    async def _unless_changed(self, work: Awaitable[Result]) -> Result | None:
        """Awaits an activity; None = the plane's resource changed, so it was cancelled."""
        task = asyncio.ensure_future(work)
        await workflow.wait_condition(lambda: self._changed or task.done())
        if not task.done():
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            stop_if_cancelled()
            return None
        return task.result()

    async def _tell(
        self, *, connected: bool, message: str = "", found: FoundCapabilities | None = None
    ) -> None:
        """Tells the resource, and the audit when it is another answer than before."""
        request = self._request
        exists = await call(
            PlaneReportActivities.report_plane,
            PlaneReport(
                organization=request.organization,
                plane=request.plane,
                plane_kind=request.plane_kind,
                connected=connected,
                message=message,
                found=found,
                at=workflow.now(),
            ),
            f"tell that {request.plane} {'answers' if connected else 'is silent'}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )
        self._gone = not exists
        if self._gone or self._connected is connected:
            return
        self._connected = connected
        self._facts.add(
            "plane.connected" if connected else "plane.silent",
            result=FactResult.DONE if connected else FactResult.FAILED,
            after=found.kubernetes_version if found else "",
            message=message,
        )
        await self._facts.write()

    async def _cancelled(self) -> None:
        """Nobody looks after the plane until its resource changes or an intake begins anew."""
        self._facts.add_cancel("plane-check.cancelled")
        await self._facts.write_to_the_end()
        self._progress.is_at(Phase.CANCELLED, "nobody looks after it until it is changed")
