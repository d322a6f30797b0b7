"""The safe points of a rotation: where a person or an emergency stop may hold it."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from domain.deliveries.rotations import HoldOrder
from domain.errors import Errored
from domain.records.stops import Place
from workflows.common.brake import Brake
from workflows.common.calls import stop_if_cancelled
from workflows.common.progress import Progress

_LONGEST_HOLD = timedelta(days=30)


class Pauses:
    """What keeps one rotation from going on. Lives inside one workflow run."""

    def __init__(self, organization: str, progress: Progress) -> None:
        self._progress = progress
        self._brake = Brake(Place(organization=organization), progress)
        self.held_by = ""
        """Who holds it, and why; empty = nobody."""

    def is_in(self, place: Place) -> None:
        """Sets where it is, and has the next safe point look whether that is stopped."""
        self._brake = Brake(place, self._progress)
        self._brake.changed()

    def stop_changed(self) -> None:
        """Somebody stopped something, or let it go on."""
        self._brake.changed()

    def hold(self, order: HoldOrder) -> str:
        """Holds it at the next safe point, or lets it go on; returns who holds it."""
        self.held_by = f"{order.actor}: {order.reason}" if order.holds else ""
        return self.held_by

    async def safe_point(self) -> None:
        """Returns when nothing holds the rotation.

        Raises:
            Errored: A person held it for too long.
            asyncio.CancelledError: The rotation is cancelled.
        """
        stop_if_cancelled()
        await self._brake.safe_point()
        while self.held_by:
            await self._let_go()
            await self._brake.safe_point()

    async def _let_go(self) -> None:
        until, who = workflow.now() + _LONGEST_HOLD, self.held_by
        with self._progress.waiting(
            f"the rotation is held by {who}", until=until, who="whoever may rotate it"
        ):
            try:
                await workflow.wait_condition(
                    lambda: not self.held_by,
                    timeout=_LONGEST_HOLD,
                    timeout_summary="undo what is held for too long",
                )
            except TimeoutError:
                raise Errored(f"held for {_LONGEST_HOLD.days} days by {who}") from None
