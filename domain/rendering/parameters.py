"""The parameters of a class: what component and binding set, checked, defaults filled in."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.merge import merged

_SHOWN = 200


def parameters(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns the values: defaults, then those of the component, then those of the binding.

    Raises:
        InvalidRequest: A value is not as the class's schema wants it; the message names the
            parameter and who set it.
    """
    schema = facts.component_class.spec.parameters
    of_component, of_binding = facts.component.spec.parameters, facts.binding.spec.parameters
    if not schema and not of_component and not of_binding:
        return {}
    known = schema.get("properties") or {}
    for where, values in (
        (f"Component {facts.component.name}", of_component),
        (f"{facts.binding.kind} {facts.binding.name}", of_binding),
    ):
        unknown = sorted(set(values) - set(known)) if not _is_open(schema) else []
        if unknown:
            offered = f"it has {', '.join(sorted(known))}" if known else "it has none"
            raise InvalidRequest(
                f"{where}: spec.parameters.{unknown[0]} is no parameter of {facts.class_said}: "
                f"{offered}"
            )
    values = with_defaults(schema, merged(of_component, of_binding))
    fault = _fault(schema, values)
    if fault:
        named = fault.partition(":")[0].removeprefix(".").partition(".")[0].partition("[")[0]
        who = facts.binding if named in of_binding else facts.component
        raise InvalidRequest(
            f"{who.kind} {who.name}: spec.parameters{fault} (schema of {facts.class_said})"
        )
    return values


def schema_problem(schema: Mapping[str, Any]) -> str:
    """Returns why this is no JSON schema of an object, empty when it is one."""
    if not schema:
        return ""
    if schema.get("type", "object") != "object":
        return ": it must be the schema of an object: type: object with properties"
    foreign = next(_foreign_references(schema), "")
    if foreign:
        return f": $ref {foreign!r} leads outside of the schema"
    import jsonschema  # noqa: PLC0415 - only classes with parameters need it

    try:
        jsonschema.Draft202012Validator.check_schema(dict(schema))
    except jsonschema.SchemaError as error:
        place = "".join(f".{step}" for step in error.absolute_path)
        return f"{place}: {error.message[:_SHOWN]}"
    fault = _fault(schema, with_defaults(schema, {}), required=False)
    return f": a default does not fit its own schema: {fault.lstrip('.: ')}" if fault else ""


def with_defaults(schema: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values with what the schema gives by default, in objects within as well."""
    result = dict(values)
    for name, part in (schema.get("properties") or {}).items():
        if not isinstance(part, Mapping):
            continue
        if name not in result and "default" in part:
            result[name] = part["default"]
        if part.get("properties") and isinstance(result.get(name, {}), Mapping):
            inner = with_defaults(part, result.get(name, {}))
            if inner or name in result:
                result[name] = inner
    return result


def _is_open(schema: Mapping[str, Any]) -> bool:
    return bool(schema) and schema.get("additionalProperties", False) is not False


def _fault(schema: Mapping[str, Any], values: Mapping[str, Any], *, required: bool = True) -> str:
    """Returns the first fault as ``.path: words``, empty without one."""
    for error in _errors(schema, values):
        if error.validator == "required" and not required:
            continue
        steps = "".join(
            f"[{step}]" if isinstance(step, int) else f".{step}" for step in error.absolute_path
        )
        return f"{steps}: {error.message[:_SHOWN]}"
    return ""


def faults(schema: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    """Yields path and what is wrong of each value that is not as the schema wants it.

    Says what is wanted and never what there is instead.
    """
    for error in _errors(schema, values):
        wanted = json.dumps(error.validator_value, ensure_ascii=False)[:_SHOWN]
        yield (
            tuple(error.absolute_path),
            f"is not as the class wants it: {error.validator} {wanted}",
        )


def _errors(schema: Mapping[str, Any], values: Mapping[str, Any]) -> list[Any]:
    found = _validator(json.dumps(schema, sort_keys=True)).iter_errors(values)
    return sorted(found, key=lambda one: list(map(str, one.path)))


@lru_cache(maxsize=256)
def _validator(schema: str) -> Any:
    import jsonschema  # noqa: PLC0415 - only classes with parameters need it
    import referencing  # noqa: PLC0415 - as above

    # A registry of its own: a reference to another address is an error and never a request.
    return jsonschema.Draft202012Validator(json.loads(schema), registry=referencing.Registry())


def _foreign_references(part: Any) -> Iterator[str]:
    if isinstance(part, Mapping):
        reference = part.get("$ref")
        if isinstance(reference, str) and not reference.startswith("#"):
            yield reference
        for each in part.values():
            yield from _foreign_references(each)
    elif isinstance(part, list):
        for each in part:
            yield from _foreign_references(each)
