"""The Deployment of a component, its ServiceAccount and its disruption budget."""

from __future__ import annotations

from typing import Any

from domain.errors import InvalidRequest
from domain.rendering import scaling
from domain.rendering.configuration.pulling import pulls_annotation
from domain.rendering.configuration.secrets import sources_annotation
from domain.rendering.facts import DEFAULT_DEADLINE_SECONDS, ReleaseFacts
from domain.rendering.labels import annotated, component_labels, manifest, selector_labels
from domain.rendering.merge import merged
from domain.rendering.pods import mapping, pod_template, version_label
from domain.resources.binding import BindingState

_TEMPLATE_FIELDS = frozenset(
    {
        "minReadySeconds",
        "progressDeadlineSeconds",
        "replicas",
        "revisionHistoryLimit",
        "strategy",
        "template",
    }
)
_NUMBERS = _TEMPLATE_FIELDS - {"strategy", "template"}
_DEFAULT_SPEC: dict[str, Any] = {
    "progressDeadlineSeconds": DEFAULT_DEADLINE_SECONDS,
    "revisionHistoryLimit": 3,
    "strategy": {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": 1, "maxUnavailable": 0},
    },
}


def service_account(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns the identity of the component's pods; it may do nothing and gets no token."""
    return manifest(
        "v1",
        "ServiceAccount",
        facts.component.name,
        facts.namespace,
        component_labels(facts),
        automountServiceAccountToken=False,
    )


def deployment(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns the Deployment.

    Raises:
        InvalidRequest: The class's template is no part of a Deployment's spec, or what is asked
            for passes the class's bounds.
    """
    template = _template(facts)
    spec = merged(_DEFAULT_SPEC, {key: item for key, item in template.items() if key != "template"})
    if spec["strategy"].get("type") != "RollingUpdate":
        spec["strategy"].pop("rollingUpdate", None)
    spec |= {
        "selector": {"matchLabels": selector_labels(facts)},
        "template": pod_template(
            facts,
            template.get("template") or {},
            f"{_class(facts)}.template",
            spec["progressDeadlineSeconds"],
        ),
    }
    spec.pop("replicas", None)
    if scaling.autoscaling(facts) is None:
        # Of what is scaled by load the number belongs to the autoscaler.
        spec["replicas"] = replicas(facts)
    labels = component_labels(facts) | version_label(facts)
    made = manifest(
        "apps/v1", "Deployment", facts.component.name, facts.namespace, labels, spec=spec
    )
    return annotated(made, sources_annotation(facts) | pulls_annotation(facts))


def disruption_budget(facts: ReleaseFacts) -> dict[str, Any] | None:
    """Returns what keeps a drained node from taking all pods, None for a single pod.

    A budget over one pod would only keep nodes from being drained.
    """
    budget = facts.running_class.disruption_budget
    if replicas(facts) < 2 or not budget.enabled:  # noqa: PLR2004 - one pod cannot be spared
        return None
    return manifest(
        "policy/v1",
        "PodDisruptionBudget",
        facts.component.name,
        facts.namespace,
        component_labels(facts),
        spec={
            "maxUnavailable": budget.max_unavailable,
            "selector": {"matchLabels": selector_labels(facts)},
        },
    )


def replicas(facts: ReleaseFacts) -> int:
    """Returns how many pods are to run: none when suspended, else binding over class over one.

    Of what is scaled by load: how many run at least.

    Raises:
        InvalidRequest: The number is outside the class's bounds.
    """
    if facts.state is not BindingState.ACTIVE:
        return 0
    scaled = scaling.autoscaling(facts)
    if scaled is not None:
        return scaled.min_replicas
    rails = facts.component_class.spec.guard_rails
    asked = facts.binding.spec.workload.replicas
    where = f"{facts.binding.kind} {facts.binding.name}: spec.workload.replicas"
    if asked is None:
        asked = int(_template(facts).get("replicas", max(1, rails.min_replicas)))
        where = f"{_class(facts)}.replicas"
    if not rails.min_replicas <= asked <= rails.max_replicas:
        raise InvalidRequest(
            f"{where} {asked} is not between the {rails.min_replicas} and {rails.max_replicas} "
            f"that {facts.class_said} allows"
        )
    return asked


def _template(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns the class's template, checked so far as the rendering relies on it."""
    template = facts.running_class.deployment_template
    foreign = sorted(set(template) - _TEMPLATE_FIELDS)
    if foreign:
        raise InvalidRequest(
            f"{_class(facts)}.{foreign[0]} cannot be set by a class: "
            f"it may set {', '.join(sorted(_TEMPLATE_FIELDS))}"
        )
    for field in ("strategy", "template"):
        mapping(template.get(field), f"{_class(facts)}.{field}")
    for field in _NUMBERS & set(template):
        if not isinstance(template[field], int | None):
            raise InvalidRequest(f"{_class(facts)}.{field} {template[field]!r} is not a number")
    return merged({}, template, _class(facts))


def _class(facts: ReleaseFacts) -> str:
    return f"{facts.class_said}: spec.deploymentTemplate"
