"""Types of fields that many kinds share, with the bounds that the API server enforces."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field
from pydantic.alias_generators import to_camel

from domain.durations import DURATION_PATTERN
from domain.resources.model import Model, Rule

NAME_PATTERN = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
QUANTITY_PATTERN = r"^[0-9]+(\.[0-9]{1,3})?(m|k|Ki|M|Mi|G|Gi|T|Ti)?$"

Name = Annotated[str, Field(min_length=1, max_length=63, pattern=NAME_PATTERN)]
"""A DNS label."""
NameOrEmpty = Annotated[str, Field(max_length=63, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$")]
DnsNameOrEmpty = Annotated[
    str,
    Field(
        max_length=253,
        pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)?$",
    ),
]
Text = Annotated[str, Field(max_length=1024)]
"""Words for people."""
Duration = Annotated[str, Field(max_length=24, pattern=DURATION_PATTERN)]
"""Such as ``90s``, ``2h30m`` or ``14d``; read by ``domain.durations``. Empty = not said."""
Group = Annotated[str, Field(min_length=1, max_length=256, pattern=r"^\S+$")]
"""A group as the identity provider names it."""
CommitOrEmpty = Annotated[str, Field(max_length=64, pattern=r"^([0-9a-f]{40}|[0-9a-f]{64})?$")]
DigestImage = Annotated[
    str, Field(max_length=512, pattern=r"^[a-z0-9][^@\s]*@sha256:[0-9a-f]{64}$")
]
"""An image by digest; a tag may be there as well but decides nothing."""
ImageOrEmpty = Annotated[str, Field(max_length=512, pattern=r"^\S*$")]
DigestOrEmpty = Annotated[str, Field(max_length=71, pattern=r"^(sha256:[0-9a-f]{64})?$")]
GitRefOrEmpty = Annotated[
    str, Field(max_length=200, pattern=r"^([A-Za-z0-9_][A-Za-z0-9._/+@#-]*)?$")
]
"""The name of a branch or tag; never with a hyphen first, so it is never taken for an option."""
TaskQueueOrEmpty = Annotated[
    str, Field(max_length=200, pattern=r"^([A-Za-z0-9]([-A-Za-z0-9._]*[A-Za-z0-9])?)?$")
]
FolderPath = Annotated[str, Field(max_length=512, pattern=r"^[A-Za-z0-9._][A-Za-z0-9._/+@ -]*$")]
"""A path inside a repository."""
Port = Annotated[int, Field(ge=1, le=65535)]

PRESERVE: dict[str, Any] = {"x-kubernetes-preserve-unknown-fields": True}
NULL_IS_EMPTY: dict[str, Any] = {"default-when-null": {}}
"""Marks a field that may be left without a value, as in ``workload:`` with nothing below."""
Fragment = Annotated[dict[str, Any], Field(json_schema_extra=PRESERVE)]
"""Part of a Kubernetes object, kept exactly as it is."""


def _as_text(value: object) -> object:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Quantity = Annotated[
    str,
    Field(
        max_length=32,
        pattern=QUANTITY_PATTERN,
        json_schema_extra={"x-kubernetes-int-or-string": True},
    ),
    BeforeValidator(_as_text),
]
"""An amount as Kubernetes writes it: ``250m``, ``1``, ``256Mi``."""

Visibility = Literal["project", "organization", "public"]


def list_by(key: str) -> dict[str, Any]:
    """Marks a list as one whose entries are told apart by a field."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": [key]}


def _filled(field: str) -> str:
    return f"(has(self.{field}) && self.{field} != '')"


def exactly_one(message: str, *fields: str) -> Rule:
    """A rule: of some text fields exactly one is filled."""
    filled = ", ".join(_filled(to_camel(field)) for field in fields)
    return Rule(
        f"[{filled}].exists_one(filled, filled)",
        message,
        lambda model: sum(bool(getattr(model, field)) for field in fields) == 1,
    )


def immutable(message: str) -> Rule:
    """A rule: nothing changes after creation."""
    return Rule("self == oldSelf", message)


class EnvVar(Model):
    """One environment variable of a container. Never a secret: its value can be read here."""

    name: str = Field(min_length=1, max_length=128, pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")
    """Name of the variable."""
    value: str = Field("", max_length=8192)
    """Its value. Empty = the variable is set to nothing."""


class ResourceAmounts(Model):
    """Amounts of what a container computes with."""

    cpu: Quantity = ""
    """Processor time, such as 250m or 1. Empty = what the class says."""
    memory: Quantity = ""
    """Memory, such as 256Mi. Empty = what the class says."""


class ResourceNeeds(Model):
    """What a container is given and what it may not exceed."""

    requests: ResourceAmounts = ResourceAmounts()
    """What is set aside for it."""
    limits: ResourceAmounts = ResourceAmounts()
    """What it may not exceed."""
