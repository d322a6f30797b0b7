"""Who may call a component, and whom it calls: Endpoint and Connection."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.model import Model, Rule
from domain.resources.types import (
    DnsNameOrEmpty,
    Name,
    NameOrEmpty,
    Visibility,
    exactly_one,
)
from domain.resources.workload import EndpointType

EndpointName = Annotated[str, Field(max_length=15, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$")]


class BackendReference(Model):
    """Where the requests to an endpoint go."""

    component_ref: Name
    """Component that answers."""
    endpoint: EndpointName = ""
    """Endpoint of its Workload. Empty = the first one."""


class EndpointSpec(Model):
    """An interface of a component and who may call it."""

    backend_ref: BackendReference
    """Where the requests go."""
    visibility: Visibility = "project"
    """Who may call it: components of the project, of the organization, or everybody (public)."""
    protocols: tuple[EndpointType, ...] = Field(
        (EndpointType.HTTP,),
        min_length=1,
        max_length=3,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    """What it speaks: HTTP, gRPC or TCP."""


class EndpointStatus(Status):
    """What is known of an endpoint."""


class Endpoint(Resource):
    """An interface of a component, apart from its workload."""

    kind: ClassVar[str] = "Endpoint"
    plural: ClassVar[str] = "endpoints"
    short_names: ClassVar[tuple[str, ...]] = ("chep", "cheps")
    written_by: ClassVar[WrittenBy] = "developer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Component", ".spec.backendRef.componentRef", "Component that answers"),
        Column("Visibility", ".spec.visibility", "Who may call it"),
        Column("Protocols", ".spec.protocols", "What it speaks"),
        *READY_COLUMNS,
    )

    spec: EndpointSpec
    status: EndpointStatus = EndpointStatus()


class ConnectionTarget(Model):
    """What a component calls."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "a connection leads to exactly one of componentRef and host", "component_ref", "host"
        ),
    )

    component_ref: NameOrEmpty = ""
    """Component of the organization. Empty = it lies outside, see `host`."""
    endpoint: EndpointName = ""
    """Endpoint of that component. Empty = its first one."""
    host: DnsNameOrEmpty = ""
    """Host name of a system outside. Empty = a component, see `componentRef`."""
    port: int = Field(0, ge=0, le=65535)
    """Port of the host. 0 = 443, or that of the endpoint."""


class ConnectionPolicy(Model):
    """How calls are made."""

    timeout_seconds: int = Field(0, ge=0, le=3600)
    """Longest a call may take. 0 = no limit."""
    retries: int = Field(0, ge=0, le=10)
    """How often a call that failed is tried again. 0 = never."""


class ConnectionSpec(Model):
    """A dependency of a component."""

    component_ref: Name
    """Component that calls."""
    target: ConnectionTarget
    """What it calls."""
    policy: ConnectionPolicy = ConnectionPolicy()
    """How calls are made."""


class ConnectionStatus(Status):
    """What is known of a connection."""


class Connection(Resource):
    """A dependency of a component on another one or on a system outside."""

    kind: ClassVar[str] = "Connection"
    plural: ClassVar[str] = "connections"
    short_names: ClassVar[tuple[str, ...]] = ("conn", "conns")
    written_by: ClassVar[WrittenBy] = "developer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Component", ".spec.componentRef", "Component that calls"),
        Column("Target", ".spec.target.componentRef", "Component that is called"),
        Column("Host", ".spec.target.host", "System outside that is called"),
        *READY_COLUMNS,
    )

    spec: ConnectionSpec
    status: ConnectionStatus = ConnectionStatus()

    @property
    def component(self) -> str:
        """Component that calls."""
        return self.spec.component_ref
