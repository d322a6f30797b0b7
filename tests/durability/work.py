"""Spreads runs over lanes: each lane does one at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from tests.durability.lane import Lane
from tests.durability.sweep import Outcome

Run = Callable[[Lane], Awaitable[Outcome]]


@dataclass
class Work:
    """Runs that wait, and what came of those that ended."""

    lanes: list[Lane]
    told: Callable[[int, int, Outcome], None] = lambda _done, _all, _outcome: None

    async def done(self, runs: Iterable[Run]) -> list[Outcome]:
        """Carries all out and returns what came of them, in the order in which they ended."""
        pending = list(reversed(list(runs)))
        total, outcomes = len(pending), list[Outcome]()

        async def working(own: Lane) -> None:
            while pending:
                outcome = await pending.pop()(own)
                own.check()
                outcomes.append(outcome)
                self.told(len(outcomes), total, outcome)

        async with asyncio.TaskGroup() as group:
            for each in self.lanes:
                group.create_task(working(each))
        return outcomes
