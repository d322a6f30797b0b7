"""The files that a component's container finds: one ConfigMap, named by its content.

A pod of the older release goes on finding its own files, as their ConfigMap has another name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain import ids
from domain.rendering.configuration.live import live_files, mount_live
from domain.rendering.configuration.maps import files_map, key_of
from domain.rendering.configuration.rendered import SECRETS_VOLUME, plain_files, secret_files
from domain.rendering.configuration.secrets import secret_name, volume_of
from domain.rendering.facts import ReleaseFacts
from domain.secrets import mounted

_VOLUME = "pavane-files"


def config_map(facts: ReleaseFacts) -> dict[str, Any] | None:
    """Returns the ConfigMap, None for a component without files.

    Raises:
        InvalidRequest: The files are too large together.
    """
    content = _content(facts)
    if not content:
        return None
    return files_map(facts, _name(facts), content, "files", immutable=True)


def mount(facts: ReleaseFacts, spec: dict[str, Any]) -> None:
    """Adds volumes and mounts to the spec of a pod whose first container is the component's own."""
    content, kept = _content(facts), _kept(facts)
    if content:
        paths = {path: key_of(path) for path in content}
        _mounted(spec, _VOLUME, {"configMap": {"name": _name(facts)}}, paths)
    mount_live(facts, spec, {*content, *kept})
    if kept:
        name = secret_name(facts.component.name)
        is_mounted = volume_of(facts) is not None
        source = mounted.volume_source(name) if is_mounted else {"secret": {"secretName": name}}
        _mounted(spec, SECRETS_VOLUME, source, kept)


def _mounted(
    spec: dict[str, Any], volume: str, source: dict[str, Any], paths: Mapping[str, str]
) -> None:
    """Mounts single files: path -> key in what the volume holds."""
    volumes = [one for one in spec.get("volumes") or () if one.get("name") != volume]
    spec["volumes"] = [*volumes, {"name": volume, **source}]
    own = spec["containers"][0]
    mounts = [
        {"name": volume, "mountPath": path, "subPath": key, "readOnly": True}
        for path, key in paths.items()
    ]
    taken = [one for one in own.get("volumeMounts") or () if one.get("mountPath") not in paths]
    own["volumeMounts"] = [*taken, *mounts]


def _content(facts: ReleaseFacts) -> dict[str, str]:
    """Path -> content: the configuration goes before the workload, the binding before both."""
    content = {one.path: one.content for one in facts.workload.spec.files} | plain_files(facts)
    for path in secret_files(facts):
        content.pop(path, None)
    for path in live_files(facts):
        content.pop(path, None)
    content |= {one.path: one.content for one in facts.binding.spec.workload.files}
    return dict(sorted(content.items()))


def _kept(facts: ReleaseFacts) -> dict[str, str]:
    """Path -> key of the Secret of what is kept in Vault, unless the binding says otherwise."""
    own = {one.path for one in facts.binding.spec.workload.files}
    return {path: key for path, key in sorted(secret_files(facts).items()) if path not in own}


def _name(facts: ReleaseFacts) -> str:
    return ids.content_name(f"{facts.component.name}-files", _content(facts))
