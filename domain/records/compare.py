"""What differs between two releases, field by field. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from domain.deliveries.wire import Wire

_MOST = 200
"""Differences that are told; two unlike releases would fill the screen."""
_HIDDEN = "Secret"
_LONGEST = 300


class Difference(Wire):
    """One field of one object that is not the same in both."""

    object: str
    """``Kind/name``."""
    field: str
    """Path such as ``spec.replicas``; empty = the whole object."""
    before: str = ""
    """JSON; empty = it was not there."""
    after: str = ""
    """JSON; empty = it is not there."""


def differences(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> tuple[Difference, ...]:
    """Compares the objects of two releases, by kind and name, in their order."""
    old = {_said(each): each for each in before}
    new = {_said(each): each for each in after}
    found: list[Difference] = []
    for name in dict.fromkeys([*old, *new]):
        if name not in new:
            found.append(Difference(object=name, field="", before="there"))
        elif name not in old:
            found.append(Difference(object=name, field="", after="there"))
        elif name.startswith(f"{_HIDDEN}/") and old[name] != new[name]:
            found.append(Difference(object=name, field="", before="(not shown)", after="changed"))
        else:
            found += _fields(name, old[name], new[name])
    return tuple(found[:_MOST])


def _fields(name: str, before: object, after: object) -> Iterator[Difference]:
    old, new = dict(_leaves(before)), dict(_leaves(after))
    for path in dict.fromkeys([*old, *new]):
        if old.get(path) != new.get(path):
            yield Difference(
                object=name, field=path, before=old.get(path, ""), after=new.get(path, "")
            )


def _leaves(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields every field that holds no further fields; list entries by name where they have one."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list | tuple) and value:
        for place, inner in enumerate(value):
            named = inner.get("name") if isinstance(inner, Mapping) else None
            yield from _leaves(inner, f"{path}[{named or place}]")
    else:
        yield path, json.dumps(value, ensure_ascii=False)[:_LONGEST]


def _said(each: Mapping[str, Any]) -> str:
    return f"{each['kind']}/{each['metadata']['name']}"
