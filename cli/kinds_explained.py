"""Explains kinds and fields from the models themselves: type, default, bounds, meaning."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rich.markup import escape

from cli.console import out
from cli.errors import ExitCode, Problem
from cli.output import show_table
from domain.resources import KINDS, Resource
from domain.resources.crd import definition


@dataclass(frozen=True)
class Explained:
    """A kind or a field."""

    path: str
    type: str
    description: str
    fields: tuple[dict[str, str], ...]
    short_names: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Returns it as JSON has it."""
        return {
            "path": self.path,
            "type": self.type,
            "description": self.description,
            "shortNames": list(self.short_names),
            "rules": list(self.rules),
            "fields": list(self.fields),
        }


def explained(path: str) -> Explained:
    """Returns what is said about a kind or a field of it.

    Raises:
        Problem: There is no such kind or field; says which there are.
    """
    kind_name, *steps = path.split(".")
    model = _kind(kind_name)
    (version,) = definition(model)["spec"]["versions"]
    schema: dict[str, Any] = version["schema"]["openAPIV3Schema"]
    walked = model.kind
    for step in steps:
        below = schema.get("items", schema).get("properties") or {}
        if step not in below:
            known = ", ".join(sorted(below)) or "none"
            raise Problem(
                f"{walked} has no field {step}: there are {known}",
                title="No such field",
                code=ExitCode.NOT_FOUND,
            )
        schema, walked = below[step], f"{walked}.{step}"
    entry = schema.get("items", schema)
    required = set(entry.get("required") or ())
    return Explained(
        path=walked,
        type=_type(schema),
        description=schema.get("description") or entry.get("description", ""),
        fields=tuple(
            {
                "field": name,
                "type": _type(part),
                "default": _default(part, required=name in required),
                "meaning": part.get("description", ""),
            }
            for name, part in (entry.get("properties") or {}).items()
            if name not in {"apiVersion", "kind", "metadata"}
        ),
        short_names=model.short_names if not steps else (),
        rules=tuple(rule["message"] for rule in entry.get("x-kubernetes-validations") or ()),
    )


def show(found: Explained) -> None:
    """Writes it for people."""
    names = f"  [quiet]{', '.join(found.short_names)}[/quiet]" if found.short_names else ""
    out().print(f"[name]{found.path}[/name] [quiet]{found.type}[/quiet]{names}")
    if found.description:
        out().print(escape(found.description), soft_wrap=True)
    for rule in found.rules:
        out().print(f"[quiet]rule[/quiet] {escape(rule)}", soft_wrap=True)
    if found.fields:
        out().print()
        show_table(
            ["field", "type", "default", "meaning"],
            [[one["field"], one["type"], one["default"], one["meaning"]] for one in found.fields],
            empty="",
        )


def _kind(name: str) -> type[Resource]:
    wanted = name.lower()
    for model in KINDS.values():
        if wanted in {model.kind.lower(), model.plural, *model.short_names}:
            return model
    raise Problem(
        f"there is no kind {name}; the kinds are: {', '.join(sorted(KINDS))}",
        title="No such kind",
        code=ExitCode.NOT_FOUND,
    )


def _type(schema: dict[str, Any]) -> str:
    if schema.get("x-kubernetes-int-or-string"):
        return "quantity"
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema['items'])}"
    return str(schema.get("type", "object"))


def _default(schema: dict[str, Any], *, required: bool) -> str:
    if required:
        return "required"
    value = schema.get("default")
    if value in (None, {}, []):
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
