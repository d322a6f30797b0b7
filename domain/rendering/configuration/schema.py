"""Values against the schema in which a class says what its components need."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from domain.rendering.parameters import faults

_WRITTEN = frozenset({"integer", "number", "boolean", "array", "object", "null"})


def with_schema_defaults(schema: Mapping[str, Any]) -> dict[str, str]:
    """Returns key -> value, as text, of what the schema gives by default."""
    return {
        key: _text(part["default"])
        for key, part in (schema.get("properties") or {}).items()
        if isinstance(part, Mapping) and "default" in part
    }


def schema_faults(
    schema: Mapping[str, Any], values: Mapping[str, str], kept: frozenset[str]
) -> Iterator[tuple[str, str]]:
    """Yields (key, what is wrong) for each value that the schema does not allow.

    Args:
        schema: JSON schema of an object; empty allows everything.
        values: Key -> value as text.
        kept: Keys whose values are kept in Vault: that they are there is all that is known.
    """
    if not schema:
        return
    properties = schema.get("properties") or {}
    missing = [key for key in schema.get("required") or () if key not in values and key not in kept]
    for key in missing:
        yield key, "has no value"
    if schema.get("additionalProperties", True) is False:
        for key in sorted((set(values) | kept) - set(properties)):
            known = ", ".join(sorted(properties)) or "none"
            yield key, f"is no key of the class: it has {known}"
    typed: dict[str, Any] = {}
    for key, text in values.items():
        part = properties.get(key)
        value, problem = _typed(text, part if isinstance(part, Mapping) else {})
        if problem:
            yield key, problem
        else:
            typed[key] = value
    judged = {key: part for key, part in schema.items() if key not in _JUDGED_HERE}
    for path, message in faults(judged, typed):
        yield str(path[0]) if path else "", message


_JUDGED_HERE = frozenset({"required", "additionalProperties"})


def _typed(text: str, part: Mapping[str, Any]) -> tuple[Any, str]:
    """Returns a text as the type that the schema wants, and why it is none."""
    wanted = part.get("type", "string")
    kinds = {wanted} if isinstance(wanted, str) else set(wanted)
    if not kinds & _WRITTEN:
        return text, ""
    try:
        return json.loads(text), ""
    except ValueError:
        if "string" in kinds:
            return text, ""
        return None, f"is not of type {' or '.join(sorted(kinds))}"


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, separators=(",", ":"))
