"""What everything inside a resource shares: naming of fields, rules, and what empty means.

A field that is empty (``""``, ``[]``, ``{}``, null) is the same as a field that is absent and is
never written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from domain.resources.docs import field_docs, one_line


@dataclass(frozen=True)
class Rule:
    """What a schema alone cannot say: told to the API server in CEL and checked here alike."""

    cel: str
    message: str
    holds: Callable[[Any], bool] | None = None
    """None for a rule about a change: only the API server sees the old value."""


class Model(BaseModel):
    """Base of everything inside a resource: camelCase outside, snake_case inside."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
    )

    rules: ClassVar[tuple[Rule, ...]] = ()

    @model_validator(mode="before")
    @classmethod
    def _null_is_absent(cls, value: object) -> object:
        if isinstance(value, dict):
            return {key: item for key, item in value.items() if item is not None}
        return value

    @model_validator(mode="after")
    def _rules_hold(self) -> Self:
        for rule in self.rules:
            if rule.holds is not None and not rule.holds(self):
                raise ValueError(rule.message)
        return self

    @model_serializer(mode="wrap")
    def _without_empty(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        return {
            key: value
            for key, value in handler(self).items()
            if value is not None and value not in ("", [], {}, ())
        }

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        schema = handler.resolve_ref_schema(handler(core_schema))
        schema["description"] = one_line(cls.__doc__ or "")
        docs = field_docs(cls)
        for name in docs.keys() & cls.model_fields.keys():
            alias = cls.model_fields[name].alias or name
            schema["properties"][alias]["description"] = docs[name]
        if cls.rules:
            schema["x-kubernetes-validations"] = [_validation(rule) for rule in cls.rules]
        return schema


def _validation(rule: Rule) -> dict[str, Any]:
    return {"rule": rule.cel, "message": rule.message}
