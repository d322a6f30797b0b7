"""What developers declare: projects and the components in them."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Annotated, ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.classes import DEFAULT_SERVICE_CLASS
from domain.resources.configured import GroupRefs
from domain.resources.model import Model, Rule
from domain.resources.quota import Quota
from domain.resources.types import (
    NULL_IS_EMPTY,
    CommitOrEmpty,
    FolderPath,
    Fragment,
    GitRefOrEmpty,
    Name,
    NameOrEmpty,
    Text,
)

_URL = r"^(https?|ssh)://[^\s/]+/\S+$"
_WITH_CREDENTIALS = r"^https?://[^/]*@|^ssh://[^/@]*:[^/@]*@"
_LEAVES = r"(^|/)\.\.(/|$)"

Argument = Annotated[str, Field(max_length=1024)]


class ProjectSpec(Model):
    """A bounded context: components that belong together."""

    display_name: str = Field("", max_length=128)
    """Name for people. Empty = the resource's name."""
    description: Text = ""
    """What the project is for."""
    deployment_pipeline_ref: Name
    """DeploymentPipeline its components go through."""
    quota: Quota = Quota()
    """How much all components in it may take up together. Empty = no bound."""
    configuration_group_refs: GroupRefs = ()
    """ConfigurationGroups that all components in it use, after those of the organization.
    Empty = none."""


class ProjectStatus(Status):
    """What is known of a project."""


class Project(Resource):
    """An application: components that belong together and share a pipeline."""

    kind: ClassVar[str] = "Project"
    plural: ClassVar[str] = "projects"
    short_names: ClassVar[tuple[str, ...]] = ("proj", "projs")
    written_by: ClassVar[WrittenBy] = "developer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Pipeline", ".spec.deploymentPipelineRef", "Pipeline its components go through"),
        *READY_COLUMNS,
    )

    spec: ProjectSpec
    status: ProjectStatus = ProjectStatus()


class ComponentType(StrEnum):
    """What a component is."""

    SERVICE = "Service"
    WEB_APPLICATION = "WebApplication"
    SCHEDULED_TASK = "ScheduledTask"
    API = "API"


class ConfigurationUpdates(StrEnum):
    """How a component comes to changed files of its configuration."""

    RESTART = "Restart"
    LIVE = "Live"


class ComponentOwner(Model):
    """To what a component belongs."""

    project_ref: Name
    """The project."""


class BuildSpec(Model):
    """How a component is built from its source."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            f"self.repository.matches(r'{_URL}')",
            "repository must be a URL that begins with https://, http:// or ssh://",
            lambda build: re.search(_URL, build.repository) is not None,
        ),
        Rule(
            f"!self.repository.matches(r'{_WITH_CREDENTIALS}')",
            "repository must not contain a user or password: credentials are kept by the platform",
            lambda build: re.search(_WITH_CREDENTIALS, build.repository) is None,
        ),
        Rule(
            f"!self.context.matches(r'{_LEAVES}') && !self.dockerfile.matches(r'{_LEAVES}')",
            "context and dockerfile must stay inside the repository: no '..'",
            lambda build: (
                not re.search(_LEAVES, build.context) and not re.search(_LEAVES, build.dockerfile)
            ),
        ),
    )

    repository: str = Field(min_length=1, max_length=512)
    """URL of the Git repository: https://, http:// or ssh://, without credentials."""
    branch: GitRefOrEmpty = Field("main", min_length=1)
    """Branch whose commits are built."""
    build_template: Name = "docker-build"
    """How it is built. docker-build = from a Dockerfile."""
    context: FolderPath = "."
    """Folder of the repository that is the build context."""
    dockerfile: FolderPath = "Dockerfile"
    """Path of the Dockerfile, from the build context."""
    test_command: tuple[Argument, ...] = Field((), max_length=64)
    """Command with arguments that is run in the built image; the image is pushed only when it
    succeeds. Empty = no tests."""
    timeout_seconds: int = Field(3600, ge=60, le=86400)
    """Longest a build may take, in seconds."""


class ComponentSpec(Model):
    """One deployable unit."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.componentOwner.projectRef == oldSelf.componentOwner.projectRef",
            "a component stays in its project: create another one in the other project",
        ),
        Rule(
            "!has(self.componentType) && !has(oldSelf.componentType) || "
            "has(self.componentType) && has(oldSelf.componentType) && "
            "self.componentType == oldSelf.componentType",
            "a component keeps its type: create another one of the other type",
        ),
    )

    display_name: str = Field("", max_length=128)
    """Name for people. Empty = the resource's name."""
    description: Text = ""
    """What the component does."""
    component_owner: ComponentOwner
    """To what it belongs."""
    component_type: ComponentType = ComponentType.SERVICE
    """What it is. Service = answers requests of other components and of people. WebApplication =
    is opened in a browser. ScheduledTask = runs by a timetable. API = a versioned HTTP interface
    behind the gateway."""
    build_spec_in_component: BuildSpec | None = None
    """How it is built. Absent = it is not: its workload names an image."""
    auto_build: bool = True
    """Build each commit pushed to the branch."""
    auto_deploy: bool = True
    """Deploy each new artifact to the first environment of the pipeline."""
    service_class_ref: Name = DEFAULT_SERVICE_CLASS
    """ServiceClass for its bindings; only for a Service."""
    class_ref: NameOrEmpty = ""
    """Class of its type for its bindings. Empty = serviceClassRef for a Service, else the standard
    class of the type, such as standard-scheduled-task."""
    parameters: Fragment = Field(default_factory=dict, json_schema_extra=NULL_IS_EMPTY)
    """Values of parameters of the class, for all environments; a binding may say otherwise.
    Empty = the defaults of the class."""
    configuration_group_refs: GroupRefs = ()
    """ConfigurationGroups that it uses, after those of organization and project: of equal keys the
    later one's value counts. Empty = only those."""
    configuration_updates: ConfigurationUpdates = ConfigurationUpdates.RESTART
    """Restart = a changed file of the configuration rolls its pods. Live = the pods that run find
    the new content within a minute or two and read it again by themselves; such a file has a folder
    of its own. Changed variables always roll pods."""


class ComponentStatus(Status):
    """The last known build of a component."""

    latest_build: NameOrEmpty = ""
    """The Build that was started last."""
    latest_commit: CommitOrEmpty = ""
    """The commit that was built last with success."""
    latest_artifact: NameOrEmpty = ""
    """The DeployableArtifact of that commit."""


class Component(Resource):
    """One deployable unit of a project."""

    kind: ClassVar[str] = "Component"
    plural: ClassVar[str] = "components"
    short_names: ClassVar[tuple[str, ...]] = ("comp", "comps")
    written_by: ClassVar[WrittenBy] = "developer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Project", ".spec.componentOwner.projectRef", "Project it belongs to"),
        Column("Type", ".spec.componentType", "What it is"),
        Column("Artifact", ".status.latestArtifact", "Artifact of the last successful build"),
        *READY_COLUMNS,
        Column("Branch", ".spec.buildSpecInComponent.branch", "Branch that is built", wide=True),
        Column("Repository", ".spec.buildSpecInComponent.repository", "Its source", wide=True),
    )

    spec: ComponentSpec
    status: ComponentStatus = ComponentStatus()

    @property
    def project(self) -> str:
        """Project it belongs to."""
        return self.spec.component_owner.project_ref

    @property
    def build(self) -> BuildSpec | None:
        """How it is built; None when it is not."""
        return self.spec.build_spec_in_component
