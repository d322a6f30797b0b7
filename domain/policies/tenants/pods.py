"""Where in an object the spec of its pods stands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_TEMPLATE = ("spec", "template", "spec")
_PATHS: dict[str, tuple[str, ...]] = {
    "Pod": ("spec",),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    **dict.fromkeys(
        ("DaemonSet", "Deployment", "Job", "ReplicaSet", "ReplicationController", "StatefulSet"),
        _TEMPLATE,
    ),
}


def pod_spec(obj: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns the spec of the pods that an object makes, empty when it makes none."""
    value: Any = obj
    path = _PATHS.get(str(obj.get("kind", "")))
    for key in path or ():
        value = value.get(key) if isinstance(value, Mapping) else None
    return value if path and isinstance(value, Mapping) else {}
