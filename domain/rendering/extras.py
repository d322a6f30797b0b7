"""More objects that a class makes of each component: any kind of a namespace."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import ids
from domain.errors import InvalidRequest
from domain.gateways.marks import CERTIFICATE
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import component_labels, manifest
from domain.resources.base import GROUP

_REFUSED = frozenset(
    {
        "APIService",
        "ClusterRole",
        "ClusterRoleBinding",
        "CustomResourceDefinition",
        "MutatingWebhookConfiguration",
        "Namespace",
        "Node",
        "PersistentVolume",
        "PriorityClass",
        "RuntimeClass",
        "Secret",
        "StorageClass",
        "ValidatingWebhookConfiguration",
    }
)
"""Kinds of the whole cluster, and Secrets, whose values do not belong into a class. A kind of the
whole cluster that is not here is refused by the plane when it is applied."""


def class_objects(facts: ReleaseFacts) -> list[dict[str, Any]]:
    """Returns the objects of the class, named after the component, in its namespace.

    Raises:
        InvalidRequest: One has no name or kind, or its kind is none that a class may make.
    """
    made = []
    seen: set[tuple[str, str]] = set()
    for index, given in enumerate(facts.component_class.spec.objects):
        where = f"{facts.class_said}: spec.objects[{index}]"
        api_version, kind, name = _identity(given, where)
        name = _own_name(facts, name)
        if (kind, name) in seen:
            raise InvalidRequest(f"{where}: there is a {kind} {name} already")
        seen.add((kind, name))
        metadata = given["metadata"]
        labels = {**(metadata.get("labels") or {}), **component_labels(facts)}
        content = {
            key: value
            for key, value in given.items()
            if key not in {"apiVersion", "kind", "metadata", "status"}
        }
        one = manifest(api_version, kind, name, facts.namespace, labels, **content)
        if CERTIFICATE in (metadata.get("annotations") or {}):
            raise InvalidRequest(f"{where}: {CERTIFICATE} is Pavane's own annotation")
        if metadata.get("annotations"):
            one["metadata"]["annotations"] = metadata["annotations"]
        made.append(one)
    return made


def _identity(given: Mapping[str, Any], where: str) -> tuple[str, str, str]:
    api_version, kind = given.get("apiVersion"), given.get("kind")
    metadata = given.get("metadata")
    name = metadata.get("name") if isinstance(metadata, Mapping) else None
    if not (isinstance(api_version, str) and isinstance(kind, str) and isinstance(name, str)):
        raise InvalidRequest(f"{where} needs apiVersion, kind and metadata.name")
    if kind in _REFUSED or api_version.partition("/")[0] == GROUP:
        raise InvalidRequest(f"{where}: a class makes no {kind} of {api_version}")
    return api_version, kind, name


def _own_name(facts: ReleaseFacts, name: str) -> str:
    """Keeps the objects of two components of a namespace apart."""
    own = facts.component.name
    if name == own or name.startswith(f"{own}-"):
        return ids.slug(ids.fitted(name), "object")
    return ids.slug(ids.fitted(f"{own}-{name}"), "object")
