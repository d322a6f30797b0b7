"""Who may call a component, and whom it calls: Endpoint and Connection."""

from __future__ import annotations

import re
from ipaddress import ip_network
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.endpoint_policy import EndpointPolicy
from domain.resources.model import Model, Rule
from domain.resources.types import (
    DnsNameOrEmpty,
    Name,
    NameOrEmpty,
    Visibility,
    exactly_one,
    list_by,
)
from domain.resources.workload import EndpointType

EndpointName = Annotated[str, Field(max_length=15, pattern=r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?)?$")]


class BackendReference(Model):
    """Where the requests to an endpoint go."""

    component_ref: Name
    """Component that answers."""
    endpoint: EndpointName = ""
    """Endpoint of its Workload. Empty = the first one."""


class SchemaFile(Model):
    """What callers of an endpoint have to know: its interface in the language of its protocol."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one("a schema is given by exactly one of content and path", "content", "path"),
    )

    type: Literal["OpenAPI", "Protobuf", "GraphQL", "AsyncAPI"]
    """Language it is written in."""
    content: str = Field("", max_length=65536)
    """The file itself. Empty = it lies in a repository, see path."""
    path: str = Field("", max_length=512, pattern=r"^([A-Za-z0-9._][A-Za-z0-9._/+@ -]*)?$")
    """File in the repository of the component, at the commit that runs. Empty = see content."""


class OwnHost(Model):
    """A host name under which a public endpoint answers besides the one it has by itself."""

    environment_ref: Name
    """Environment in which it answers there."""
    host: DnsNameOrEmpty = Field(min_length=1)
    """Host name, such as www.example.org. It lies in a domain of the Organization (hostDomains)."""


class EndpointSpec(Model):
    """An interface of a component and who may call it."""

    backend_ref: BackendReference
    """Where the requests go."""
    visibility: Visibility = "project"
    """Who may call it: components of the project, of the organization, or everybody (public)."""
    protocols: tuple[EndpointType, ...] = Field(
        (EndpointType.HTTP,),
        min_length=1,
        max_length=7,
        json_schema_extra={"x-kubernetes-list-type": "set"},
    )
    """What it speaks: HTTP, gRPC, GraphQL, WebSocket, TCP, TLS or UDP."""
    gateway: EndpointPolicy = EndpointPolicy()
    """What the gateway does with the requests of everybody. Needs a public endpoint that speaks
    HTTP, GraphQL or WebSocket. Empty = it passes them on."""
    hosts: tuple[OwnHost, ...] = Field((), max_length=16, json_schema_extra=list_by("host"))
    """Host names of its own. Empty = the one that Pavane makes."""
    schema_file: SchemaFile | None = None
    """The interface for those who call it. It changes nothing that runs. Absent = not said."""


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


def _is_range(text: str) -> bool:
    try:
        return str(ip_network(text)) == text.lower()
    except ValueError:
        return False


class ConnectionTarget(Model):
    """What a component calls."""

    rules: ClassVar[tuple[Rule, ...]] = (
        exactly_one(
            "a connection leads to exactly one of componentRef, host, cidr and system",
            "component_ref",
            "host",
            "cidr",
            "system",
        ),
        Rule(
            "!has(self.cidr) || self.cidr == '' || (isCIDR(self.cidr) && "
            "cidr(self.cidr).masked() == cidr(self.cidr))",
            "cidr is no range of addresses, such as 192.0.2.0/24",
            lambda target: not target.cidr or _is_range(target.cidr),
        ),
    )

    component_ref: NameOrEmpty = ""
    """Component of the organization. Empty = it lies outside, see `host`."""
    endpoint: EndpointName = ""
    """Endpoint of that component. Empty = its first one."""
    host: DnsNameOrEmpty = ""
    """Host name of a system outside. Empty = a component, see `componentRef`."""
    cidr: str = Field("", max_length=43, pattern=r"^([0-9a-fA-F.:]+/[0-9]{1,3})?$")
    """Addresses of a system outside, such as 192.0.2.0/24. Empty = a component or a host."""
    system: Literal["", "APIServer"] = ""
    """Part of the cluster: APIServer = its API server. It is let through only where it is declared
    so; what the component may do there is another matter. Empty = none."""
    port: int = Field(0, ge=0, le=65535)
    """Port of the host or the addresses. 0 = 443, of the API server also 6443. Of a component the
    endpoint's port is used."""


class ConnectionPolicy(Model):
    """How calls are made."""

    timeout_seconds: int = Field(0, ge=0, le=3600)
    """Longest a call may take. 0 = no limit."""
    retries: int = Field(0, ge=0, le=10)
    """How often a call that failed is tried again. 0 = never."""


class AllowedRequest(Model):
    """One sort of HTTP or gRPC request."""

    method: Literal["", "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"] = ""
    """Method. Empty = all. A gRPC call is a POST."""
    path: str = Field("", max_length=512, pattern=r"^(/[A-Za-z0-9._~/-]*)?$")
    """Path and what lies below it; of gRPC `/package.Service/Method`. Empty = all."""


class ConnectionSpec(Model):
    """A dependency of a component."""

    component_ref: Name
    """Component that calls."""
    target: ConnectionTarget
    """What it calls."""
    policy: ConnectionPolicy = ConnectionPolicy()
    """How calls are meant to be made. Nothing on the plane sees to it, and the condition Ready says
    so: what components call does not pass the gateway. Of what everybody calls through the gateway,
    spec.gateway of an Endpoint sets time limits, retries, limits of requests and circuit breaking.
    """
    authentication: Literal["", "Mutual"] = ""
    """Mutual = the component and the one it calls prove to each other who they are. A data plane
    whose policies cannot demand it refuses the connection (spec.network.ciliumVersion of the
    plane). Empty = it is not asked for."""
    variable_prefix: str = Field("", max_length=64, pattern=r"^([A-Z][A-Z0-9_]*)?$")
    """Begins the names of the environment variables with the address: `<prefix>_HOST`,
    `<prefix>_PORT`, and `<prefix>_URL` for HTTP. Empty = the name of the connection, as in
    ORDERS_DB for orders-db."""
    requests: tuple[AllowedRequest, ...] = Field((), max_length=32)
    """The only requests the component makes; others are stopped. Needs a data plane whose policies
    look into HTTP. Empty = every request."""


class ConnectionStatus(Status):
    """What is known of a connection."""

    target: str = Field("", max_length=512)
    """What it leads to: `component.endpoint`, or host and port. Empty = nowhere yet."""
    port: int = Field(0, ge=0, le=65535)
    """Port that is called. 0 = unknown yet."""


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
        Column("Endpoint", ".status.target", "What it leads to", wide=True),
        *READY_COLUMNS,
    )

    spec: ConnectionSpec
    status: ConnectionStatus = ConnectionStatus()

    @property
    def component(self) -> str:
        """Component that calls."""
        return self.spec.component_ref

    @property
    def variable_prefix(self) -> str:
        """What the names of its environment variables begin with."""
        return self.spec.variable_prefix or re.sub(r"[^A-Z0-9]", "_", self.name.upper())
