"""The secret that is turned over: its present turn, and the steps only `secrets` may do on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from activities.secrets.rotations import RotationActivities
from domain import ids
from domain.deliveries.rotations import OldUsers, SecretTurn
from workflows.common.calls import WRITE, Options, call, stop_if_cancelled, watch

PATIENT: Options = WRITE | {"schedule_to_close_timeout": timedelta(days=7)}
"""What must come to its end, because a half of it serves nobody: undoing and destroying."""
_WINDOW = timedelta(minutes=15)
"""How much longer than the quiet it waits for an observation may take."""


class Turning:
    """One turning over. Lives inside one workflow run."""

    def __init__(self, turn: SecretTurn) -> None:
        self.turn = turn

    def begin(self, attempt: int) -> None:
        """Another value is made: what was written by an attempt before is known to be withdrawn."""
        newest = max(self.turn.newest, self.turn.version)
        self.turn = self.turn.model_copy(
            update={"attempt": attempt, "version": 0, "newest": newest}
        )

    async def do(self, method: Callable[[Any, SecretTurn], Awaitable[Any]], what: str) -> Any:
        """Does one step. A cancel waits for its end: what is undone next must not meet it."""
        done = await self.insist(method, what, WRITE)
        stop_if_cancelled()
        return done

    async def insist(
        self,
        method: Callable[[Any, SecretTurn], Awaitable[Any]],
        what: str,
        options: Options = PATIENT,
    ) -> Any:
        """Does one step although all is cancelled; for undoing, and for what cannot be undone."""
        return await call(
            method,
            self.turn,
            self._said(what),
            queue=ids.SECRETS_QUEUE,
            options=options,
            even_if_cancelled=True,
        )

    async def old_users(self) -> OldUsers:
        """Waits until nobody uses the old credential, or returns who does after some minutes."""
        quiet = timedelta(seconds=self.turn.plan.quiet_seconds)
        return await call(
            RotationActivities.observe_old_users,
            self.turn,
            self._said(f"see the old credential unused for {quiet}"),
            queue=ids.SECRETS_QUEUE,
            options=watch(quiet + _WINDOW),
        )

    def _said(self, what: str) -> str:
        return f"{what}: {self.turn.plan.path}"
