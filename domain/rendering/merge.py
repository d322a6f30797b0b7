"""Lays one Kubernetes fragment over another, as strategic merge does.

Mappings are merged, lists of named things are merged by their key, all else is replaced; a null is
the same as nothing. So a class can change one field of one container and keep all other defaults.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain.errors import InvalidRequest

MERGE_KEYS = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "imagePullSecrets": "name",
    "ports": "containerPort",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "topologySpreadConstraints": "topologyKey",
    "hostAliases": "ip",
}
"""Field name -> what tells its entries apart, after the API's own patch merge keys."""
_PLAIN = frozenset({"annotations", "labels", "matchLabels", "nodeSelector"})
"""Mappings whose keys people choose: a label may well be called ``env``."""


def merged(base: Mapping[str, Any], patch: Mapping[str, Any], where: str = "") -> dict[str, Any]:
    """Returns ``base`` with ``patch`` laid over it. Neither argument is changed.

    Raises:
        InvalidRequest: A list that is merged by key is no list or has an entry without the key, or
            labels are no mapping; the message begins with ``where``.
    """
    result = dict(base)
    for key, value in patch.items():
        path = f"{where}.{key}" if where else key
        if value is None:
            continue
        if key in MERGE_KEYS:
            result[key] = _merged_list(result.get(key) or [], value, MERGE_KEYS[key], path)
        elif key in _PLAIN:
            if not isinstance(value, Mapping):
                raise InvalidRequest(f"{path} is not a mapping")
            known = result.get(key)
            result[key] = {**(known if isinstance(known, Mapping) else {}), **value}
        elif isinstance(value, Mapping):
            known = result.get(key)
            result[key] = merged(known if isinstance(known, Mapping) else {}, value, path)
        else:
            result[key] = value
    return result


def _merged_list(base: Sequence[Any], patch: Any, key: str, path: str) -> list[dict[str, Any]]:
    if not isinstance(patch, list | tuple):
        raise InvalidRequest(f"{path} is not a list")
    entries = {_key_of(entry, key, path, index): dict(entry) for index, entry in enumerate(base)}
    for index, entry in enumerate(patch):
        name = _key_of(entry, key, path, index)
        entries[name] = merged(entries.get(name, {}), entry, f"{path}[{name}]")
    return list(entries.values())


def _key_of(entry: Any, key: str, path: str, index: int) -> Any:
    if not isinstance(entry, Mapping) or not isinstance(entry.get(key), str | int):
        raise InvalidRequest(f"{path}[{index}] has no {key}")
    return entry[key]
