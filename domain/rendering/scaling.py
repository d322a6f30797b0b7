"""The HorizontalPodAutoscaler of a component, and how many replicas it has without one."""

from __future__ import annotations

from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import component_labels, manifest
from domain.resources.binding import BindingState
from domain.resources.overrides import Autoscaling

_KUBERNETES_WAITS = 300
"""Seconds an autoscaler waits of itself: whoever wants no other has no word of it in a release."""


def autoscaling(facts: ReleaseFacts) -> Autoscaling | None:
    """Returns how replicas follow the load, None where they do not.

    Raises:
        InvalidRequest: The bounds are outside those of the class.
    """
    own = facts.binding.spec.workload.autoscaling
    scaling = facts.running_class.autoscaling if own is None else own
    if not scaling.max_replicas or facts.state is not BindingState.ACTIVE:
        return None
    rails = facts.component_class.spec.guard_rails
    where = (
        f"{facts.class_said}: spec.autoscaling"
        if own is None
        else f"{facts.binding.kind} {facts.binding.name}: spec.workload.autoscaling"
    )
    for field, asked in (
        ("minReplicas", scaling.min_replicas),
        ("maxReplicas", scaling.max_replicas),
    ):
        if not rails.min_replicas <= asked <= rails.max_replicas:
            raise InvalidRequest(
                f"{where}.{field} {asked} is not between the {rails.min_replicas} and "
                f"{rails.max_replicas} that {facts.class_said} allows"
            )
    return scaling


def autoscaler(facts: ReleaseFacts) -> dict[str, Any] | None:
    """Returns the HorizontalPodAutoscaler, None for a component with fixed replicas."""
    scaling = autoscaling(facts)
    if scaling is None:
        return None
    metrics = [_metric("cpu", scaling.cpu_utilization)]
    if scaling.memory_utilization:
        metrics.append(_metric("memory", scaling.memory_utilization))
    name = facts.component.name
    spec: dict[str, Any] = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
        "minReplicas": scaling.min_replicas,
        "maxReplicas": scaling.max_replicas,
        "metrics": metrics,
    }
    window = scaling.scale_down_stabilization_seconds
    if window != _KUBERNETES_WAITS:
        spec["behavior"] = {"scaleDown": {"stabilizationWindowSeconds": window}}
    return manifest(
        "autoscaling/v2",
        "HorizontalPodAutoscaler",
        name,
        facts.namespace,
        component_labels(facts),
        spec=spec,
    )


def _metric(resource: str, utilization: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": utilization}
    return {"type": "Resource", "resource": {"name": resource, "target": target}}
