"""Judges by what limits there are what a promotion would become: quotas, images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from activities.releases.quotas import Quotas
from activities.tenants.images import TenantImages
from domain.deliveries.promotions import GateOutcome, PromotionFacts
from domain.errors import Denied
from domain.policies.quotas import usage_of
from domain.rendering.facts import ReleaseFacts
from domain.resources.gates import GateCheck


class Limits:
    """Judges as the deployment will, by shared watches: it costs no request."""

    def __init__(self, quotas: Quotas, images: TenantImages) -> None:
        self._quotas = quotas
        self._images = images

    async def judge(
        self, facts: PromotionFacts, known: ReleaseFacts, objects: Sequence[dict[str, Any]]
    ) -> tuple[tuple[GateOutcome, ...], str]:
        """Returns what comes of the gates of quotas, and why else it would be refused; empty = not.

        By what others take up now: it may be different when it is deployed.
        """
        rules = [rule for rule in facts.rules.gates if rule.check is GateCheck.QUOTA]
        refused = []
        excess = ""
        try:
            await self._quotas.check(known, usage_of(objects))
        except Denied as denied:
            excess = denied.message
        if excess and not rules:
            refused.append(excess)
        try:
            await self._images.check(known, objects)
        except Denied as denied:
            refused.append(denied.message)
        reason = excess or f"it fits into the quotas of {facts.environment}"
        outcomes = (
            GateOutcome(name=rule.name, passed=not excess, reason=reason, at=facts.at)
            for rule in rules
        )
        return tuple(outcomes), "; ".join(refused)
