"""Objects that the API server of a set-up organization must refuse, with what it must say. Pure.

A policy counts a moment after it was written. What its refusal says names the policy's present
content, so an answer by an older one is not taken for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.deliveries.tenants import TenantPlan, TenantPlane
from domain.rendering.labels import manifest
from domain.resources.base import API_VERSION

_NAME = "pavane-probe"
_NOWHERE = "pavane-probe.invalid/nothing"


@dataclass(frozen=True)
class Probe:
    """Something that must not be taken."""

    obj: dict[str, Any]
    says: str
    """Words of the refusal."""


def image_probes(plane: TenantPlane) -> tuple[Probe, ...]:
    """Returns what a plane must refuse: an image of nobody's, one from where none is allowed."""
    if not plane.places:
        return ()
    where = plane.places[0].namespace
    foreign = [f"{place.rstrip('/')}/{_NAME}.x/image" for place in plane.shared_registries[:1]]
    probes = [Probe(_deployment(where, one), "of another organization") for one in foreign]
    if plane.allowed_registries:
        probes.append(Probe(_deployment(where, _NOWHERE), ", ".join(plane.allowed_registries)))
    return tuple(probes)


def label_probes(plan: TenantPlan) -> tuple[Probe, ...]:
    """Returns what the control plane must refuse: a project without the labels it must carry."""
    keys = plan.required_labels
    if not keys:
        return ()
    spec = {"deploymentPipelineRef": _NAME}
    project = manifest(API_VERSION, "Project", _NAME, plan.organization, {}, spec=spec)
    return (Probe(project, ", ".join(keys)),)


def _deployment(namespace: str, image: str) -> dict[str, Any]:
    labels = {"app": _NAME}
    container = {"name": "probe", "image": image}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": template}
    return manifest("apps/v1", "Deployment", _NAME, namespace, {}, spec=spec)
