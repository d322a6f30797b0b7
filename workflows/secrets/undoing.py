"""Undoes a turning over in the order that keeps credentials working.

The old credential works again before anybody gets it back, and everybody has it back before the new
one is destroyed. Where one of these does not succeed the next would take away what still works, so
it is left.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from temporalio import workflow

from activities.secrets.rotations import RotationActivities
from activities.secrets.trust import TrustActivities
from domain.deliveries.rotations import SecretTurn
from domain.errors import Errored
from workflows.secrets.consumers import Consumers
from workflows.secrets.turning import Turning

Method = Callable[[Any, SecretTurn], Awaitable[Any]]


class Undoing:
    """The undos of one turning over, for its saga."""

    def __init__(self, turning: Turning) -> None:
        self._turning = turning
        self._broken = ""

    async def unlock(self) -> None:
        """Lets the old credential work again."""
        await self._once(
            "the old credential may still be locked",
            lambda: self._turning.insist(
                RotationActivities.unlock_old, "unlock the old credential"
            ),
        )

    async def bring_back(self) -> None:
        """Gives everybody the old credential, and has their pods begin anew with it."""
        await self._once("not everybody may have the old credential back", self._brought_back)

    async def withdraw(self) -> None:
        """Destroys the new credential."""
        method: Method = RotationActivities.withdraw_new
        if self._turning.turn.plan.certificates is not None:
            method = TrustActivities.withdraw_trust
        await self._once(
            "the new credential may still be there",
            lambda: self._turning.insist(method, "destroy the new credential"),
        )

    async def trust_old_again(self) -> None:
        """Has everybody trust the old issuer again, before anybody gets certificates of it back."""
        await self._once(
            "not everybody may trust the old issuer again",
            lambda: self._back_to(
                self._turning.turn.version, RotationActivities.use_version, "trust both again"
            ),
        )

    async def trust_old_alone(self) -> None:
        """Has everybody trust the old issuer alone, when nobody has certificates of the new one."""
        await self._once(
            "the new issuer may still be trusted",
            lambda: self._back_to(
                self._turning.turn.before, TrustActivities.use_first, "trust the old issuer alone"
            ),
        )

    async def _brought_back(self) -> None:
        await self._back_to(
            self._turning.turn.base,
            RotationActivities.use_version_before,
            "use the old version again",
        )

    async def _back_to(self, version: int, method: Method, what: str) -> None:
        turn = self._turning.turn
        await self._turning.insist(method, what)
        back = Consumers(turn.plan.organization, turn.plan.path, even_if_cancelled=True)
        await back.find(turn.plan.planes)
        await back.deliver()
        await back.restart(version)

    async def _once(self, otherwise: str, undo: Callable[[], Awaitable[object]]) -> None:
        """Undoes one thing, unless one before it did not succeed.

        Raises:
            Errored: It was left as it is; the message says why.
        """
        if self._broken and workflow.patched("rotation-undo-stops"):
            raise Errored(f"left as it is, because {self._broken}")
        before, self._broken = self._broken, otherwise
        await undo()
        self._broken = before
