"""Has everyone trust a new issuer before it signs, and the old one no more when nobody needs it.

Between two consumers that begin anew one after the other both must take what the other one shows:
so trust comes first, certificates second, and the end of the old trust last.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from activities.secrets.trust import TrustActivities
from domain.deliveries.rotations import SecretTurn
from workflows.common.progress import Progress
from workflows.common.saga import Saga
from workflows.secrets.consumers import Consumers
from workflows.secrets.steps import Steps
from workflows.secrets.turning import Turning
from workflows.secrets.undoing import Undoing

Method = Callable[[Any, SecretTurn], Awaitable[Any]]


class Trust:
    """Which issuers the consumers of one turning over trust. Lives inside one workflow run."""

    def __init__(
        self, turning: Turning, steps: Steps, consumers: Consumers, progress: Progress
    ) -> None:
        self._turning = turning
        self._steps = steps
        self._consumers = consumers
        self._progress = progress

    async def first(self, saga: Saga, undoing: Undoing) -> None:
        """Has all consumers trust the old and the new issuer; nothing where there is no new one."""
        if self._turning.turn.plan.certificates is None:
            self._progress.skip("trust", "only issuers are trusted")
            self._progress.skip("untrust", "only issuers are trusted")
            return

        async def make() -> None:
            self._turning.turn = await self._turning.do(
                TrustActivities.make_trust, "have the old and a new issuer trusted"
            )

        await self._steps.do("trust", make)
        turn = self._turning.turn
        if not turn.trust:
            self._progress.skip("trust", "the present issuer goes on")
            self._progress.skip("untrust", "the present issuer goes on")
            return
        saga.add("had the old issuer alone trusted", undoing.trust_old_alone)

        async def bring() -> None:
            await self._bring(TrustActivities.use_trust, "have both issuers trusted", turn.trust)
            # Whoever was deployed meanwhile must trust it too before somebody shows it.
            await self._reach(turn.trust)

        await self._steps.do("trust", bring)
        await self._steps.told("rotation.trusted", after=str(turn.trust))

    async def last(self, saga: Saga, undoing: Undoing) -> None:
        """Has all consumers trust the new issuer alone; nothing where there is no new one."""
        if not self._turning.turn.trust:
            return
        saga.add("had both issuers trusted again", undoing.trust_old_again)

        async def drop() -> None:
            if not self._turning.turn.last:
                self._turning.turn = await self._turning.do(
                    TrustActivities.make_last, "have the new issuer alone trusted"
                )
            version = self._turning.turn.last
            await self._bring(TrustActivities.use_last, "have it used", version)

        await self._steps.do("untrust", drop)

    async def _bring(self, method: Method, what: str, version: int) -> None:
        await self._turning.do(method, what)
        await self._reach(version)

    async def _reach(self, version: int) -> None:
        await self._consumers.find(self._turning.turn.plan.planes)
        await self._consumers.deliver()
        await self._consumers.restart(version)
