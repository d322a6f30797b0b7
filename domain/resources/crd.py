"""Makes a CustomResourceDefinition from the model of a kind.

The schema of pydantic is brought into the structural form Kubernetes demands: no references, no
alternatives, no defaults in the status.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from domain.resources.base import GROUP, VERSION, Column, Resource
from domain.resources.docs import one_line
from domain.resources.types import NAME_PATTERN

Schema = dict[str, Any]

_KEPT = frozenset(
    {
        "default",
        "description",
        "enum",
        "format",
        "maxItems",
        "maxLength",
        "maximum",
        "maxProperties",
        "minItems",
        "minLength",
        "minimum",
        "pattern",
        "required",
        "type",
    }
)
_AGE = Column("Age", ".metadata.creationTimestamp", "Time since it was created", type="date")


def definition(kind: type[Resource]) -> dict[str, Any]:
    """Returns the CustomResourceDefinition of a kind. Equal models give equal definitions."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{GROUP}"},
        "spec": {
            "group": GROUP,
            "names": {
                "categories": ["pavane"],
                "kind": kind.kind,
                "listKind": f"{kind.kind}List",
                "plural": kind.plural,
                "shortNames": list(kind.short_names),
                "singular": kind.kind.lower(),
            },
            "scope": kind.scope,
            "versions": [
                {
                    "name": VERSION,
                    "served": True,
                    "storage": True,
                    "additionalPrinterColumns": _columns(kind),
                    "schema": {"openAPIV3Schema": _schema(kind)},
                    "subresources": {"status": {}},
                }
            ],
        },
    }


def _columns(kind: type[Resource]) -> list[Schema]:
    narrow = [column for column in kind.columns if not column.wide]
    wide = [column for column in kind.columns if column.wide]
    return [_column(column) for column in (*narrow, _AGE, *wide)]


def _column(column: Column) -> Schema:
    return {
        "name": column.name,
        "type": column.type,
        "jsonPath": column.path,
        "description": column.description,
        **({"priority": 1} if column.wide else {}),
    }


def _schema(kind: type[Resource]) -> Schema:
    spec_field = kind.model_fields["spec"]
    spec = _structural(spec_field.annotation)
    if not spec_field.is_required():
        spec["default"] = {}
    return {
        "type": "object",
        "description": one_line(kind.__doc__ or ""),
        **({"required": ["spec"]} if spec_field.is_required() else {}),
        "properties": {
            "apiVersion": {"type": "string", "description": f"{GROUP}/{VERSION}."},
            "kind": {"type": "string", "description": f"{kind.kind}."},
            "metadata": {
                "type": "object",
                "properties": {
                    "name": {"type": "string", "maxLength": 63, "pattern": NAME_PATTERN}
                },
            },
            "spec": spec,
            "status": _without_defaults(_structural(kind.model_fields["status"].annotation)),
        },
    }


def _structural(model: Any) -> Schema:
    source = model.model_json_schema(by_alias=True, mode="validation")
    schema = _converted(source, source.get("$defs", {}))
    schema.pop("default", None)
    return schema


def _converted(source: Mapping[str, Any], definitions: Mapping[str, Any]) -> Schema:
    flat = _flat(source, definitions)
    extensions = {key: value for key, value in flat.items() if key.startswith("x-kubernetes-")}
    schema = {key: value for key, value in flat.items() if key in _KEPT} | extensions
    if "properties" in flat:
        schema["properties"] = {
            name: _converted(part, definitions) for name, part in flat["properties"].items()
        }
    if "items" in flat:
        schema["items"] = _converted(flat["items"], definitions)
    if isinstance(flat.get("additionalProperties"), dict):
        schema["additionalProperties"] = _converted(flat["additionalProperties"], definitions)
    if schema.get("x-kubernetes-int-or-string"):
        del schema["type"]
        schema["anyOf"] = [{"type": "integer"}, {"type": "string"}]
    _settle_default(schema, fallback=flat.get("default-when-null"))
    return schema


def _flat(source: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    """Returns a schema without its reference and without the alternative null."""
    flat = dict(source)
    if "anyOf" in flat:
        (only,) = (one for one in flat.pop("anyOf") if one.get("type") != "null")
        flat = {**_flat(only, definitions), **flat}
    if "$ref" in flat:
        target = definitions[flat.pop("$ref").rpartition("/")[2]]
        flat = {**_flat(target, definitions), **flat}
    return flat


def _settle_default(schema: Schema, *, fallback: object) -> None:
    """Keeps a default only where it says something: an empty field is an absent one."""
    if fallback is not None:
        schema["default"] = fallback
    elif schema.get("default") in (None, "", [], {}):
        schema.pop("default", None)


def _without_defaults(schema: Schema) -> Schema:
    bare = {key: value for key, value in schema.items() if key != "default"}
    if "properties" in bare:
        bare["properties"] = {
            name: _without_defaults(part) for name, part in bare["properties"].items()
        }
    if "items" in bare:
        bare["items"] = _without_defaults(bare["items"])
    return bare
