"""What all kinds share: metadata, status, how they are shown and written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from domain.resources.conditions import Condition
from domain.resources.model import Model

GROUP = "choreo.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

WrittenBy = Literal["developer", "platform-engineer", "platform"]
Scope = Literal["Cluster", "Namespaced"]


@dataclass(frozen=True)
class Column:
    """One column of ``kubectl get``."""

    name: str
    path: str
    description: str
    type: Literal["string", "integer", "date"] = "string"
    wide: bool = False
    """True = shown with ``-o wide`` only."""


READY_COLUMNS = (
    Column("Ready", '.status.conditions[?(@.type=="Ready")].status', "Whether it is as wanted"),
    Column("Reason", '.status.conditions[?(@.type=="Ready")].reason', "Why, or why not"),
    Column(
        "Message",
        '.status.conditions[?(@.type=="Ready")].message',
        "What is waited for",
        wide=True,
    ),
)


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
        """Returns what is applied to bring the resource about.

        Only fields that were set are in it: with server-side apply the platform then owns what it
        means to decide, and never a default that a person may want to change.
        """
        content = self.model_dump(mode="json", by_alias=True, exclude_unset=True)
        keep = ("name", "namespace", "labels", "annotations", "finalizers", "ownerReferences")
        metadata = {key: content["metadata"][key] for key in keep if key in content["metadata"]}
        return {
            "apiVersion": self.api_version,
            "kind": self.kind,
            "metadata": metadata,
            "spec": content.get("spec", {}),
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
