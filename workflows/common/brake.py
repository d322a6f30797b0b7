"""The safe points of a flow: where it parks while somebody has stopped its place.

A flow learns of a stop in two ways: the activity it begins with raises ``Stopped`` (it read the
stops in the transaction that wrote that the flow begins), and the signal ``stop_changed`` makes it
look at its next safe point. The signal makes it quick, looking again makes it sure.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

from activities.guards.stops import StopActivities
from domain import ids
from domain.errors import Stopped
from domain.records.stops import Place
from runtime.errors import as_domain_error
from workflows.common.calls import QUICK, call, stop_if_cancelled
from workflows.common.progress import Progress

Result = TypeVar("Result")
_FIRST_LOOK, _LONGEST_LOOK = timedelta(minutes=1), timedelta(minutes=15)
_WHO = "who may administer the organization, with `pavane resume`"


class Brake:
    """What stops one flow. Lives inside one workflow run; give it the signal ``stop_changed``."""

    def __init__(self, place: Place, progress: Progress) -> None:
        self._place = place
        self._progress = progress
        self._must_look = False

    def changed(self) -> None:
        """Somebody stopped something, or let it go on."""
        self._must_look = True

    async def past(self, step: Callable[[], Awaitable[Result]]) -> Result:
        """Does a step that looks at the stops itself; while one holds it parks and tries again.

        So facts that the step reads are read anew when the flow goes on.
        """
        while True:
            try:
                return await step()
            except ActivityError as failure:
                error = as_domain_error(failure)
                if not isinstance(error, Stopped):
                    raise
            stop_if_cancelled()
            await self._park(error.message, error.facts.get("since", ""))
            self._must_look = False  # the step looks

    async def safe_point(self) -> bool:
        """Parks here while a stop holds; True = it did, so what was known may be out of date.

        Costs nothing unless the flow was told that a stop changed.
        """
        has_parked = False
        while self._must_look:
            self._must_look = False
            standing = await call(
                StopActivities.read_stops,
                self._place,
                f"look whether {self._place} is stopped",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )
            if not standing.stops:
                break
            await self._park(str(standing.stops[0]), standing.stops[0].since.isoformat())
            has_parked = self._must_look = True
        return has_parked

    async def _park(self, why: str, since: str) -> None:
        """Waits until somebody says that a stop changed; looks by itself now and then."""
        workflow.logger.warning("parked: %s", why)
        begun = datetime.fromisoformat(since) if since else workflow.now()
        stopped_for = workflow.now() - begun
        pause = min(max(stopped_for / 4, _FIRST_LOOK), _LONGEST_LOOK)
        self._must_look = False
        with self._progress.waiting(f"the end of an emergency stop: {why}", who=_WHO):
            try:
                await workflow.wait_condition(
                    lambda: self._must_look,
                    timeout=pause,
                    timeout_summary="look whether the emergency stop still holds",
                )
            except TimeoutError:
                self._must_look = True
