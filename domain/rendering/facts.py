"""What a release is rendered from, and what comes out."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.dependencies import Interfaces, offered
from domain.errors import InvalidRequest
from domain.gateways.hosts import HostRights
from domain.resources.binding import Binding, BindingState, EndpointAddress
from domain.resources.build import DeployableArtifact
from domain.resources.class_parts import HealthRule
from domain.resources.classes import (
    ComponentClass,
    RunningClassSpec,
    ScheduledTaskClassSpec,
)
from domain.resources.component import Component
from domain.resources.configuration import ConfigurationGroup
from domain.resources.environment import Environment
from domain.resources.instances import API, Instance
from domain.resources.planes import DataPlane
from domain.resources.workload import Workload, WorkloadEndpoint

DEFAULT_DEADLINE_SECONDS = 600


class GatewayDefaults(BaseModel):
    """The installation's own gateway, used where a data plane names none."""

    model_config = ConfigDict(frozen=True)

    name: str = "pavane"
    namespace: str = "pavane-system"
    domain: str = "localhost"
    port: int = 80
    """Port at which people reach it; shown in URLs."""


class Entrance(BaseModel):
    """Where the traffic of an environment enters, all defaults filled in."""

    model_config = ConfigDict(frozen=True)

    name: str
    namespace: str
    section_name: str = ""
    domain: str
    scheme: Literal["http", "https"]
    port: int


class GroupUse(BaseModel):
    """A configuration group that a component uses."""

    model_config = ConfigDict(frozen=True)

    level: Literal["organization", "project", "component"]
    """Where it is named; the later level goes before the earlier one."""
    group: ConfigurationGroup
    """As it was in the revision that is rendered with."""


class ReleaseFacts(BaseModel):
    """Everything that decides the objects of one component in one environment."""

    model_config = ConfigDict(frozen=True)

    component: Component
    environment: Environment
    data_plane: DataPlane
    component_class: ComponentClass
    """As it was in the revision that is rendered with."""
    workload: Workload
    binding: Binding
    artifact: DeployableArtifact | None = None
    """None = the containers of the workload name their own images."""
    instance: Instance | None = None
    """None = the component has none: what the type needs is as by default."""
    interfaces: Interfaces = Interfaces()
    """What Endpoints and Connections say about it."""
    hosts: HostRights = HostRights()
    """What decides about host names that its Endpoints choose."""
    gateway: GatewayDefaults = GatewayDefaults()
    configuration: tuple[GroupUse, ...] = ()
    """Groups it uses, in the order in which they are laid over each other."""
    files_image: str = ""
    """Image that holds the files of a static application; empty for everything else."""

    @property
    def organization(self) -> str:
        """The tenant."""
        return self.binding.organization

    @property
    def project(self) -> str:
        """The project of the component."""
        return self.component.project

    @property
    def namespace(self) -> str:
        """Namespace on the plane."""
        return ids.namespace(self.organization, self.project, self.environment.name)

    @property
    def state(self) -> BindingState:
        """What is wanted."""
        return self.binding.wanted_state

    @property
    def is_task(self) -> bool:
        """Tells whether it runs by a timetable and ends."""
        return isinstance(self.component_class.spec, ScheduledTaskClassSpec)

    @property
    def path_prefix(self) -> str:
        """What stands before the paths of public endpoints: the version of an API."""
        return f"/{self.instance.spec.version}" if isinstance(self.instance, API) else ""

    @property
    def class_said(self) -> str:
        """Kind and name of the class, for messages."""
        return f"{self.component_class.kind} {self.component_class.name}"

    @property
    def running_class(self) -> RunningClassSpec:
        """What the class says of a component that always runs."""
        spec = self.component_class.spec
        if not isinstance(spec, RunningClassSpec):
            raise InvalidRequest(f"{self.class_said} is no class of components that always run")
        return spec

    @property
    def endpoints(self) -> tuple[WorkloadEndpoint, ...]:
        """Where the component listens, by name; a task answers nobody."""
        if self.is_task:
            return ()
        found = offered(self.workload, self.interfaces.endpoints)
        return tuple(sorted(found, key=lambda endpoint: endpoint.name))

    @property
    def public_endpoints(self) -> tuple[WorkloadEndpoint, ...]:
        """The endpoints that everybody may call, by name."""
        return tuple(each for each in self.endpoints if each.visibility == "public")

    @property
    def entrance(self) -> Entrance:
        """Where public traffic of the environment enters."""
        own = self.data_plane.spec.gateway
        return Entrance(
            name=own.name or self.gateway.name,
            namespace=own.namespace or self.gateway.namespace,
            section_name=own.section_name,
            domain=own.domain or self.gateway.domain,
            scheme=own.scheme,
            port=own.port or self.gateway.port,
        )


class RenderedRelease(BaseModel):
    """The exact objects of one component in one environment."""

    model_config = ConfigDict(frozen=True)

    name: str
    """Content name: equal objects have equal names."""
    hash: str
    """SHA-256 of the objects as canonical JSON."""
    namespace: str
    objects: tuple[dict[str, Any], ...]
    """In the order in which they are applied; empty when the binding is to be undeployed."""
    image: str = ""
    """Image of the component's own container; empty when nothing runs."""
    url: str = ""
    """Where the component answers; empty without a public endpoint."""
    endpoints: tuple[EndpointAddress, ...] = ()
    """Where each endpoint is reached."""
    replicas: int = 0
    """How many pods run at least; 0 for a task."""
    health: tuple[HealthRule, ...] = ()
    """How it is told whether objects are well that have no conditions."""
    notes: tuple[str, ...] = ()
    """What the plane's network policies cannot say, and what they say instead."""
    progress_deadline_seconds: int = DEFAULT_DEADLINE_SECONDS
    """How long the rollout may go without progress."""
