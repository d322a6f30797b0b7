"""Goes on watching what one promotion brought, while the next one is on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from domain.deliveries.promotions import PromotionRequest
from domain.errors import CompensationFailed, Failed, FreezeActive, PlatformError
from domain.records import FactResult
from domain.resources.pipeline import OnFailure
from runtime.errors import as_domain_error
from workflows.common.calls import heed_cancel
from workflows.common.progress import Progress
from workflows.common.saga import Saga
from workflows.promotions import ending
from workflows.promotions.passage import Passage
from workflows.promotions.requests import Requests
from workflows.promotions.verifying import Verification


class CarriedWatch:
    """A watch that a newer promotion did not wait for. It ends when that one is let through."""

    def __init__(self, passage: Passage, verification: Verification, saga: Saga) -> None:
        """``verification`` has a watch that is not over; ``saga`` undoes what it is about."""
        self._passage = passage
        self._verification = verification
        self._saga = saga
        self._goes_back = False
        self._is_reverted = False
        self._again: PromotionRequest | None = None
        self._task = asyncio.ensure_future(self._follow())

    async def is_left(self, progress: Progress, gives_way: Callable[[], bool]) -> bool:
        """Waits for its end when nothing else is to be done; True = there is something again."""
        while not self._task.done() and not gives_way():
            await self._shown(progress, gives_way)
        if self._task.done() and not self._task.cancelled():
            self._task.exception()  # looked at: it was about what runs, which stays
        return gives_way()

    async def _shown(self, progress: Progress, gives_way: Callable[[], bool]) -> None:
        """Says what is waited for until that is over, or another thing."""
        one = self._verification
        shut, what = one.shut, f"the end of the watch of {one.facts.release}"
        if shut is not None:
            what += f": {shut.message}"
        with progress.waiting(what, until=shut.until if shut else one.until):
            await workflow.wait_condition(
                lambda: self._task.done() or gives_way() or one.shut is not shut
            )

    def comes_again(self) -> PromotionRequest | None:
        """Returns what is to be asked anew, once: it was undone for a freeze."""
        again, self._again = self._again, None
        return again

    async def close(self) -> bool:
        """Ends it, because something newer comes; True = it was rolled back, so look again."""
        if self._is_reverted:
            await workflow.wait([self._task])
            self._is_reverted, self._again = False, None
            return True
        if self._task.done():
            return False
        if self._goes_back:
            await workflow.wait([self._task])
            return True
        self._task.cancel()
        await workflow.wait([self._task])
        release, log = self._verification.facts.release, self._passage.facts_log
        log.add("promotion.watch-ended", result=FactResult.UNDONE, before=release,
                reason="a newer promotion was let through")  # fmt: skip
        await log.write()
        return False

    async def cancelled(self) -> None:
        """Writes down that a person ended it; what it is about stays (decision 0022)."""
        if not (self._task.done() or self._goes_back or self._is_reverted):
            log, release = self._passage.facts_log, self._verification.facts.release
            log.add_cancel("promotion.watch-ended", [f"{release} stays and is watched no more"])
            await log.write_to_the_end()

    async def _follow(self) -> None:
        watch = self._verification.watch
        assert watch is not None  # noqa: S101 - whoever carries it looked
        try:
            await watch
            if workflow.patched("a-carried-watch-is-held"):
                await self._verification.held()
        except FreezeActive as frozen:
            if workflow.patched("a-carried-watch-is-reverted"):
                await self._put_back(frozen)
            return  # what comes next waits for the freeze, and replaces it
        except FailureError as failure:
            if is_cancelled_exception(failure):
                return
            error = as_domain_error(failure)
            if isinstance(error, Failed):
                await self._go_back(error)
            return
        await self._verification.remember()

    async def _put_back(self, frozen: FreezeActive) -> None:
        """Brings back what ran before, because a freeze wants that; it comes again afterwards.

        Unless something newer is let through by then: that takes its place.
        """
        self._is_reverted = True
        passage, request = self._passage, self._passage.request
        try:
            await self._saga.compensate()
        except CompensationFailed as worse:
            workflow.logger.warning("not brought back for a freeze: %s", worse.message)
            passage.facts_log.add("freeze.not-reverted", result=FactResult.FAILED,
                                  reason=frozen.message, message=worse.message)  # fmt: skip
        else:
            passage.frozen(frozen.message)
            self._again = request.model_copy(
                update={"request_id": f"{request.request_id}-again", "artifact": passage.artifact}
            )
        await passage.facts_log.write_to_the_end()

    async def _go_back(self, error: Failed) -> None:
        """Brings back what did well before, as the policy says; that is told by the rollback."""
        facts = self._verification.facts
        if facts.rules.on_failure is OnFailure.KEEP:
            return
        self._goes_back = True
        try:
            await ending.bring_back(facts, self._passage.request, error)
        except PlatformError as worse:
            workflow.logger.warning("not rolled back: %s", worse.message)


async def end_early(carried: CarriedWatch | None) -> None:
    """Ends a run that was cancelled: nothing is watched any more, which is written down."""
    if carried is not None:
        await carried.cancelled()
    await workflow.wait_condition(workflow.all_handlers_finished)


async def is_more_to_do(
    requests: Requests, carried: CarriedWatch | None, progress: Progress
) -> bool:
    """Tells whether somebody waits; what is still watched is watched to its end before."""
    if requests.waiting or carried is None:
        return bool(requests.waiting)
    heed_cancel()  # one that came while the last was written down
    is_more = await carried.is_left(progress, lambda: bool(requests.waiting))
    if not is_more and (again := carried.comes_again()) is not None:
        requests.waiting.append(again)
    return bool(requests.waiting)
