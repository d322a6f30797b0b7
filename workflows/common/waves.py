"""Brings something to one wave of components: so many at a time, until too many failed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from domain.errors import RolloutFailed

Consumer = TypeVar("Consumer")


class Outcome(Protocol):
    """How it went with one component."""

    @property
    def component(self) -> str:
        """Which."""
        ...

    @property
    def environment(self) -> str:
        """Where."""
        ...

    @property
    def message(self) -> str:
        """What happened."""
        ...


async def in_turns(
    wave: Sequence[Consumer],
    bring: Callable[[Consumer], Awaitable[None]],
    *,
    at_once: int,
    goes_on: Callable[[], bool],
) -> None:
    """Brings it to each of a wave; who has not begun when it does not go on is left."""
    turns = asyncio.Semaphore(at_once)

    async def one(consumer: Consumer) -> None:
        async with turns:
            if goes_on():
                await bring(consumer)

    await asyncio.gather(*(one(consumer) for consumer in wave))


def check_failures(failed: Sequence[Outcome], allowed: int, said: str) -> None:
    """Returns when no more failed than may.

    Raises:
        RolloutFailed: More did; names the first, and what was done.
    """
    if len(failed) > allowed:
        first = failed[0]
        raise RolloutFailed(
            f"{len(failed)} deployments failed and {allowed} may: "
            f"{first.component} in {first.environment}: {first.message}; {said}",
            facts={"reason": "TooManyFailures"},
        )
