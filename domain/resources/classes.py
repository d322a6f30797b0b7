"""Golden paths: what platform engineers decide for all components of a class."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import Field

from domain import ids
from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.class_parts import (
    DisruptionBudget,
    Documentation,
    GuardRails,
    HealthRule,
    Observability,
    UpgradePolicy,
)
from domain.resources.model import Model, Rule
from domain.resources.overrides import Autoscaling, Schedule
from domain.resources.types import (
    NULL_IS_EMPTY,
    Fragment,
    Name,
    NameOrEmpty,
    Text,
    immutable,
    list_by,
)

DEFAULT_SERVICE_CLASS = "standard-service"
DEFAULT_WEB_APPLICATION_CLASS = "standard-web-application"
DEFAULT_SCHEDULED_TASK_CLASS = "standard-scheduled-task"
DEFAULT_API_CLASS = "standard-api"


class ComponentClassSpec(Model):
    """What the classes of all types have.

    In every text of a template `${...}` stands for the value of a CEL expression over
    `parameters`, `component`, `environment`, `binding`, `artifact` and `endpoints`; `$${` is the
    text itself.
    """

    description: Text = ""
    """What the class is for and what it gives."""
    documentation: Documentation = Documentation()
    """What a developer reads about it."""
    parameters: Fragment = Field(default_factory=dict, json_schema_extra=NULL_IS_EMPTY)
    """JSON schema of an object: the parameters that components and bindings may set, with their
    defaults. Empty = there are none."""
    configuration: Fragment = Field(default_factory=dict, json_schema_extra=NULL_IS_EMPTY)
    """JSON schema of an object: the keys of the configuration that components of the class need,
    with types and defaults. Empty = whatever their groups say, as text."""
    labels: dict[str, str] = Field(default_factory=dict, max_length=32)
    """Labels of every object that is made. Empty = those of the platform only."""
    objects: tuple[Fragment, ...] = Field((), max_length=20)
    """More Kubernetes objects, each with apiVersion, kind and metadata.name; they are put into the
    component's namespace. Empty = none."""
    health: tuple[HealthRule, ...] = Field((), max_length=20, json_schema_extra=list_by("kind"))
    """How it is told whether such objects are well. Empty = by their conditions."""
    guard_rails: GuardRails = GuardRails()
    """Bounds that no workload and no binding of the class gets past."""
    observability: Observability = Observability()
    """How components are watched."""
    upgrade: UpgradePolicy = UpgradePolicy()
    """How components come to a new revision of the class."""


class RunningClassSpec(ComponentClassSpec):
    """What the classes of components that always run have."""

    deployment_template: Fragment = Field(default_factory=dict, json_schema_extra=NULL_IS_EMPTY)
    """Part of the spec of a Kubernetes Deployment. The container named `main` is the component's
    own: image, command, environment, ports and probes are filled in. Empty = Kubernetes' own
    defaults."""
    service_template: Fragment = Field(default_factory=dict, json_schema_extra=NULL_IS_EMPTY)
    """Part of the spec of a Kubernetes Service; selector and ports are filled in.
    Empty = a ClusterIP service."""
    route_template: Fragment = Field(default_factory=dict, json_schema_extra=NULL_IS_EMPTY)
    """Part of the spec of an HTTPRoute (Gateway API); parent, host and backend are filled in.
    Empty = a plain route."""
    autoscaling: Autoscaling = Autoscaling()
    """How replicas follow the load. Empty = they do not."""
    disruption_budget: DisruptionBudget = DisruptionBudget()
    """How many replicas a drain of nodes may take at once."""


class ComponentClassStatus(Status):
    """What is known of a class."""

    revision: NameOrEmpty = ""
    """ClassRevision of its present content."""


class ComponentClass(Resource):
    """A golden path."""

    written_by: ClassVar[WrittenBy] = "platform-engineer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Description", ".spec.description", "What the class is for"),
        *READY_COLUMNS,
        Column("Revision", ".status.revision", "Its present content"),
        Column("Upgrade", ".spec.upgrade.mode", "Who begins upgrades", wide=True),
    )

    spec: ComponentClassSpec
    status: ComponentClassStatus = ComponentClassStatus()

    @property
    def content(self) -> dict[str, Any]:
        """What decides how components of the class are rendered."""
        written = self.spec.model_dump(mode="json", by_alias=True, exclude_defaults=True)
        return {key: value for key, value in written.items() if key not in _NOT_RENDERED}

    @property
    def revision(self) -> str:
        """Name of the ClassRevision of its present content."""
        return ids.content_name(f"{self.kind.lower()}-{self.name}", self.content)


_NOT_RENDERED = frozenset({"description", "documentation", "upgrade"})
"""What says something about the class and nothing about what becomes of it."""


class ServiceClassSpec(RunningClassSpec):
    """Templates of the objects that a service becomes."""


class ServiceClass(ComponentClass):
    """A golden path for services."""

    kind: ClassVar[str] = "ServiceClass"
    plural: ClassVar[str] = "serviceclasses"
    short_names: ClassVar[tuple[str, ...]] = ("svcclass", "svcclasses")

    spec: ServiceClassSpec = ServiceClassSpec()


class StaticServer(Model):
    """What serves the files of a static web application."""

    image: str = Field("", max_length=512, pattern=r"^\S*$")
    """Image of an HTTP server that serves the folder `/srv/www`. Empty = the class serves no static
    applications."""
    command: tuple[Annotated[str, Field(max_length=1024)], ...] = Field((), max_length=64)
    """What is started. Empty = the image's entry point."""
    port: int = Field(8080, ge=1, le=65535)
    """Port at which it answers."""


class WebApplicationClassSpec(RunningClassSpec):
    """Templates of the objects that a web application becomes."""

    static_server: StaticServer = StaticServer()
    """What serves static applications."""


class WebApplicationClass(ComponentClass):
    """A golden path for web applications: what people open in a browser."""

    kind: ClassVar[str] = "WebApplicationClass"
    plural: ClassVar[str] = "webapplicationclasses"
    short_names: ClassVar[tuple[str, ...]] = ("webclass", "webclasses")

    spec: WebApplicationClassSpec = WebApplicationClassSpec()


class ScheduledTaskClassSpec(ComponentClassSpec):
    """Templates of the objects that a scheduled task becomes."""

    task_template: Fragment = Field(default_factory=dict, json_schema_extra=NULL_IS_EMPTY)
    """Part of the spec of a Kubernetes Job. The container named `main` is the component's own.
    Empty = two tries, an hour at most."""
    schedule: Schedule = Schedule()
    """When tasks run that do not say so themselves."""
    successful_runs_kept: int = Field(5, ge=0, le=100)
    """How many runs that succeeded are kept on the plane, with their logs."""
    failed_runs_kept: int = Field(5, ge=0, le=100)
    """How many runs that failed are kept on the plane, with their logs."""


class ScheduledTaskClass(ComponentClass):
    """A golden path for tasks that run by a timetable."""

    kind: ClassVar[str] = "ScheduledTaskClass"
    plural: ClassVar[str] = "scheduledtaskclasses"
    short_names: ClassVar[tuple[str, ...]] = ("taskclass", "taskclasses")

    spec: ScheduledTaskClassSpec = ScheduledTaskClassSpec()


class APIClassSpec(RunningClassSpec):
    """Templates of the objects that an API becomes."""

    request_timeout_seconds: int = Field(0, ge=0, le=3600)
    """Longest a request may take at the gateway; a routeTemplate that sets timeouts goes first.
    0 = as long as the gateway allows."""


class APIClass(ComponentClass):
    """A golden path for APIs: versioned HTTP interfaces behind the gateway."""

    kind: ClassVar[str] = "APIClass"
    plural: ClassVar[str] = "apiclasses"
    short_names: ClassVar[tuple[str, ...]] = ("apicls",)

    spec: APIClassSpec = APIClassSpec()


class ClassRevisionSpec(Model):
    """The content that a class had."""

    rules: ClassVar[tuple[Rule, ...]] = (
        immutable("a ClassRevision never changes: it is named by its content"),
    )

    class_kind: str = Field(min_length=1, max_length=63, pattern=r"^[A-Za-z]+Class$")
    """Kind of the class."""
    class_name: Name
    """Name of the class."""
    content: Fragment = Field(default_factory=dict)
    """The part of its spec that decides what components become. Empty = the class was empty."""


class ClassRevisionStatus(Status):
    """What is known of a revision."""


class ClassRevision(Resource):
    """What a class once said; components are rendered with the revision they were given."""

    kind: ClassVar[str] = "ClassRevision"
    plural: ClassVar[str] = "classrevisions"
    short_names: ClassVar[tuple[str, ...]] = ("classrev", "classrevs")
    written_by: ClassVar[WrittenBy] = "platform"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Kind", ".spec.classKind", "Kind of the class"),
        Column("Class", ".spec.className", "Name of the class"),
        *READY_COLUMNS,
    )

    spec: ClassRevisionSpec
    status: ClassRevisionStatus = ClassRevisionStatus()
