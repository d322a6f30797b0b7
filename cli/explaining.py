"""Describes the settings of the platform out of their own models, so nothing is told twice."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic.fields import FieldInfo

from cli.console import out
from cli.errors import ExitCode, Problem
from settings import Settings, load

_PREFIX = "PAVANE_"


@dataclass(frozen=True)
class Setting:
    """One setting as people need to know it."""

    area: str
    variable: str
    type: str
    default: str
    value: str
    source: str
    description: str

    def as_dict(self) -> dict[str, str]:
        """Returns it for JSON and YAML."""
        return asdict(self)


def explained() -> Iterator[Setting]:
    """Yields every setting in the order of the models.

    Raises:
        Problem: A value is not what its description asks for.
    """
    try:
        current = load()
    except ValidationError as error:
        faults = {
            f"{_PREFIX}{'__'.join(str(p) for p in one['loc']).upper()}": str(one["msg"])
            for one in error.errors(include_input=False)
        }
        raise Problem(
            "the settings are not valid", title="Bad settings", facts=faults, code=ExitCode.USAGE
        ) from error
    filed = _file()
    for area, field in Settings.model_fields.items():
        values, model = getattr(current, area), field.annotation
        if not (isinstance(model, type) and issubclass(model, BaseModel)):
            continue
        for name, part in model.model_fields.items():
            yield _setting(area, name, part, getattr(values, name), filed)


def _setting(
    area: str, name: str, field: FieldInfo, value: object, filed: dict[str, Any]
) -> Setting:
    variable = f"{_PREFIX}{area.upper()}__{name.upper()}"
    source = "default"
    if _in_environment(variable, area):
        source = "environment"
    elif name in (filed.get(area) or {}):
        source = str(os.environ.get("PAVANE_CONFIG"))
    return Setting(
        area=area,
        variable=variable,
        type=_type(field.annotation),
        default=_words(field.get_default(call_default_factory=True)),
        value=_words(value),
        source=source,
        description=field.description or "",
    )


def _in_environment(variable: str, area: str) -> bool:
    """Settings are read whatever the case; an area may also be given as one JSON object."""
    given = {name.upper() for name in os.environ}
    return variable in given or f"{_PREFIX}{area.upper()}" in given


def _file() -> dict[str, Any]:
    path = os.environ.get("PAVANE_CONFIG")
    if not path:
        return {}
    with open(path, encoding="utf-8") as file:  # noqa: PTH123 - as the settings read it
        content = yaml.safe_load(file)
    return content if isinstance(content, dict) else {}


def _type(annotation: Any) -> str:
    origin, parts = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return " | ".join(str(part) for part in parts)
    if origin in {Union, UnionType}:
        return " | ".join(_type(part) for part in parts if part is not type(None))
    if origin in {tuple, list}:
        return f"list of {_type(parts[0])}"
    names = {"timedelta": "duration", "str": "text", "bool": "true | false", "Path": "path"}
    name = getattr(annotation, "__name__", str(annotation))
    return names.get(name, name)


def _words(value: object) -> str:
    match value:
        case None | "":
            return "-"
        case SecretStr():
            return "(secret)"
        case bool():
            return str(value).lower()
        case tuple() | list():
            return ", ".join(str(one) for one in value)
        case _:
            return str(value)


def show(settings: Iterable[Setting]) -> None:
    """Writes the settings by area, changed ones marked."""
    console, area = out(), ""
    for one in settings:
        if one.area != area:
            area = one.area
            console.print(f"\n[name]{area}[/name]")
        mark = "[good]●[/good]" if one.source != "default" else " "
        console.print(f"{mark} [busy]{one.variable}[/busy]  [quiet]{one.type}[/quiet]")
        console.print(f"    {one.description}", markup=False, soft_wrap=True)
        default = "" if one.source == "default" else f"   default {one.default}"
        console.print(
            f"    {one.value}   ({one.source}){default}",
            markup=False,
            soft_wrap=True,
            style="quiet",
        )
    console.print("\n[quiet]● set by the environment or the file PAVANE_CONFIG[/quiet]")
