"""What differs between two configurations: by key, never what is kept in Vault."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.rendering.configuration.effective import ConfigurationEntry, EffectiveConfiguration

_SHOWN = 200
_TEMPLATES = {
    "Deployment": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_OWN = "main"
_HASHED = re.compile(r"-[0-9a-f]{8}$")
"""What makes the key of a file one of its own: the hash of its path (see ``maps.key_of``)."""


class KeyChange(BaseModel):
    """One key that is different."""

    model_config = ConfigDict(frozen=True)

    key: str
    before: str = ""
    """Empty = it was not there, or empty."""
    after: str = ""


def configuration_changes(
    before: EffectiveConfiguration, after: EffectiveConfiguration
) -> tuple[KeyChange, ...]:
    """Returns the keys whose value or place in the pod differs, by key; empty when none does.

    From which group a value comes does not matter.
    """
    earlier, later = _by_key(before), _by_key(after)
    return tuple(
        KeyChange(key=key, before=_said(earlier.get(key)), after=_said(later.get(key)))
        for key in sorted({*earlier, *later})
        if _decisive(earlier.get(key)) != _decisive(later.get(key))
    )


def _by_key(configuration: EffectiveConfiguration) -> Mapping[str, ConfigurationEntry]:
    return {one.key: one for one in configuration.entries}


def _decisive(one: ConfigurationEntry | None) -> tuple[str, ...] | None:
    return (one.value, one.vault_key, one.env, one.file) if one else None


def _said(one: ConfigurationEntry | None) -> str:
    """Returns a value for people: cut, one of Vault by its path."""
    if one is None:
        return ""
    text = f"vault:{one.vault_key}" if one.vault_key else one.value
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}... ({len(text)} characters)"


def changed_configuration(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Returns a line for each variable and file that is new (``+``), gone (``-``) or other (``~``).

    Wherever the value comes from: the workload, the binding, a group, a connection or Vault.
    """
    old, new = dict(_settings(before)), dict(_settings(after))
    lines = []
    for name in sorted({*old, *new}):
        if name not in old:
            lines.append(f"+ {name}")
        elif name not in new:
            lines.append(f"- {name}")
        elif old[name] != new[name]:
            lines.append(f"~ {name}")
    return tuple(lines)


def _settings(objects: Iterable[Mapping[str, Any]]) -> Iterator[tuple[str, Any]]:
    for one in objects:
        if one["kind"] == "ConfigMap":
            for key, text in (one.get("data") or {}).items():
                yield f"file {_HASHED.sub('', key)}", text
            continue
        pods: Any = one
        for step in _TEMPLATES.get(str(one["kind"]), ("none",)):
            pods = pods.get(step) or {}
        for container in (*(pods.get("initContainers") or ()), *(pods.get("containers") or ())):
            whose = "" if container["name"] == _OWN else f" of container {container['name']}"
            for variable in container.get("env") or ():
                value = {key: part for key, part in variable.items() if key != "name"}
                yield f"variable {variable['name']}{whose}", value
