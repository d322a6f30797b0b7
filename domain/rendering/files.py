"""The files that a component's container finds: one ConfigMap, named by its content.

A pod of the older release goes on finding its own files, as their ConfigMap has another name.
"""

from __future__ import annotations

from typing import Any

from domain import ids
from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import component_labels, manifest

_VOLUME = "pavane-files"
_LARGEST = 900_000
"""A ConfigMap holds at most 1 MiB."""


def config_map(facts: ReleaseFacts) -> dict[str, Any] | None:
    """Returns the ConfigMap, None for a component without files.

    Raises:
        InvalidRequest: The files are too large together.
    """
    content = _content(facts)
    if not content:
        return None
    size = sum(len(text.encode()) for text in content.values())
    if size > _LARGEST:
        raise InvalidRequest(
            f"the files of {facts.component.name} in {facts.environment.name} have {size} bytes: "
            f"a ConfigMap holds {_LARGEST}"
        )
    return manifest(
        "v1",
        "ConfigMap",
        _name(facts),
        facts.namespace,
        component_labels(facts),
        immutable=True,
        data={_key(path): text for path, text in content.items()},
    )


def mount(facts: ReleaseFacts, spec: dict[str, Any]) -> None:
    """Adds volume and mounts to the spec of a pod whose first container is the component's own."""
    content = _content(facts)
    if not content:
        return
    volumes = [one for one in spec.get("volumes") or () if one.get("name") != _VOLUME]
    spec["volumes"] = [*volumes, {"name": _VOLUME, "configMap": {"name": _name(facts)}}]
    own = spec["containers"][0]
    mounts = [
        {"name": _VOLUME, "mountPath": path, "subPath": _key(path), "readOnly": True}
        for path in content
    ]
    taken = [one for one in own.get("volumeMounts") or () if one.get("mountPath") not in content]
    own["volumeMounts"] = [*taken, *mounts]


def _content(facts: ReleaseFacts) -> dict[str, str]:
    """Path -> content: of equal paths the binding's counts."""
    both = (*facts.workload.spec.files, *facts.binding.spec.workload.files)
    return dict(sorted({one.path: one.content for one in both}.items()))


def _name(facts: ReleaseFacts) -> str:
    return ids.content_name(f"{facts.component.name}-files", _content(facts))


def _key(path: str) -> str:
    """Keys of a ConfigMap have no slashes: the name for people, a hash to tell paths apart."""
    return f"{path.rpartition('/')[2][-200:]}-{ids.content_hash(path)[:8]}"
