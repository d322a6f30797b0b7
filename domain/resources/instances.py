"""What makes a component a service, a web application, a scheduled task or an API."""

from __future__ import annotations

from enum import StrEnum
from typing import Any, ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.classes import (
    DEFAULT_API_CLASS,
    DEFAULT_SCHEDULED_TASK_CLASS,
    DEFAULT_SERVICE_CLASS,
    DEFAULT_WEB_APPLICATION_CLASS,
)
from domain.resources.model import Model
from domain.resources.overrides import Schedule
from domain.resources.types import Name, NameOrEmpty


class InstanceSpec(Model):
    """What the instances of all types have."""

    class_field: ClassVar[str]
    """The field that names the class."""

    component_ref: Name
    """Component it is the instance of."""
    workload_ref: NameOrEmpty = ""
    """Workload it runs. Empty = the one of the component's name."""

    @property
    def class_ref(self) -> str:
        """Class it follows."""
        return str(getattr(self, self.class_field))


class InstanceStatus(Status):
    """What is known of an instance."""


class Instance(Resource):
    """The instance of a component: its class, its workload and what its type needs."""

    written_by: ClassVar[WrittenBy] = "developer"
    class_kind: ClassVar[str]
    """Kind of the class it follows."""

    spec: InstanceSpec
    status: InstanceStatus = InstanceStatus()

    @property
    def component(self) -> str:
        """Component it is the instance of."""
        return self.spec.component_ref

    @property
    def workload(self) -> str:
        """Name of the workload it runs."""
        return self.spec.workload_ref or self.spec.component_ref

    @classmethod
    def class_named(cls, name: str) -> dict[str, Any]:
        """Returns the argument of its spec that names a class."""
        spec: Any = cls.model_fields["spec"].annotation
        return {spec.class_field: name}


class ServiceSpec(InstanceSpec):
    """What makes a component a service."""

    class_field: ClassVar[str] = "service_class_ref"

    service_class_ref: Name = DEFAULT_SERVICE_CLASS
    """ServiceClass it follows."""


class Service(Instance):
    """The instance of a component of type Service: its class and its workload."""

    kind: ClassVar[str] = "Service"
    plural: ClassVar[str] = "services"
    short_names: ClassVar[tuple[str, ...]] = ("chsvc", "chsvcs")
    written_by: ClassVar[WrittenBy] = "platform"
    class_kind: ClassVar[str] = "ServiceClass"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Component", ".spec.componentRef", "Component it is the instance of"),
        Column("Class", ".spec.serviceClassRef", "Class it follows"),
        *READY_COLUMNS,
    )

    spec: ServiceSpec


class WebApplicationMode(StrEnum):
    """Who serves a web application."""

    SERVER = "Server"
    STATIC = "Static"


class WebApplicationSpec(InstanceSpec):
    """What makes a component a web application."""

    class_field: ClassVar[str] = "web_application_class_ref"

    web_application_class_ref: Name = DEFAULT_WEB_APPLICATION_CLASS
    """WebApplicationClass it follows."""
    mode: WebApplicationMode = WebApplicationMode.SERVER
    """Server = the image's own process answers at the endpoints of the workload. Static = the image
    holds files only, which the server of the class hands out; it must have `cp`."""
    static_root: str = Field("/site", max_length=512, pattern=r"^(/[A-Za-z0-9._+@-]+)+$")
    """Folder of the image that is served; only for Static."""


class WebApplication(Instance):
    """The instance of a component of type WebApplication."""

    kind: ClassVar[str] = "WebApplication"
    plural: ClassVar[str] = "webapplications"
    short_names: ClassVar[tuple[str, ...]] = ("webapp", "webapps")
    class_kind: ClassVar[str] = "WebApplicationClass"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Component", ".spec.componentRef", "Component it is the instance of"),
        Column("Class", ".spec.webApplicationClassRef", "Class it follows"),
        Column("Mode", ".spec.mode", "Who serves it"),
        *READY_COLUMNS,
    )

    spec: WebApplicationSpec


class ScheduledTaskSpec(InstanceSpec):
    """What makes a component a scheduled task."""

    class_field: ClassVar[str] = "scheduled_task_class_ref"

    scheduled_task_class_ref: Name = DEFAULT_SCHEDULED_TASK_CLASS
    """ScheduledTaskClass it follows."""
    schedule: Schedule = Schedule()
    """When it runs; bindings may say otherwise. Empty = when the class says."""


class ScheduledTask(Instance):
    """The instance of a component of type ScheduledTask: when it runs."""

    kind: ClassVar[str] = "ScheduledTask"
    plural: ClassVar[str] = "scheduledtasks"
    short_names: ClassVar[tuple[str, ...]] = ("schedtask", "schedtasks")
    class_kind: ClassVar[str] = "ScheduledTaskClass"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Component", ".spec.componentRef", "Component it is the instance of"),
        Column("Class", ".spec.scheduledTaskClassRef", "Class it follows"),
        Column("Cron", ".spec.schedule.cron", "When it runs"),
        Column("Zone", ".spec.schedule.timeZone", "In which time zone"),
        *READY_COLUMNS,
    )

    spec: ScheduledTaskSpec


class APISpec(InstanceSpec):
    """What makes a component an API."""

    class_field: ClassVar[str] = "api_class_ref"

    api_class_ref: Name = DEFAULT_API_CLASS
    """APIClass it follows."""
    version: str = Field("v1", max_length=32, pattern=r"^v[0-9]+([a-z]+[0-9]+)?$")
    """Version of the interface. It stands in the path before that of the endpoint:
    `/v1/orders`; the component itself sees the path without it."""


class API(Instance):
    """The instance of a component of type API: a versioned HTTP interface."""

    kind: ClassVar[str] = "API"
    plural: ClassVar[str] = "apis"
    short_names: ClassVar[tuple[str, ...]] = ("chapi", "chapis")
    class_kind: ClassVar[str] = "APIClass"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Component", ".spec.componentRef", "Component it is the instance of"),
        Column("Class", ".spec.apiClassRef", "Class it follows"),
        Column("Version", ".spec.version", "Version of the interface"),
        *READY_COLUMNS,
    )

    spec: APISpec
