"""Gates that are judged where the facts are read, because a replay must not judge them anew."""

from __future__ import annotations

from collections.abc import Iterable

from domain.deliveries.promotions import (
    ArtifactFacts,
    GateOutcome,
    PromotionFacts,
    PromotionRequest,
)
from domain.expressions import judge
from domain.resources.gates import GateCheck


def judged_here(facts: PromotionFacts, request: PromotionRequest) -> Iterable[GateOutcome]:
    """Yields what expressions and the scan say of the artifact."""
    known = {
        "artifact": (facts.artifact or ArtifactFacts(name="")).model_dump(mode="json"),
        "source": facts.source.model_dump(mode="json"),
        "target": facts.target.model_dump(mode="json"),
        "promotion": {
            "component": facts.component,
            "project": facts.project,
            "environment": facts.environment,
            "production": facts.is_production,
            "hotfix": request.hotfix,
            "automatic": request.trigger.is_automatic,
            "by": request.trigger.actor,
        },
    }
    for rule in facts.rules.gates:
        if rule.check is GateCheck.EXPRESSION:
            passed, reason = judge(rule.expression, known)
            yield GateOutcome(name=rule.name, passed=passed, reason=reason, at=facts.at)
        elif rule.check is GateCheck.SCAN and facts.artifact is not None:
            passed = {"passed": True, "refused": False}.get(facts.artifact.scan)
            reason = facts.artifact.scan_reason or f"the scan of {facts.artifact.name}: "
            told = reason if facts.artifact.scan_reason else f"{reason}{facts.artifact.scan}"
            yield GateOutcome(name=rule.name, passed=passed, reason=told, at=facts.at)
