"""Waits until a freeze opens: by itself, by a changed window, or by somebody's override."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta

from temporalio import workflow

from domain.deliveries.freezes import FreezeVerdict
from runtime import search_attributes as attributes
from workflows.common.calls import heed_cancel, stop_if_cancelled
from workflows.common.progress import Progress

_LONGEST = timedelta(minutes=30)
"""It is looked again after that anyway: the signal of a changed window makes it quick, looking
makes it sure."""


class Thaw:
    """The wait of one flow. Give it the signal ``freezes_changed``."""

    def __init__(self, progress: Progress, step: str = "freeze") -> None:
        """``step`` is what is shown as waiting."""
        self._progress = progress
        self._step = step
        self._is_stirred = False

    def changed(self) -> None:
        """A window was changed, deleted or overridden."""
        self._is_stirred = True

    def looks(self) -> None:
        """The caller reads the facts now: what is told from here on counts."""
        self._is_stirred = False

    async def wait(
        self,
        verdict: FreezeVerdict,
        gives_way: Callable[[], bool],
        longest: timedelta = _LONGEST,
        last: datetime | None = None,
    ) -> None:
        """Waits until it is worth looking again, or something else must go first.

        The caller reads all facts anew afterwards, and comes back when the place is still closed.

        Args:
            verdict: Why the place is closed.
            gives_way: True = something else must go first.
            longest: How long at most, before it is looked again.
            last: When the caller gives up; None = never.
        """
        heed_cancel()  # whoever looked may have put one off
        now = workflow.now()
        until = min(verdict.until or now + longest, now + longest, last or now + longest)
        opens = min((one for one in (verdict.until, last) if one is not None), default=None)
        who = ", ".join(
            f"{one.override_by} with `pavane freeze override {one.window}`"
            for one in verdict.closed_by
            if one.override_by != "nobody"
        )
        if not self._is_stirred or not workflow.patched("what-is-told-before-the-wait-counts"):
            self._is_stirred = False
        workflow.upsert_search_attributes([attributes.AWAITING.value_set(True)])
        with (
            self._progress.step(self._step, awaiting=verdict.message, until=opens, who=who),
            suppress(TimeoutError),
        ):
            await workflow.wait_condition(
                lambda: self._is_stirred or gives_way(),
                timeout=max(until - now, timedelta(seconds=1)),
                timeout_summary=verdict.message[:200],
            )
        stop_if_cancelled()
        workflow.upsert_search_attributes([attributes.AWAITING.value_set(False)])
