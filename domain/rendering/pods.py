"""The pod template of a component, whatever runs it: a Deployment or a CronJob."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.errors import InvalidRequest
from domain.rendering import files, static
from domain.rendering.configuration.pulling import mount_pull_secret
from domain.rendering.connections import call_labels, check_labels
from domain.rendering.containers import rendered_containers
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import (
    VERSION,
    component_labels,
    label_name,
    label_value,
    selector_labels,
)
from domain.rendering.merge import merged

_VERSION_LENGTH = 12
_LOG_LABELS = "logs.choreo.dev/"
_DEFAULT_SPEC: dict[str, Any] = {
    "automountServiceAccountToken": False,
    "enableServiceLinks": False,
    "securityContext": {
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
}


def pod_template(
    facts: ReleaseFacts, template: Mapping[str, Any], where: str, deadline_seconds: int
) -> dict[str, Any]:
    """Returns metadata and spec of the pods, the class's template laid over safe defaults.

    Args:
        facts: The release.
        template: Pod template of the class.
        where: Its path, for messages.
        deadline_seconds: How long the component may take until it answers for the first time.
    """
    metadata = mapping(template.get("metadata"), f"{where}.metadata")
    given = mapping(template.get("spec"), f"{where}.spec")
    spec = merged(_DEFAULT_SPEC | {"topologySpreadConstraints": [_spread(facts)]}, given)
    if facts.is_task:
        spec.pop("topologySpreadConstraints")
        spec.setdefault("restartPolicy", "Never")
    spec["serviceAccountName"] = facts.component.name
    spec["containers"] = rendered_containers(facts, given.get("containers") or (), deadline_seconds)
    files.mount(facts, spec)
    static.serve(facts, spec)
    mount_pull_secret(facts, spec)
    check_labels(metadata.get("labels"), f"{where}.metadata.labels")
    check_labels(facts.component_class.spec.labels, f"{facts.class_said}: spec.labels")
    own_labels = component_labels(facts) | version_label(facts) | _log_labels(facts)
    own_labels |= call_labels(facts)
    rendered: dict[str, Any] = {"labels": {**(metadata.get("labels") or {}), **own_labels}}
    annotations = {**_scrape(facts), **(metadata.get("annotations") or {})}
    if annotations:
        rendered["annotations"] = annotations
    return {"metadata": rendered, "spec": spec}


def version_label(facts: ReleaseFacts) -> dict[str, str]:
    """Returns the label that tells the commit, none for an image that was not built here."""
    if facts.artifact is None or not facts.artifact.spec.commit:
        return {}
    return {VERSION: facts.artifact.spec.commit[:_VERSION_LENGTH]}


def mapping(value: Any, where: str) -> Mapping[str, Any]:
    """Returns a mapping that may be left out.

    Raises:
        InvalidRequest: It is something else.
    """
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"{where} is not a mapping")
    return value


def _spread(facts: ReleaseFacts) -> dict[str, Any]:
    return {
        "maxSkew": 1,
        "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "ScheduleAnyway",
        "labelSelector": {"matchLabels": selector_labels(facts)},
    }


def _log_labels(facts: ReleaseFacts) -> dict[str, str]:
    told = facts.component_class.spec.observability.log_labels
    return {f"{_LOG_LABELS}{label_name(name)}": label_value(value) for name, value in told.items()}


def _scrape(facts: ReleaseFacts) -> dict[str, str]:
    scrape = facts.component_class.spec.observability.scrape
    if scrape is None:
        return {}
    port = scrape.port or (facts.endpoints[0].port if facts.endpoints else 0)
    if not port:
        raise InvalidRequest(
            f"{facts.class_said}: spec.observability.scrape names no port and "
            f"{facts.component.name} has no endpoint"
        )
    return {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(port),
        "prometheus.io/path": scrape.path,
    }
