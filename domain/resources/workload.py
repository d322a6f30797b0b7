"""What a component runs and where it listens, the same in all environments."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.model import Model, Rule
from domain.resources.overrides import MountedFile
from domain.resources.types import (
    EnvVar,
    ImageOrEmpty,
    Name,
    Port,
    ResourceNeeds,
    Visibility,
    list_by,
)

MAIN_CONTAINER = "main"

Argument = Annotated[str, Field(max_length=4096)]


class Probe(Model):
    """How the health of a container is told: HTTP with a path, a command, else a TCP connection."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!(has(self.path) && self.path != '' && has(self.command) && size(self.command) > 0)",
            "a probe has a path or a command, not both",
            lambda probe: not (probe.path and probe.command),
        ),
    )

    path: str = Field("", max_length=512, pattern=r"^(/\S*)?$")
    """Path of an HTTP GET that must answer 2xx or 3xx. Empty = no HTTP."""
    port: int = Field(0, ge=0, le=65535)
    """Port that is asked. 0 = that of the first endpoint."""
    command: tuple[Argument, ...] = Field((), max_length=32)
    """Command that must exit with 0. Empty = none."""
    initial_delay_seconds: int = Field(0, ge=0, le=3600)
    """Wait before the first try."""
    period_seconds: int = Field(5, ge=1, le=3600)
    """Time between tries."""
    timeout_seconds: int = Field(2, ge=1, le=300)
    """Longest a try may take."""
    failure_threshold: int = Field(3, ge=1, le=100)
    """Tries in a row that must fail before the container counts as failed."""


class Container(Model):
    """One container of a component."""

    name: Name = MAIN_CONTAINER
    """Its name. `main` is the component's own."""
    image: ImageOrEmpty = ""
    """Image. Empty = that of the artifact that is deployed."""
    command: tuple[Argument, ...] = Field((), max_length=64)
    """What is started. Empty = the image's entry point."""
    args: tuple[Argument, ...] = Field((), max_length=128)
    """Its arguments. Empty = the image's."""
    env: tuple[EnvVar, ...] = Field((), max_length=200, json_schema_extra=list_by("name"))
    """Environment variables."""
    resources: ResourceNeeds = ResourceNeeds()
    """What it is given. Empty = what the class says."""
    readiness: Probe | None = None
    """When it may get requests; replaces the probe of the class. Absent = what the class says."""
    liveness: Probe | None = None
    """When it must be restarted; replaces the probe of the class. Absent = what the class says."""


class EndpointType(StrEnum):
    """What an endpoint speaks."""

    HTTP = "HTTP"
    GRPC = "gRPC"
    GRAPHQL = "GraphQL"
    WEBSOCKET = "WebSocket"
    TCP = "TCP"
    TLS = "TLS"
    """TCP with TLS that the component ends itself: the gateway reads the host name only."""
    UDP = "UDP"

    @property
    def is_http(self) -> bool:
        """Tells whether calls are HTTP requests with paths that a route can look at."""
        return self in {EndpointType.HTTP, EndpointType.GRAPHQL, EndpointType.WEBSOCKET}

    @property
    def transport(self) -> str:
        """What it runs over, as Kubernetes says it."""
        return "UDP" if self is EndpointType.UDP else "TCP"


class WorkloadEndpoint(Model):
    """One port at which a component answers."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.type != 'UDP' || self.visibility != 'public'",
            "a UDP endpoint cannot be public: the gateway routes no UDP",
            lambda endpoint: (
                endpoint.type is not EndpointType.UDP or endpoint.visibility != "public"
            ),
        ),
    )

    name: str = Field(min_length=1, max_length=15, pattern=r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    """Its name; becomes the name of the container's port."""
    port: Port
    """Port the component listens on."""
    type: EndpointType = EndpointType.HTTP
    """What it speaks: HTTP, gRPC, GraphQL, WebSocket, TCP, TLS or UDP."""
    visibility: Visibility = "project"
    """Who may call it: components of the project, of the organization, or everybody (public)."""
    base_path: str = Field("/", max_length=256, pattern=r"^/[A-Za-z0-9._~/-]*$")
    """Path prefix at which a public endpoint answers that speaks HTTP, GraphQL or WebSocket."""


class WorkloadSpec(Model):
    """What a component runs and where it listens."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.componentRef == oldSelf.componentRef",
            "a workload stays with its component",
        ),
        Rule(
            "!has(self.endpoints) || self.endpoints.all(one, "
            "self.endpoints.exists_one(other, other.port == one.port))",
            "two endpoints cannot have the same port",
            lambda spec: len({one.port for one in spec.endpoints}) == len(spec.endpoints),
        ),
    )

    component_ref: Name
    """Component it belongs to."""
    containers: tuple[Container, ...] = Field(
        (Container(),), min_length=1, max_length=5, json_schema_extra=list_by("name")
    )
    """What runs. The container `main` is the component's own; without an image it runs that of
    the artifact."""
    endpoints: tuple[WorkloadEndpoint, ...] = Field(
        (), max_length=16, json_schema_extra=list_by("name")
    )
    """Where it listens. Empty = it answers nobody."""
    files: tuple[MountedFile, ...] = Field((), max_length=32, json_schema_extra=list_by("path"))
    """Files that the container `main` finds. Empty = none."""


class WorkloadStatus(Status):
    """What is known of a workload."""


class Workload(Resource):
    """What a component runs and where it listens, the same in all environments."""

    kind: ClassVar[str] = "Workload"
    plural: ClassVar[str] = "workloads"
    short_names: ClassVar[tuple[str, ...]] = ("wl", "wls")
    written_by: ClassVar[WrittenBy] = "developer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Component", ".spec.componentRef", "Component it belongs to"),
        Column("Port", ".spec.endpoints[*].port", "Where it listens"),
        Column("Visibility", ".spec.endpoints[*].visibility", "Who may call it"),
        *READY_COLUMNS,
    )

    spec: WorkloadSpec
    status: WorkloadStatus = WorkloadStatus()

    @property
    def component(self) -> str:
        """Component it belongs to."""
        return self.spec.component_ref

    @property
    def main(self) -> Container:
        """The component's own container: the one named ``main``, else the first."""
        named = (one for one in self.spec.containers if one.name == MAIN_CONTAINER)
        return next(named, self.spec.containers[0])
