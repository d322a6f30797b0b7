"""Judges the gates about dependencies: what the component calls must answer in the target."""

from __future__ import annotations

from activities.common.kinds import platform
from activities.releases.interfaces import InterfaceReader
from clients.kubernetes.shared import SharedWatches
from domain.deliveries.promotions import GateOutcome, PromotionFacts
from domain.dependencies import interfaces_of, reachable
from domain.policies.promotion.dependencies import Called, dependencies_hold
from domain.resources import parse_as
from domain.resources.families import BINDINGS
from domain.resources.gates import GateCheck


class DependencyReader:
    """Reads by shared watches, so a judgement costs no request."""

    def __init__(self, watches: SharedWatches) -> None:
        self._watches = watches
        self.interfaces = InterfaceReader(watches)

    async def judge(self, facts: PromotionFacts) -> tuple[GateOutcome, ...]:
        """Returns what comes of the gates about dependencies; nothing when there is none."""
        rules = [rule for rule in facts.rules.gates if rule.check is GateCheck.DEPENDENCIES]
        if not rules or facts.artifact is None:
            return ()
        catalogue = await self.interfaces.catalogue(facts.organization)
        dependencies = interfaces_of(facts.component, catalogue).dependencies
        graph = reachable(facts.component, catalogue.connections)
        mutual = graph.together_with(facts.component)  # of a cycle none can come first
        names = {one.component for one in dependencies if one.component}
        called = {name: await self._called(facts, name) for name in sorted(names)}
        passed, reason = dependencies_hold(facts.environment, dependencies, called, mutual)
        return tuple(
            GateOutcome(name=rule.name, passed=passed, reason=reason, at=facts.at) for rule in rules
        )

    async def _called(self, facts: PromotionFacts, component: str) -> Called:
        """Returns how a component does in the target."""
        for model in BINDINGS:
            watch = self._watches.of(platform(model.kind))
            await watch.synced()
            for (namespace, _), obj in watch.store.items():
                spec = obj.get("spec") or {}
                place = (spec.get("componentRef"), spec.get("environmentRef"))
                if namespace != facts.organization or place != (component, facts.environment):
                    continue
                binding = parse_as(model, obj)
                ready = binding.status.condition("Ready")
                return Called(
                    runs=bool(binding.status.artifact_ref),
                    ready=ready is not None and ready.is_true,
                    reason=ready.reason if ready else "",
                )
        return Called()
