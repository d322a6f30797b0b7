"""All kinds by name, and the one way to read a resource from Kubernetes' JSON."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeVar

from pydantic import ValidationError

from domain.errors import InvalidRequest
from domain.resources.base import API_VERSION, Resource
from domain.resources.build import Build, DeployableArtifact
from domain.resources.classes import ClassRevision
from domain.resources.component import Component, Project
from domain.resources.configuration import (
    ConfigurationGroup,
    ConfigurationRevision,
)
from domain.resources.deployment import Deployment, Release
from domain.resources.environment import Environment
from domain.resources.families import BINDINGS, CLASSES, INSTANCES
from domain.resources.freeze import FreezeWindow
from domain.resources.interfaces import Connection, Endpoint
from domain.resources.observability import ObservabilityPlane
from domain.resources.organization import Organization
from domain.resources.pipeline import DeploymentPipeline
from domain.resources.planes import BuildPlane, DataPlane
from domain.resources.rotation import SecretRotation
from domain.resources.workload import Workload

R = TypeVar("R", bound=Resource)

_ALL: tuple[type[Resource], ...] = (
    Organization,
    DataPlane,
    BuildPlane,
    ObservabilityPlane,
    Environment,
    DeploymentPipeline,
    *CLASSES,
    ClassRevision,
    FreezeWindow,
    Project,
    ConfigurationGroup,
    ConfigurationRevision,
    SecretRotation,
    Component,
    Workload,
    *INSTANCES,
    Endpoint,
    Connection,
    Build,
    DeployableArtifact,
    *BINDINGS,
    Deployment,
    Release,
)

KINDS: Mapping[str, type[Resource]] = MappingProxyType({one.kind: one for one in _ALL})
"""Kind -> class, in the order in which resources are best applied."""


def parse(content: Mapping[str, Any]) -> Resource:
    """Reads a resource.

    Raises:
        InvalidRequest: It is of no known kind, or a field is wrong; names kind, name and field,
            never a value.
    """
    kind = str(content.get("kind", ""))
    if content.get("apiVersion") != API_VERSION or kind not in KINDS:
        known = ", ".join(KINDS)
        raise InvalidRequest(
            f"{content.get('apiVersion', 'no apiVersion')} {kind or 'without kind'} is not a "
            f"resource of Pavane: apiVersion must be {API_VERSION} and kind one of {known}"
        )
    return parse_as(KINDS[kind], content)


def parse_as(model: type[R], content: Mapping[str, Any]) -> R:
    """Reads a resource whose kind is known already.

    Raises:
        InvalidRequest: It is of another kind, or a field is wrong.
    """
    if content.get("kind", model.kind) != model.kind:
        raise InvalidRequest(f"expected {model.kind}, got {content.get('kind')}")
    parts = {key: value for key, value in content.items() if key not in {"apiVersion", "kind"}}
    present = {key: value for key, value in parts.items() if value is not None}
    try:
        return model.model_validate(present, by_alias=True, by_name=False)
    except ValidationError as error:
        raise InvalidRequest(_described(model.kind, content, error)) from None


def _described(kind: str, content: Mapping[str, Any], error: ValidationError) -> str:
    metadata = content.get("metadata")
    name = metadata.get("name", "") if isinstance(metadata, Mapping) else ""
    faults = "; ".join(
        f"{_path(one['loc'])}: {_sentence(one['type'], one['msg'])}"
        for one in error.errors(include_url=False, include_input=False, include_context=False)
    )
    return f"{kind} {name or '(without name)'}: {faults}"


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}"
    return path.removeprefix(".") or "resource"


def _sentence(fault: str, message: str) -> str:
    if fault == "extra_forbidden":
        return "unknown field"
    if fault == "missing":
        return "is required"
    return message.removeprefix("Value error, ").removeprefix("Input ")
