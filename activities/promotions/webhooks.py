"""Asks other systems whether a promotion may go on."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from temporalio import activity

from clients.webhooks import Webhooks
from domain.deliveries.promotion_effects import WebhookCall
from domain.deliveries.promotions import GateOutcome
from domain.errors import OutOfTurn, PlatformError

_TURN = timedelta(seconds=2)
"""After which it is tried again to have a turn; others have theirs at once."""


class WebhookActivities:
    """Calls of gates. They may take as long as somebody else likes, so they have a queue apart."""

    def __init__(self, keys: Path | None, share: int = 8, places: int = 32) -> None:
        """Prepares; asks nobody yet.

        Args:
            keys: Folder with the key of each organization.
            share: How many calls of one organization this process makes at once, at most.
            places: How many calls of all it makes at once.
        """
        self._webhooks = Webhooks(keys)
        self._share = share
        self._places = places
        self._under_way: Counter[str] = Counter()

    @activity.defn
    async def call_gate(self, call: WebhookCall) -> GateOutcome:
        """Asks another system whether a promotion may go on.

        Idempotent for it: the call carries an id that is the same for each try. An answer that
        cannot be had within the time limit is no verdict: unknown.

        Raises:
            OutOfTurn: As many calls of the organization are under way as it may have; the place
                is left to others, and this one comes again in a moment.
        """
        own = self._under_way[call.organization]
        if own and own >= min(self._share, self._free):
            raise OutOfTurn(
                f"gate {call.gate}: {own} gates of {call.organization} are being asked, "
                "this one waits for its turn",
                retry_after=_TURN,
            )
        self._under_way[call.organization] += 1
        try:
            return await self._asked(call)
        finally:
            self._under_way[call.organization] -= 1

    @property
    def _free(self) -> int:
        """Places that nobody has; whoever has one already takes no more than are left to others.

        So however many organizations ask without end, the next free place is for who has none.
        """
        return self._places - self._under_way.total()

    async def _asked(self, call: WebhookCall) -> GateOutcome:
        try:
            answer = await self._webhooks.ask(call)
        except PlatformError as error:
            return GateOutcome(name=call.gate, passed=None, reason=error.message)
        by = urlsplit(call.url).hostname or ""
        return GateOutcome(name=call.gate, passed=answer.passed, reason=answer.reason, by=by)
