"""What its deployment will be refused for is known before a promotion is asked for."""

from __future__ import annotations

from typing import Any, cast

import pytest

from activities.promotions.limits import Limits
from activities.releases.quotas import Quotas
from activities.tenants.images import TenantImages
from domain.deliveries.promotions import StepRules
from domain.errors import Denied
from domain.rendering.facts import ReleaseFacts
from domain.resources.gates import GateCheck
from tests.unit.promotion.cases import facts, rule

pytestmark = pytest.mark.unit
KNOWN = cast("ReleaseFacts", None)
"""What is judged is not looked at here."""


class Limit:
    """A quota, or what images may run."""

    def __init__(self, refusal: str = "") -> None:
        self._refusal = refusal

    async def check(self, _known: Any, _asked: Any) -> None:
        if self._refusal:
            raise Denied(self._refusal)


def limits(quotas: str = "", images: str = "") -> Limits:
    return Limits(cast("Quotas", Limit(quotas)), cast("TenantImages", Limit(images)))


async def test_all_that_would_be_refused_is_told_and_not_the_first_alone() -> None:
    outcomes, refused = await limits("too many pods", "no such registry").judge(facts(), KNOWN, [])
    assert (outcomes, refused) == ((), "too many pods; no such registry")
    assert await limits().judge(facts(), KNOWN, []) == ((), "")


async def test_a_gate_of_quotas_tells_of_them_itself_and_of_nothing_else() -> None:
    asked = facts(rules=StepRules(gates=(rule("fits", GateCheck.QUOTA),)))
    (outcome,), refused = await limits("too many pods", "no such registry").judge(asked, KNOWN, [])
    assert (outcome.passed, outcome.reason) == (False, "too many pods")
    assert refused == "no such registry"
    (outcome,), refused = await limits().judge(asked, KNOWN, [])
    assert (outcome.passed, outcome.reason, refused) == (
        True,
        "it fits into the quotas of staging",
        "",
    )
