"""Asks other systems whether a promotion may go on."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from temporalio import activity

from clients.webhooks import Webhooks
from domain.deliveries.promotion_effects import WebhookCall
from domain.deliveries.promotions import GateOutcome
from domain.errors import PlatformError


class WebhookActivities:
    """Calls of gates. They may take as long as somebody else likes, so they have a queue apart."""

    def __init__(self, keys: Path | None) -> None:
        """``keys`` is a folder with the key of each organization."""
        self._webhooks = Webhooks(keys)

    @activity.defn
    async def call_gate(self, call: WebhookCall) -> GateOutcome:
        """Asks another system whether a promotion may go on.

        Idempotent for it: the call carries an id that is the same for each try. An answer that
        cannot be had within the time limit is no verdict: unknown.
        """
        try:
            answer = await self._webhooks.ask(call)
        except PlatformError as error:
            return GateOutcome(name=call.gate, passed=None, reason=error.message)
        by = urlsplit(call.url).hostname or ""
        return GateOutcome(name=call.gate, passed=answer.passed, reason=answer.reason, by=by)
