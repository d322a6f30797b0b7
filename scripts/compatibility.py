"""Whether a JSON schema still takes everything that an older one took, and names what it does not.

Takes more: a new optional field, a new value of an enumeration, a further alternative, a limit that
is wider or gone. Everything else breaks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_LOWER = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")
_UPPER = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_EQUAL = ("pattern", "format", "multipleOf", "uniqueItems", "contentEncoding")
_INSIDE = ("items", "additionalProperties", "propertyNames", "prefixItems")
_ALTERNATIVES = ("anyOf", "oneOf")
_OWN = {
    *(*_LOWER, *_UPPER, *_EQUAL, *_INSIDE, *_ALTERNATIVES),
    *("properties", "required", "enum", "const", "discriminator", "allOf"),
    *("default", "title", "description", "examples"),
}


def breaks(old: Any, new: Any, where: str) -> list[str]:
    """Names each part of the older schema that the newer one does not take any more."""
    if old == new:
        return []
    if not isinstance(old, dict) or not isinstance(new, dict):
        return _whole(old, new, where)
    if old.get("allOf", new.get("allOf")) != new.get("allOf"):
        return [f"{where}: was {_told(old)}, is {_told(new)}"]
    if _alternatives(old) or _alternatives(new):
        return list(_of_alternatives(old, new, where))
    return [
        *_of_kind(old, new, where),
        *_of_values(old, new, where),
        *_of_limits(old, new, where),
        *_of_fields(old, new, where),
        *_of_inside(old, new, where),
    ]


def _whole(old: Any, new: Any, where: str) -> list[str]:
    if new is True or new is None or old is False:
        return []
    return [f"{where}: was {_told(old)}, is {_told(new)}"]


def _alternatives(schema: dict[str, Any]) -> list[Any]:
    return [one for key in _ALTERNATIVES for one in schema.get(key, ())]


def _of_alternatives(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[str]:
    """Each alternative there was must be taken by one there is."""
    now = _alternatives(new) or [new]
    for one in _alternatives(old) or [old]:
        if all(breaks(one, other, where) for other in now):
            yield f"{where}: does not take {_told(one)} any more"


def _of_kind(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[str]:
    """What neither limits nor contains: the type, or which model it is."""
    for key in sorted((old.keys() | new.keys()) - _OWN):
        if key not in new or (old.get(key), new[key]) == ("integer", "number"):
            continue
        if old.get(key) != new[key]:
            yield f"{where}: {key} was {_told(old.get(key))}, is {_told(new[key])}"


def _of_values(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[str]:
    allowed = new.get("enum", [new["const"]] if "const" in new else None)
    if allowed is None:
        return
    before = old.get("enum", [old["const"]] if "const" in old else None)
    if before is None:
        yield f"{where}: takes only {allowed} now"
        return
    gone = [one for one in before if one not in allowed]
    if gone:
        yield f"{where}: lost the values {', '.join(map(str, gone))}"


def _of_limits(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[str]:
    for key in (*_LOWER, *_UPPER, *_EQUAL):
        if key not in new or old.get(key) == new[key]:
            continue
        wider = key in old and (
            (key in _LOWER and new[key] < old[key]) or (key in _UPPER and new[key] > old[key])
        )
        if not wider:
            yield f"{where}: {key} was {_told(old.get(key))}, is {_told(new[key])}"


def _of_fields(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[str]:
    before, now = old.get("properties", {}), new.get("properties", {})
    for name, schema in before.items():
        if name in now:
            yield from breaks(schema, now[name], f"{where}.{name}")
        else:
            yield f"{where}.{name}: is gone"
    known = set(old.get("required", ()))
    for name in new.get("required", ()):
        if name not in before:
            yield f"{where}.{name}: is new and has no default"
        elif name not in known:
            yield f"{where}.{name}: lost its default"


def _of_inside(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[str]:
    for key in _INSIDE:
        if key in new:
            yield from breaks(old.get(key, True), new[key], f"{where}.{key}")


def _told(value: Any) -> str:
    return "nothing" if value is None else str(value)[:200]
