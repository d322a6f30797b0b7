"""Facts of a promotion that nothing stands against, to be changed by tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from domain.deliveries import Trigger, TriggerKind
from domain.deliveries.promotions import (
    ArtifactFacts,
    GateRule,
    PlaceFacts,
    PromotionFacts,
    PromotionRequest,
    StepRules,
)
from domain.deliveries.standings import Pass, Standing
from domain.policies.promotion.gates import Case
from domain.resources import DeploymentPipeline, parse_as
from domain.resources.gates import GateCheck

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
IMAGE = f"registry.example/acme/web@sha256:{'a' * 64}"


def standing(**changes: Any) -> Standing:
    place = {"organization": "acme", "component": "web", "environment": "staging"}
    return Standing(**{**place, **changes})


def a_pass(release: str = "web-staging-1", **changes: Any) -> Pass:
    return Pass(
        **{"release": release, "hash": f"hash of {release}", "artifact": "web-a", "at": NOW}
        | changes
    )


def rule(name: str, check: GateCheck, **changes: Any) -> GateRule:
    return GateRule(name=name, check=check, **changes)


def facts(**changes: Any) -> PromotionFacts:
    ready = {"ready": True, "since": NOW - timedelta(hours=1), "binding": "web-dev"}
    return PromotionFacts(
        **{
            "organization": "acme",
            "project": "shop",
            "component": "web",
            "environment": "staging",
            "pipeline": "standard",
            "first": "dev",
            "sources": ("dev",),
            "source": PlaceFacts(environment="dev", artifact="web-a", release="r", **ready),
            "target": PlaceFacts(environment="staging"),
            "artifact": ArtifactFacts(name="web-a", image=IMAGE, branch="main"),
            "standing": standing(),
            "release": "web-staging-1",
            "hash": "hash of web-staging-1",
            "at": NOW,
            **changes,
        }
    )


def request(*, automatic: bool = False, **changes: Any) -> PromotionRequest:
    kind = TriggerKind.AUTOMATIC if automatic else TriggerKind.API
    place = {"organization": "acme", "component": "web", "environment": "staging"}
    return PromotionRequest(
        **{**place, "request_id": "one", "trigger": Trigger(kind=kind, actor="dev"), **changes}
    )


def case(
    asked: PromotionRequest | None = None, *, rules: StepRules | None = None, **changes: Any
) -> Case:
    known = facts(**({"rules": rules} if rules else {}))
    outer = {key: changes.pop(key) for key in ("outcomes", "now") if key in changes}
    known = known.model_copy(update=changes)
    return Case(request=asked or request(), facts=known, **{"now": NOW, **outer})


def pipeline(*edges: tuple[str, str], **target: Any) -> DeploymentPipeline:
    """Edges from environment to environment; ``target`` is said of every step."""
    steps: dict[str, list[dict[str, Any]]] = {}
    for source, to in edges:
        steps.setdefault(source, [])
        if to:
            steps[source].append({"name": to, **target})
    paths = [
        {"sourceEnvironmentRef": source, "targetEnvironmentRefs": targets}
        for source, targets in steps.items()
    ]
    return parse_as(
        DeploymentPipeline,
        {"metadata": {"name": "standard", "namespace": "acme"}, "spec": {"promotionPaths": paths}},
    )
