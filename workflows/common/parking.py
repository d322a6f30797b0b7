"""Where a flow waits for a person after a technical fault outlasted its budget."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress

from temporalio import workflow
from temporalio.exceptions import FailureError

from domain.deliveries.parking import Choice, Parked, Resolution
from domain.errors import Conflict, InvalidRequest, PlatformError
from domain.phases import Phase
from domain.policies import parking
from domain.records import FactResult
from workflows.common.calls import heed_cancel, to_the_end
from workflows.common.facts import Facts
from workflows.common.progress import Progress

_NOUNS = {"deploy": "deployment"}
"""What facts call a kind of flow, where it is not the kind's own name."""
_WHO = "who may do this kind of operation, with `pavane park`"


class Parking:
    """The parking place of one flow. Lives inside one workflow run.

    The flow has an Update ``resolve`` with ``check`` as its validator and ``decide`` as its body.
    """

    def __init__(self, kind: str, progress: Progress) -> None:
        self._kind = kind
        self._noun = _NOUNS.get(kind, kind)
        self._progress = progress
        self._times = 0
        self._decision: Resolution | None = None
        self.parked: Parked | None = None
        """What is waited for; None = the flow is not parked."""

    def check(self, resolution: Resolution) -> None:
        """Refuses what cannot be taken.

        Raises:
            Conflict: The flow is not parked, or it was decided about already.
            InvalidRequest: The message says why it cannot be taken, and what can be chosen.
        """
        taken = self.parked if self._decision is None else None
        if why := parking.refusal(taken, resolution):
            raise InvalidRequest(why) if taken else Conflict(why)

    def decide(self, resolution: Resolution) -> Parked | None:
        """Takes a resolution that was checked; the flow goes on by it."""
        self._decision = self._decision or resolution
        return self.parked

    async def ask(
        self,
        error: PlatformError,
        facts: Facts,
        *,
        step: str = "",
        gives_way: Callable[[], bool] = lambda: False,
    ) -> Resolution:
        """Parks until a person decides, time is up, or the flow must give way to another.

        The audit is told at once that it parked, and with what follows what was decided.
        """
        heed_cancel()  # what failed may have been done to its end although it was cancelled
        step = step or self._progress.failed_step
        self._times += 1
        self._decision = None
        self.parked = parking.parked(self._kind, step, error.message, workflow.now())
        facts.add(
            f"{self._noun}.parked",
            step=f"parked-{self._times}",
            result=FactResult.FAILED,
            message=f"{step}: {error.message}",
        )
        self._progress.is_at(Phase.PARKED, error.message)
        writing = asyncio.create_task(self._write(facts))
        try:
            decision = await self._decided(self.parked, gives_way)
        except (Exception, asyncio.CancelledError):
            # Not GeneratorExit: a run put out of the cache may wait for nothing more.
            self.parked = None
            await to_the_end(writing)
            raise
        self.parked = None
        await to_the_end(writing)
        heed_cancel()
        facts.add(
            f"{self._noun}.resolved",
            step=f"resolved-{self._times}",
            message=decision.choice.value,
            reason=decision.reason,
            actor=decision.actor or "nobody",
            authority=decision.authority,
        )
        self._progress.is_at(Phase.RUNNING, f"{decision.choice} after {step} did not succeed")
        return decision

    async def _decided(self, place: Parked, gives_way: Callable[[], bool]) -> Resolution:
        what = f"a person to decide ({', '.join(place.choices)}) after: {place.message}"
        with self._progress.waiting(what, until=place.until, who=_WHO):
            for until, timer in (
                (place.reminder, "remind who is to decide about the parked flow"),
                (place.until, "give up, unless a person decides"),
            ):
                with suppress(TimeoutError):
                    await workflow.wait_condition(
                        lambda: self._decision is not None or gives_way(),
                        timeout=until - workflow.now(),
                        timeout_summary=timer,
                    )
                if self._decision is not None:
                    return self._decision
                if gives_way():
                    return _given_up("a newer request waits for its place")
                workflow.logger.warning("still parked: %s", what)
        return _given_up(f"nobody decided in {parking.PATIENCE.days} days")

    async def _write(self, facts: Facts) -> None:
        """Writes the facts now, if the records can be written; else with the next that are."""
        with suppress(FailureError, PlatformError):
            await facts.write_to_the_end()


def _given_up(why: str) -> Resolution:
    return Resolution(choice=Choice.COMPENSATE, reason=why, actor="pavane")
