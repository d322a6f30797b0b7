"""The gate about dependencies reads what really runs in the target."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from activities.common.kinds import platform
from activities.promotions.dependencies import DependencyReader
from clients.kubernetes import Cluster, SharedWatches
from domain.deliveries.promotions import (
    ArtifactFacts,
    GateOutcome,
    GateRule,
    PlaceFacts,
    PromotionFacts,
    StepRules,
)
from domain.deliveries.standings import Standing
from domain.resources.gates import GateCheck
from tests.integration.drift.places import Place

pytestmark = [pytest.mark.integration, pytest.mark.sampled]

NOW = datetime(2026, 1, 1, tzinfo=UTC)
READY = {
    "type": "Ready",
    "status": "True",
    "reason": "Deployed",
    "lastTransitionTime": "2026-01-01T00:00:00Z",
}


def facts(organization: str) -> PromotionFacts:
    rule = GateRule(name="needs", check=GateCheck.DEPENDENCIES)
    place = PlaceFacts(environment="dev")
    return PromotionFacts(
        organization=organization,
        project="shop",
        component="web",
        environment="dev",
        source=place,
        target=place,
        artifact=ArtifactFacts(name="web-1"),
        rules=StepRules(gates=(rule,)),
        standing=Standing(organization=organization, component="web", environment="dev"),
        at=NOW,
    )


async def test_gate_opens_when_what_is_called_answers_in_the_target(
    place: Place, plane: Cluster
) -> None:
    watches = SharedWatches(plane)
    reader = DependencyReader(watches)

    async def judged() -> GateOutcome:
        (outcome,) = await reader.judge(facts(place.name))
        return outcome

    async def becomes(reason: str) -> GateOutcome:
        """The watch behind it follows a moment later than the write."""
        async with watches.of(platform("ServiceBinding")).subscribe() as events:
            outcome = await judged()
            async for _ in events:
                outcome = await judged()
                if outcome.reason == reason:
                    break
        return outcome

    try:
        await place.component("api")
        endpoints = [{"name": "http", "port": 9090}]
        await place.apply("Workload", "api", {"componentRef": "api", "endpoints": endpoints})
        target = {"componentRef": "web", "target": {"componentRef": "api"}}
        await place.apply("Connection", "api", target)

        closed = await judged()
        assert (closed.passed, closed.reason) == (False, "api does not run in dev")

        await place.binding("api")
        status = {"artifactRef": "api-1", "observedGeneration": 1, "conditions": [READY]}
        kind = platform("ServiceBinding")
        await plane.patch(kind, "api-dev", place.name, {"status": status}, "status")
        opened = await becomes("api answers in dev")
        assert (opened.passed, opened.name) == (True, "needs")
    finally:
        await watches.close()
