"""Keys that need a look: each one at most once at a time, by rank, then each share in its turn."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable, Iterable
from itertools import count
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

_FIRST_SECONDS = 0.2
_LONGEST_SECONDS = 15.0


class Turns:
    """Gives turns to shares: who has many waiting takes one at a time, as does who has one.

    Start-time fair queueing with equal weights: a turn is the later of the turn that is being
    taken and the one after the share's own last.
    """

    def __init__(self) -> None:
        """Nobody waits."""
        self._now: Counter[int] = Counter()
        self._next: Counter[tuple[int, Hashable]] = Counter()
        self._waiting: Counter[tuple[int, Hashable]] = Counter()

    def give(self, rank: int, share: Hashable) -> int:
        """Returns the turn of one more of a share."""
        lane = (rank, share)
        turn = max(self._now[rank], self._next[lane])
        self._next[lane] = turn + 1
        self._waiting[lane] += 1
        return turn

    def take(self, rank: int, turn: int, share: Hashable) -> None:
        """Says that one is being taken."""
        lane = (rank, share)
        self._now[rank] = turn
        self._waiting[lane] -= 1
        if not self._waiting[lane]:
            del self._waiting[lane], self._next[lane]


class WorkQueue(Generic[K]):
    """Looks at keys with several hands.

    A key that is added while it waits is not added again; one that is added while it is looked at
    is looked at once more afterwards. So the looks at one key follow each other and the last one
    sees the last state.
    """

    def __init__(
        self,
        look: Callable[[K], Awaitable[bool]],
        *,
        hands: int,
        rank: Callable[[K], int] = lambda _key: 0,
        share: Callable[[K], Hashable] = lambda _key: None,
    ) -> None:
        """``look`` returns False when the key should be looked at again later.

        A key of lower ``rank`` is taken first; the rank counts at the moment of adding. Among
        keys of a rank each ``share`` has its turn, however many wait in another one.
        """
        self._look = look
        self._hands = hands
        self._rank = rank
        self._share = share
        self._turns = Turns()
        self._added = count()
        self._queue: asyncio.PriorityQueue[tuple[int, int, int, K]] = asyncio.PriorityQueue()
        self._waiting: set[K] = set()
        self._busy: set[K] = set()
        self._again: set[K] = set()
        self._failures: dict[K, int] = {}

    def add(self, keys: Iterable[K]) -> None:
        """Adds keys. Never blocks."""
        for key in keys:
            if key in self._busy:
                self._again.add(key)
            elif key not in self._waiting:
                self._waiting.add(key)
                rank = self._rank(key)
                turn = self._turns.give(rank, self._share(key))
                self._queue.put_nowait((rank, turn, next(self._added), key))

    async def run(self) -> None:
        """Works until it is cancelled. An error of ``look`` ends everything."""
        async with asyncio.TaskGroup() as group:
            for number in range(self._hands):
                group.create_task(self._work(), name=f"intake {number}")

    async def _work(self) -> None:
        while True:
            rank, turn, _, key = await self._queue.get()
            self._turns.take(rank, turn, self._share(key))
            self._waiting.discard(key)
            self._busy.add(key)
            done = await self._look(key)
            self._busy.discard(key)
            if done:
                self._failures.pop(key, None)
            else:
                self._later(key)
            if key in self._again:
                self._again.discard(key)
                self.add([key])

    def _later(self, key: K) -> None:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        seconds = min(_FIRST_SECONDS * 2 ** min(failures - 1, 10), _LONGEST_SECONDS)
        asyncio.get_running_loop().call_later(seconds, self.add, [key])
