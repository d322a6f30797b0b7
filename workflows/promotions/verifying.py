"""Sees whether what was promoted does well, and lets freezes hold or undo it meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow

from activities.planes.release_watch import ReleaseWatchActivities
from domain.deliveries.freezes import FreezePlace, FreezeVerdict
from domain.deliveries.promotion_effects import WatchRelease
from domain.deliveries.promotions import PromotionFacts
from domain.errors import FreezeActive
from domain.resources.freeze import RolloutInProgress
from workflows.common.calls import call, watch
from workflows.common.progress import Progress
from workflows.guards.edges import Edge
from workflows.guards.thaw import Thaw

_LOOKS_AGAIN = timedelta(hours=6)


class Verification:
    """The look at one release after it got ready."""

    def __init__(
        self,
        facts: PromotionFacts,
        progress: Progress,
        edge: Edge,
        remember: Callable[[], Awaitable[None]],
    ) -> None:
        """``remember`` writes down that the release does well."""
        self.facts = facts
        self.remember = remember
        self.watch: asyncio.Future[None] | None = None
        """Ends when the time is up; None = none was begun."""
        self.until = workflow.now() + timedelta(seconds=facts.rules.watch_seconds)
        self.shut: FreezeVerdict | None = None
        """What a carried one waits for although the time of its watch is up."""
        self._progress = progress
        self._edge = edge
        self._is_carried = False

    async def passes(self, gives_way: Callable[[], bool]) -> bool:
        """Looks for as long as the step asks; then it is remembered as verified.

        Returns False when somebody came to whom it gives way: ``watch`` goes on then.

        Raises:
            VerificationFailed: It lost its health meanwhile.
            FreezeActive: A freeze began that wants undone what is under way.
        """
        if not self.facts.rules.watch_seconds:
            self._progress.skip("verify", "no time to watch it is asked for")
            await self.remember()
            return True
        longest = timedelta(seconds=self.facts.rules.watch_seconds)
        self.watch = asyncio.ensure_future(
            self._edge.unless_reverted(self._watched(longest), self._place, self._known)
        )
        with self._progress.step("verify", awaiting="the end of the watch", until=self.until):
            if not await self._over(self.watch, gives_way):
                return False
            self.watch.result()
        await self.held()
        await self.remember()
        return True

    async def _over(self, looks: asyncio.Future[None], gives_way: Callable[[], bool]) -> bool:
        try:
            await workflow.wait_condition(lambda: looks.done() or gives_way())
            if not looks.done() and workflow.patched("a-watch-holds-up-nobody"):
                self._is_carried = True
                return False
            await workflow.wait([looks])
        except asyncio.CancelledError:
            await _ended(looks)
            raise
        return True

    async def _watched(self, longest: timedelta) -> None:
        facts, seconds = self.facts, int(longest.total_seconds())
        await call(
            ReleaseWatchActivities.watch_release,
            WatchRelease(organization=facts.organization, release=facts.release, seconds=seconds),
            f"watch {facts.release} for {longest}",
            queue=facts.target_queue,
            options=watch(longest),
        )

    async def held(self) -> None:
        """Takes no further step while a freeze lasts that wants that.

        Raises:
            FreezeActive: One lasts that wants undone what is under way.
            VerificationFailed: It lost its health meanwhile.
        """
        if not workflow.patched("freezes-hold-what-was-watched"):
            return
        while (shut := await self._edge.look(self._place, self._known)) is not None:
            if shut.in_progress == RolloutInProgress.FINISH:
                return
            if shut.in_progress == RolloutInProgress.REVERT and self.facts.target.release:
                raise FreezeActive(shut.message, facts={"reason": "FreezeActive"})
            await self._waits(shut)

    async def _waits(self, shut: FreezeVerdict) -> None:
        """Waits for the end of a freeze, and goes on looking how the release does.

        Raises:
            VerificationFailed: It lost its health meanwhile.
        """
        if not workflow.patched("what-a-freeze-holds-is-watched"):
            thaw = Thaw(self._progress, "verify")
            await thaw.wait(shut, lambda: self._edge.is_stirred, _LOOKS_AGAIN)
            return
        looks = asyncio.ensure_future(self._watched(_LOOKS_AGAIN))

        def fails() -> bool:
            return looks.done() and looks.exception() is not None

        try:
            await self._until(shut, lambda: self._edge.is_stirred or fails())
        except asyncio.CancelledError:
            await _ended(looks)
            raise
        if fails():
            looks.result()
        await _ended(looks)

    async def _until(self, shut: FreezeVerdict, gives_way: Callable[[], bool]) -> None:
        """Waits for the end of a freeze; who is carried leaves what is shown to the one on its way.

        It looks again after a while anyway.
        """
        if not self._is_carried:
            await Thaw(self._progress, "verify").wait(shut, gives_way, _LOOKS_AGAIN)
            return
        left = min((shut.until or shut.at + _LOOKS_AGAIN) - workflow.now(), _LOOKS_AGAIN)
        self.shut = shut
        with suppress(TimeoutError):
            await workflow.wait_condition(
                gives_way,
                timeout=max(left, timedelta(seconds=1)),
                timeout_summary=f"{self.facts.release} is verified after {shut.message}"[:200],
            )
        self.shut = None

    @property
    def _known(self) -> FreezeVerdict | None:
        """What was known of freezes; where nothing ran before there is nothing to go back to."""
        known = self.facts.freeze
        if known is None or self.facts.target.release:
            return known
        return known.model_copy(update={"reverts_then": False})

    @property
    def _place(self) -> FreezePlace:
        facts = self.facts
        return FreezePlace(
            organization=facts.organization,
            project=facts.project,
            component=facts.component,
            environment=facts.environment,
        )


async def _ended(looks: asyncio.Future[None]) -> None:
    """Stops a look for which nobody waits any more."""
    looks.cancel()
    await workflow.wait([looks])
    if not looks.cancelled():
        looks.exception()  # looked at, so that it is not told as forgotten
