"""Containers of others, as a Workload has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.importing.reading import Lost, Reader
from domain.resources.workload import MAIN_CONTAINER

_KEPT = ("image", "command", "args", "env", "resources", "name")
_AMOUNTS = ("cpu", "memory")


def container(
    reader: Reader, path: str, given: Mapping[str, Any], name: str = MAIN_CONTAINER
) -> tuple[dict[str, Any], list[Lost]]:
    """Returns a container and what of it is lost."""
    lost = [
        reader.lost(f"{path}.{key}", "belongs to the class or the binding, not to the Workload")
        for key, value in given.items()
        if key not in _KEPT and value not in (None, "", {}, [])
    ]
    env, unread = _environment(reader, path, given.get("env") or ())
    made: dict[str, Any] = {
        "name": name,
        "image": given.get("image", ""),
        "command": list(given.get("command") or ()),
        "args": [str(one) for one in given.get("args") or ()],
        "env": env,
        "resources": _resources(given.get("resources") or {}),
    }
    return {key: value for key, value in made.items() if value}, [*lost, *unread]


def _environment(reader: Reader, path: str, given: Any) -> tuple[list[dict[str, str]], list[Lost]]:
    made, lost = [], []
    for one in given:
        name = str(one.get("name") or one.get("key") or "")
        if one.get("valueFrom"):
            why = "the value comes from elsewhere: write it into a ConfigurationGroup"
            lost.append(reader.lost(f"{path}.env.{name}", why))
        else:
            made.append({"name": name, "value": str(one.get("value", ""))})
    return made, lost


def _resources(given: Mapping[str, Any]) -> dict[str, Any]:
    made = {
        part: {key: str(given[part][key]) for key in _AMOUNTS if key in (given.get(part) or {})}
        for part in ("requests", "limits")
    }
    return {part: amounts for part, amounts in made.items() if amounts}
