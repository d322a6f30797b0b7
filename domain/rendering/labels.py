"""Labels and metadata that all rendered objects share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from domain.ids import FIELD_MANAGER, fitted
from domain.rendering.facts import ReleaseFacts

ORGANIZATION = "choreo.dev/organization"
PROJECT = "choreo.dev/project"
COMPONENT = "choreo.dev/component"
ENVIRONMENT = "choreo.dev/environment"
COMMIT = "choreo.dev/commit"
SHARED = "choreo.dev/shared"
"""Marks objects that all components of a namespace have in common: never pruned with one."""
CALLS = "calls.choreo.dev/"
"""Begins the labels of pods that tell which endpoints they may call: ``<component>.<endpoint>``."""
ALLOWED = "allowed"
"""Value of such a label."""
PLANE = "choreo.dev/plane"
"""Annotation of the bounds of a namespace: the plane for which it was set up last."""
MANAGED_BY = "app.kubernetes.io/managed-by"
VERSION = "app.kubernetes.io/version"
_NOT_IN_LABELS = re.compile(r"[^A-Za-z0-9_.-]+")
_NOT_IN_PREFIX = re.compile(r"[^a-z0-9.-]+")
_LONGEST_PREFIX = 253


def shared_labels(facts: ReleaseFacts) -> dict[str, str]:
    """Returns the labels of what the components of a project share in an environment."""
    return {
        MANAGED_BY: FIELD_MANAGER,
        ORGANIZATION: facts.organization,
        PROJECT: facts.project,
        ENVIRONMENT: facts.environment.name,
        SHARED: "true",
    }


def component_labels(facts: ReleaseFacts) -> dict[str, str]:
    """Returns the labels of the component's own objects: those of the class below our own."""
    of_class = facts.component_class.spec.labels
    return {
        **{label_key(key): label_value(value) for key, value in of_class.items()},
        "app.kubernetes.io/name": facts.component.name,
        "app.kubernetes.io/part-of": facts.project,
        MANAGED_BY: FIELD_MANAGER,
        ORGANIZATION: facts.organization,
        PROJECT: facts.project,
        COMPONENT: facts.component.name,
        ENVIRONMENT: facts.environment.name,
    }


def label_value(text: object) -> str:
    """Returns a text as Kubernetes takes it for the value of a label; empty when nothing is left.

    Equal texts give equal values; one that is too long gets a hash, so that two long ones differ.
    """
    plain = _NOT_IN_LABELS.sub("-", str(text))
    fitting = fitted(plain.strip("-_."))
    return fitting.strip("-_.")


def label_name(text: object) -> str:
    """Returns a text as Kubernetes takes it for the name of a label, never empty."""
    return label_value(text) or "unnamed"


def label_key(text: str) -> str:
    """Returns a text as Kubernetes takes it for a label's key: name, or prefix and name."""
    prefix, slash, name = text.rpartition("/")
    cleaned = _NOT_IN_PREFIX.sub("-", prefix.lower())[:_LONGEST_PREFIX].strip("-.")
    labels = ".".join(
        part.strip("-")[:63].strip("-") for part in cleaned.split(".") if part.strip("-")
    )
    return f"{labels}/{label_name(name)}" if slash and labels else label_name(name)


def caller_labels(component: str, endpoint: str) -> dict[str, str]:
    """Returns what the pods of those carry that may call an endpoint.

    Names of components are unique in an organization, and none has a dot in it.
    """
    return {f"{CALLS}{label_name(f'{component}.{endpoint}')}": ALLOWED}


def selector_labels(facts: ReleaseFacts) -> dict[str, str]:
    """Returns what selects the component's pods. A Deployment's selector can never change."""
    return {COMPONENT: facts.component.name}


def manifest(
    api_version: str,
    kind: str,
    name: str,
    namespace: str,
    labels: Mapping[str, str],
    **content: Any,
) -> dict[str, Any]:
    """Returns a Kubernetes object; ``namespace`` is empty for objects of the whole cluster."""
    metadata: dict[str, Any] = {"name": name, "labels": dict(labels)}
    if namespace:
        metadata["namespace"] = namespace
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **content}


def annotated(obj: dict[str, Any], annotations: Mapping[str, str]) -> dict[str, Any]:
    """Returns an object with annotations; without any it stays as it is."""
    if not annotations:
        return obj
    return {**obj, "metadata": {**obj["metadata"], "annotations": dict(annotations)}}


def in_order(objects: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], ...]:
    """Returns the objects with all keys sorted, so that equal ones are equal byte by byte."""
    return tuple({key: _sorted(item) for key, item in sorted(each.items())} for each in objects)


def _sorted(value: Any) -> Any:
    of_type = type(value)
    if of_type is str or of_type is int or of_type is bool or value is None:
        return value  # nearly all there is, told without asking abstract classes
    if of_type is dict or isinstance(value, Mapping):
        return {key: _sorted(item) for key, item in sorted(value.items())}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in value]
    return value
