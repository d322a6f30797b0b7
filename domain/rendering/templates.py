"""Fills the templates of a class: ``${expression}`` becomes the value of a CEL expression.

A text that is one expression becomes its value, of whatever type; an expression inside a text
becomes a part of the text. ``$${`` is the text ``${`` itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from domain import expressions
from domain.errors import InvalidRequest
from domain.rendering.facts import ReleaseFacts
from domain.rendering.parameters import parameters, schema_problem
from domain.resources.classes import ComponentClass

TEMPLATES: dict[str, str] = {
    "deployment_template": "deploymentTemplate",
    "service_template": "serviceTemplate",
    "route_template": "routeTemplate",
    "task_template": "taskTemplate",
    "objects": "objects",
    "labels": "labels",
}
"""Fields of a class whose texts may hold expressions, with their names outside."""
_OPENING = "${"
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


def filled(facts: ReleaseFacts) -> ReleaseFacts:
    """Returns the facts with the templates of the class filled.

    Raises:
        InvalidRequest: A parameter is not as the class's schema wants it, or an expression has no
            value; the message names class, path and expression.
    """
    values = parameters(facts)
    changed: dict[str, Any] = {}
    variables: dict[str, Any] = {}
    for field, outside in TEMPLATES.items():
        template = getattr(facts.component_class.spec, field, None)
        if template and any(_OPENING in text for _, text in _texts(template, "")):
            variables = variables or _variables(facts, values)
            changed[field] = _filled(template, f"{facts.class_said}: spec.{outside}", variables)
    if not changed:
        return facts
    spec = facts.component_class.spec.model_copy(update=changed)
    return facts.model_copy(
        update={"component_class": facts.component_class.model_copy(update={"spec": spec})}
    )


def class_problems(component_class: ComponentClass) -> tuple[str, ...]:
    """Says what is wrong with a class whatever is rendered with it; empty when nothing is."""
    found = []
    schema = schema_problem(component_class.spec.parameters)
    if schema:
        found.append(f"spec.parameters{schema}")
    wanted = schema_problem(component_class.spec.configuration)
    if wanted:
        found.append(f"spec.configuration{wanted}")
    for field, outside in TEMPLATES.items():
        template = getattr(component_class.spec, field, None) or {}
        found += [
            f"{path}: expression {expression!r}: {fault}"
            for path, text in _texts(template, f"spec.{outside}")
            for expression, fault in _faults(text)
        ]
    for index, rule in enumerate(component_class.spec.health):
        for part in ("ready", "failed", "message"):
            expression = str(getattr(rule, part))
            fault = expressions.expression_problem(expression) if expression else ""
            if fault:
                found.append(f"spec.health[{index}].{part}: expression {expression!r}: {fault}")
    return tuple(found)


def parts(text: str) -> list[tuple[bool, str]]:
    """Takes a text apart: (is an expression, the text or expression).

    An expression ends at the brace that closes it; braces in its strings and maps are its own.

    Raises:
        InvalidRequest: An expression has no end.
    """
    found: list[tuple[bool, str]] = []
    plain, position = "", 0
    while position < len(text):
        if text.startswith("$${", position):
            plain, position = plain + _OPENING, position + 3
        elif text.startswith(_OPENING, position):
            end = _end(text, position + len(_OPENING))
            if plain:
                found.append((False, plain))
            found.append((True, text[position + len(_OPENING) : end].strip()))
            plain, position = "", end + 1
        else:
            plain, position = plain + text[position], position + 1
    return [*found, (False, plain)] if plain or not found else found


def _end(text: str, start: int) -> int:
    depth, quote, position = 1, "", start
    while position < len(text):
        character = text[position]
        if quote:
            if character == "\\":
                position += 1
            elif character == quote:
                quote = ""
        elif character in "'\"":
            quote = character
        elif character in "{}":
            depth += 1 if character == "{" else -1
            if depth == 0:
                return position
        position += 1
    raise InvalidRequest(f"expression {text[start:]!r} has no closing brace")


def _faults(text: str) -> Iterator[tuple[str, str]]:
    try:
        taken = parts(text)
    except InvalidRequest:
        yield text, "it has no closing brace"
        return
    for is_expression, expression in taken:
        fault = expressions.expression_problem(expression) if is_expression else ""
        if fault:
            yield expression, fault


def _filled(template: Any, path: str, variables: Mapping[str, Any]) -> Any:
    if isinstance(template, Mapping):
        return {key: _filled(part, _below(path, key), variables) for key, part in template.items()}
    if isinstance(template, list | tuple):
        return [_filled(part, f"{path}[{index}]", variables) for index, part in enumerate(template)]
    if isinstance(template, str) and _OPENING in template:
        return _text(template, path, variables)
    return template


def _text(template: str, path: str, variables: Mapping[str, Any]) -> Any:
    try:
        taken = parts(template)
    except InvalidRequest as error:
        raise InvalidRequest(f"{path}: {error.message}") from None
    if len(taken) == 1 and taken[0][0]:
        return _value(taken[0][1], path, variables)
    return "".join(
        _said(_value(part, path, variables)) if is_expression else part
        for is_expression, part in taken
    )


def _value(expression: str, path: str, variables: Mapping[str, Any]) -> Any:
    try:
        value = expressions.evaluate(expression, variables)
    except InvalidRequest as error:
        raise InvalidRequest(f"{path}: expression {expression!r}: {error.message}") from None
    if value is not None and not isinstance(value, str | int | float | bool | list | dict):
        raise InvalidRequest(
            f"{path}: expression {expression!r} gives a {type(value).__name__}: make it a text, "
            "a number, a truth value, a list or a map"
        )
    return value


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _variables(facts: ReleaseFacts, values: Mapping[str, Any]) -> dict[str, Any]:
    artifact = facts.artifact
    return {
        "parameters": dict(values),
        "component": {
            "name": facts.component.name,
            "project": facts.project,
            "organization": facts.organization,
            "type": facts.component.spec.component_type.value,
        },
        "environment": {
            "name": facts.environment.name,
            "isProduction": facts.environment.spec.is_production,
            "dnsPrefix": facts.environment.dns_prefix,
        },
        "binding": {"name": facts.binding.name, "namespace": facts.namespace},
        "artifact": {
            "image": artifact.spec.image if artifact else "",
            "commit": artifact.spec.commit if artifact else "",
            "version": artifact.version if artifact else "",
        },
        "endpoints": [
            {"name": one.name, "port": one.port, "visibility": one.visibility}
            for one in facts.endpoints
        ],
    }


def _texts(template: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(template, Mapping):
        for key, part in template.items():
            yield from _texts(part, _below(path, key))
    elif isinstance(template, list | tuple):
        for index, part in enumerate(template):
            yield from _texts(part, f"{path}[{index}]")
    elif isinstance(template, str):
        yield path, template


def _below(path: str, key: object) -> str:
    return f"{path}.{key}" if _NAME.fullmatch(str(key)) else f"{path}[{key}]"
