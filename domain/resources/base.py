"""What all kinds share: naming of fields, rules, metadata, reading and writing.

A field that is empty (``""``, ``[]``, ``{}``, null) is the same as a field that is absent, and is
never written: server-side apply then owns exactly what was meant.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic.alias_generators import to_camel
from pydantic_core import CoreSchema

from domain.resources.conditions import Condition
from domain.resources.docs import field_docs, one_line

GROUP = "choreo.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

WrittenBy = Literal["developer", "platform-engineer", "platform"]
Scope = Literal["Cluster", "Namespaced"]


@dataclass(frozen=True)
class Rule:
    """What a schema alone cannot say: told to the API server in CEL and checked here alike."""

    cel: str
    message: str
    holds: Callable[[Any], bool] | None = None
    """None for a rule about a change: only the API server sees the old value."""


@dataclass(frozen=True)
class Column:
    """One column of ``kubectl get``."""

    name: str
    path: str
    description: str
    type: Literal["string", "integer", "date"] = "string"
    wide: bool = False
    """True = shown with ``-o wide`` only."""


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
        for name, field in cls.model_fields.items():
            if name in docs:
                schema["properties"][field.alias or name]["description"] = docs[name]
        if cls.rules:
            schema["x-kubernetes-validations"] = [_validation(rule) for rule in cls.rules]
        return schema


def _validation(rule: Rule) -> dict[str, Any]:
    return {"rule": rule.cel, "message": rule.message}


class Status(Model):
    """Base of what the platform saw. Unknown fields of a newer platform are ignored."""

    model_config = ConfigDict(extra="ignore")

    observed_generation: int = Field(0, ge=0)
    """Generation of the resource that this status is about; behind it = not looked at yet."""
    conditions: tuple[Condition, ...] = Field(
        (),
        max_length=16,
        json_schema_extra={
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["type"],
        },
    )
    """What is true of it, and for what is not: what is waited for."""

    def condition(self, of_type: str) -> Condition | None:
        """Returns the condition of a type, or None when it was never set."""
        return next((one for one in self.conditions if one.type == of_type), None)


class OwnerReference(Model):
    """The object whose deletion takes this one with it."""

    model_config = ConfigDict(extra="ignore")

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool = False
    block_owner_deletion: bool = False


class Metadata(Model):
    """The part of a resource's metadata that Pavane reads and writes."""

    model_config = ConfigDict(extra="ignore")

    name: str
    namespace: str = ""
    uid: str = ""
    generation: int = 0
    """Counts changes of the spec; 0 before it was first written."""
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    labels: dict[str, str] = Field(default_factory=dict)
    annotations: dict[str, str] = Field(default_factory=dict)
    finalizers: tuple[str, ...] = ()
    owner_references: tuple[OwnerReference, ...] = ()


class Resource(BaseModel):
    """One object of a kind of ``choreo.dev/v1alpha1``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api_version: ClassVar[str] = API_VERSION
    kind: ClassVar[str]
    plural: ClassVar[str]
    scope: ClassVar[Scope] = "Namespaced"
    short_names: ClassVar[tuple[str, ...]] = ()
    written_by: ClassVar[WrittenBy]
    columns: ClassVar[tuple[Column, ...]] = ()

    metadata: Metadata

    @property
    def name(self) -> str:
        """Its name."""
        return self.metadata.name

    @property
    def namespace(self) -> str:
        """Its namespace; empty for kinds of the whole cluster."""
        return self.metadata.namespace

    @property
    def organization(self) -> str:
        """The organization it belongs to."""
        return self.metadata.namespace

    @property
    def is_deleted(self) -> bool:
        """Tells whether someone asked for its deletion."""
        return self.metadata.deletion_timestamp is not None

    @property
    def is_observed(self) -> bool:
        """Tells whether the status is about the present spec."""
        status: Status = self._part("status")
        return status.observed_generation >= self.metadata.generation

    def to_dict(self) -> dict[str, Any]:
        """Returns the whole resource as Kubernetes writes it, without empty values."""
        content = self.model_dump(mode="json", by_alias=True)
        filled = {key: value for key, value in content.items() if value != {}}
        return {"apiVersion": self.api_version, "kind": self.kind, **filled}

    def manifest(self) -> dict[str, Any]:
        """Returns what is applied to bring the resource about: all but the server's own parts."""
        whole = self.to_dict()
        keep = ("name", "namespace", "labels", "annotations", "finalizers", "ownerReferences")
        metadata = {key: whole["metadata"][key] for key in keep if key in whole["metadata"]}
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": metadata,
            "spec": whole.get("spec", {}),
        }

    def status_manifest(self) -> dict[str, Any]:
        """Returns what is applied to the status subresource."""
        identity = {"name": self.name, "namespace": self.namespace}
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": {key: value for key, value in identity.items() if value},
            "status": self.to_dict().get("status", {}),
        }

    def _part(self, name: str) -> Any:
        return getattr(self, name)
