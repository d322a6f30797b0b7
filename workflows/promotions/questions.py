"""Asks those gates of a promotion that cost something: runs tests, calls other systems."""

from __future__ import annotations

from datetime import timedelta

from activities.planes.gate_tests import GateTestActivities
from activities.promotions.webhooks import WebhookActivities
from domain import ids
from domain.deliveries.promotion_effects import GateTestRun, WebhookCall
from domain.deliveries.promotions import GateOutcome, GateRule, PromotionFacts
from domain.resources.gates import GateCheck
from workflows.common.calls import call, watch

_TOLD = {
    "organization", "project", "component", "environment", "is_production", "artifact", "source",
    "target", "release", "hash", "changes", "at",
}  # fmt: skip
"""What another system is told of a promotion."""


async def ask_gate(facts: PromotionFacts, rule: GateRule, key: str) -> GateOutcome:
    """Returns what a gate says; equal keys ask the same question once."""
    if rule.check is GateCheck.TESTS:
        return await _tests(facts, rule, key)
    return await _webhook(facts, rule, key)


async def _tests(facts: PromotionFacts, rule: GateRule, key: str) -> GateOutcome:
    run = GateTestRun(
        gate=rule.name,
        name=ids.content_name(f"gate-{rule.name}"[:50], [key, facts.hash]),
        organization=facts.organization,
        project=facts.project,
        environment=facts.source.environment,
        namespace=ids.namespace(facts.organization, facts.project, facts.source.environment),
        image=rule.image or (facts.artifact.image if facts.artifact else ""),
        command=rule.command,
        timeout_seconds=rule.timeout_seconds,
        component=facts.component,
        template=rule.template,
        cluster_scope=rule.cluster_scope,
        parameters=rule.parameters,
    )
    return await call(
        GateTestActivities.run_gate_tests,
        run,
        f"run the tests of gate {rule.name} in {facts.source.environment}",
        queue=facts.source_queue,
        options=watch(timedelta(seconds=rule.timeout_seconds)),
    )


async def _webhook(facts: PromotionFacts, rule: GateRule, key: str) -> GateOutcome:
    asked = WebhookCall(
        gate=rule.name,
        id=ids.content_hash([key, rule.name, facts.hash])[:32],
        organization=facts.organization,
        url=rule.url,
        timeout_seconds=rule.timeout_seconds,
        body=facts.model_dump_json(include=_TOLD),
    )
    return await call(
        WebhookActivities.call_gate,
        asked,
        f"ask gate {rule.name}",
        queue=ids.GATES_QUEUE,
        options=watch(timedelta(seconds=rule.timeout_seconds)),
    )
