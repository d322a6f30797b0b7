"""What is wanted of a component in one environment, and what runs there: the binding family.

All bindings are alike but for the class they name, so everything that works on them asks for a
``Binding`` and never for one of the four kinds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.build import OperationRef
from domain.resources.classes import (
    DEFAULT_API_CLASS,
    DEFAULT_SCHEDULED_TASK_CLASS,
    DEFAULT_SERVICE_CLASS,
    DEFAULT_WEB_APPLICATION_CLASS,
)
from domain.resources.configured import ConfigurationOverride, GivenRevision
from domain.resources.model import Model, Rule
from domain.resources.overrides import WorkloadOverrides
from domain.resources.types import (
    NULL_IS_EMPTY,
    Fragment,
    ImageOrEmpty,
    Name,
    NameOrEmpty,
    list_by,
)


class BindingState(StrEnum):
    """What is wanted of a component in an environment."""

    ACTIVE = "Active"
    SUSPEND = "Suspend"
    UNDEPLOY = "Undeploy"


class BindingSpec(Model):
    """What is wanted of a component in one environment, of whatever type it is."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.environmentRef == oldSelf.environmentRef",
            "a binding stays in its environment: create another one for the other environment",
        ),
        Rule(
            "!has(oldSelf.componentRef) || oldSelf.componentRef == '' || "
            "(has(self.componentRef) && self.componentRef == oldSelf.componentRef)",
            "a binding stays with its component: create another one for the other component",
        ),
    )
    class_field: ClassVar[str]
    """The field that names the class."""

    environment_ref: Name
    """Environment in which it runs."""
    component_ref: NameOrEmpty = ""
    """Component that runs. Empty = nothing can run yet: the condition Ready says so."""
    artifact_ref: NameOrEmpty = ""
    """DeployableArtifact that is to run. Empty = wait for the first one."""
    class_revision_ref: NameOrEmpty = ""
    """ClassRevision that it is held at, whatever becomes of the class. Empty = it keeps the one it
    was given at its first deployment until the class is upgraded."""
    parameters: Fragment = Field(default_factory=dict, json_schema_extra=NULL_IS_EMPTY)
    """Values of parameters of the class here, laid over those of the component. Empty = those."""
    workload: WorkloadOverrides = Field(WorkloadOverrides(), json_schema_extra=NULL_IS_EMPTY)
    """What differs here from the component's workload."""
    configurations: tuple[ConfigurationOverride, ...] = Field(
        (), max_length=50, json_schema_extra=list_by("key")
    )
    """Keys of the configuration whose values differ here. Empty = none."""
    state: BindingState = BindingState.ACTIVE
    """Active = it runs. Suspend = it stays but nothing runs. Undeploy = its objects are removed."""

    @property
    def class_ref(self) -> str:
        """Class that makes objects of it."""
        return str(getattr(self, self.class_field))


class ResourceUsage(Model):
    """What is taken up of the quotas."""

    cpu: str = Field("", max_length=32)
    """Processor time that all its pods request."""
    memory: str = Field("", max_length=32)
    """Memory that all its pods request."""
    objects: int | None = Field(None, ge=0)
    """Objects on the plane. Absent = nothing is there."""


class EndpointAddress(Model):
    """Where one endpoint is reached."""

    name: str = Field(max_length=15)
    """Name of the endpoint."""
    type: str = Field("", max_length=16)
    """What it speaks."""
    visibility: str = Field("", max_length=16)
    """Who may call it."""
    url: str = Field("", max_length=1024)
    """Of a public endpoint the address at the gateway, of others that within the plane."""


class BindingStatus(Status):
    """What runs, and why not something newer."""

    artifact_ref: NameOrEmpty = ""
    """DeployableArtifact that runs."""
    version: str = Field("", max_length=64)
    """Its short name: beginning of the commit."""
    image: ImageOrEmpty = ""
    """Its image."""
    release_ref: NameOrEmpty = ""
    """Release on the plane."""
    deployment_ref: NameOrEmpty = ""
    """Deployment that was worked on last."""
    class_revision_ref: NameOrEmpty = ""
    """ClassRevision that what runs was made with."""
    interfaces: str = Field("", max_length=64)
    """Hash of the Endpoints and Connections that what runs was made with. Empty = there were none,
    or an older version of the platform did not look."""
    configuration: tuple[GivenRevision, ...] = Field((), max_length=60)
    """ConfigurationRevisions that what runs was made with."""
    url: str = Field("", max_length=1024)
    """Where it answers. Empty = it has no public endpoint."""
    plane_ref: NameOrEmpty = ""
    """DataPlane on which it runs. Empty = nothing runs, or an older version of the platform
    brought it there: then it is that of the environment."""
    endpoints: tuple[EndpointAddress, ...] = Field(
        (), max_length=16, json_schema_extra=list_by("name")
    )
    """Where each endpoint is reached, public ones first. Empty = it has none, or runs since before
    this was told."""
    usage: ResourceUsage = ResourceUsage()
    """What it takes up of the quotas of organization, project and environment."""
    operation: OperationRef = OperationRef()
    """The procedure that worked on it last."""


BINDING_COLUMNS: tuple[Column, ...] = (
    Column("Component", ".spec.componentRef", "Component that runs"),
    Column("Environment", ".spec.environmentRef", "Where it runs"),
    Column("Version", ".status.version", "What runs"),
    *READY_COLUMNS,
    Column("Wanted", ".spec.artifactRef", "Artifact that is to run", wide=True),
    Column("State", ".spec.state", "Whether it is to run", wide=True),
    Column(
        "Drift",
        '.status.conditions[?(@.type=="Drifted")].reason',
        "Whether somebody else changed its objects",
    ),
    Column("URL", ".status.url", "Where it answers"),
    Column("Revision", ".status.classRevisionRef", "Class revision of what runs", wide=True),
)


class Binding(Resource):
    """A component in an environment: what is wanted and what runs."""

    written_by: ClassVar[WrittenBy] = "developer"
    columns: ClassVar[tuple[Column, ...]] = BINDING_COLUMNS
    class_kind: ClassVar[str]
    """Kind of the class it names."""

    spec: BindingSpec
    status: BindingStatus = BindingStatus()

    @property
    def component(self) -> str:
        """Component that runs; empty when the binding does not say."""
        return self.spec.component_ref

    @property
    def environment(self) -> str:
        """Environment in which it runs."""
        return self.spec.environment_ref

    @property
    def artifact(self) -> str:
        """Artifact that is to run; empty = none yet."""
        return self.spec.artifact_ref

    @property
    def wanted_state(self) -> BindingState:
        """What is wanted: a binding that is being deleted is to be undeployed."""
        return BindingState.UNDEPLOY if self.is_deleted else self.spec.state

    @classmethod
    def class_named(cls, name: str) -> dict[str, Any]:
        """Returns the argument of its spec that names a class."""
        spec: Any = cls.model_fields["spec"].annotation
        return {spec.class_field: name}


class ServiceBindingSpec(BindingSpec):
    """What is wanted of a service in one environment."""

    class_field: ClassVar[str] = "service_class_ref"

    service_class_ref: Name = DEFAULT_SERVICE_CLASS
    """ServiceClass that makes objects of it."""


class ServiceBinding(Binding):
    """A service in an environment: what is wanted and what runs."""

    kind: ClassVar[str] = "ServiceBinding"
    plural: ClassVar[str] = "servicebindings"
    short_names: ClassVar[tuple[str, ...]] = ("binding", "bindings")
    class_kind: ClassVar[str] = "ServiceClass"

    spec: ServiceBindingSpec


class WebApplicationBindingSpec(BindingSpec):
    """What is wanted of a web application in one environment."""

    class_field: ClassVar[str] = "web_application_class_ref"

    web_application_class_ref: Name = DEFAULT_WEB_APPLICATION_CLASS
    """WebApplicationClass that makes objects of it."""


class WebApplicationBinding(Binding):
    """A web application in an environment: what is wanted and what runs."""

    kind: ClassVar[str] = "WebApplicationBinding"
    plural: ClassVar[str] = "webapplicationbindings"
    short_names: ClassVar[tuple[str, ...]] = ("webbinding", "webbindings")
    class_kind: ClassVar[str] = "WebApplicationClass"

    spec: WebApplicationBindingSpec


class ScheduledTaskBindingSpec(BindingSpec):
    """What is wanted of a scheduled task in one environment."""

    class_field: ClassVar[str] = "scheduled_task_class_ref"

    scheduled_task_class_ref: Name = DEFAULT_SCHEDULED_TASK_CLASS
    """ScheduledTaskClass that makes objects of it."""


class ScheduledTaskBinding(Binding):
    """A scheduled task in an environment: what is wanted and what runs."""

    kind: ClassVar[str] = "ScheduledTaskBinding"
    plural: ClassVar[str] = "scheduledtaskbindings"
    short_names: ClassVar[tuple[str, ...]] = ("taskbinding", "taskbindings")
    class_kind: ClassVar[str] = "ScheduledTaskClass"

    spec: ScheduledTaskBindingSpec


class APIBindingSpec(BindingSpec):
    """What is wanted of an API in one environment."""

    class_field: ClassVar[str] = "api_class_ref"

    api_class_ref: Name = DEFAULT_API_CLASS
    """APIClass that makes objects of it."""


class APIBinding(Binding):
    """An API in an environment: what is wanted and what runs."""

    kind: ClassVar[str] = "APIBinding"
    plural: ClassVar[str] = "apibindings"
    short_names: ClassVar[tuple[str, ...]] = ("apib", "apibs")
    class_kind: ClassVar[str] = "APIClass"

    spec: APIBindingSpec
