"""What is wanted of a component in one environment, and what runs there."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.build import OperationRef
from domain.resources.classes import DEFAULT_SERVICE_CLASS
from domain.resources.model import Model, Rule
from domain.resources.types import (
    NULL_IS_EMPTY,
    EnvVar,
    ImageOrEmpty,
    Name,
    NameOrEmpty,
    ResourceNeeds,
    list_by,
)


class BindingState(StrEnum):
    """What is wanted of a component in an environment."""

    ACTIVE = "Active"
    SUSPEND = "Suspend"
    UNDEPLOY = "Undeploy"


class WorkloadOverrides(Model):
    """What differs in this environment from the component's workload. Never the image."""

    replicas: int | None = Field(None, ge=0, le=1000)
    """How many run. Absent = what the class says."""
    env: tuple[EnvVar, ...] = Field((), max_length=200, json_schema_extra=list_by("name"))
    """Environment variables of the container `main`, added to those of the workload; equal names
    take this value."""
    resources: ResourceNeeds = ResourceNeeds()
    """What the container `main` is given. Empty = what the workload says."""


class ServiceBindingSpec(Model):
    """What is wanted of a component in one environment."""

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

    service_class_ref: Name = DEFAULT_SERVICE_CLASS
    """ServiceClass that makes objects of it."""
    environment_ref: Name
    """Environment in which it runs."""
    component_ref: NameOrEmpty = ""
    """Component that runs. Empty = nothing can run yet: the condition Ready says so."""
    artifact_ref: NameOrEmpty = ""
    """DeployableArtifact that is to run. Empty = wait for the first one."""
    workload: WorkloadOverrides = Field(WorkloadOverrides(), json_schema_extra=NULL_IS_EMPTY)
    """What differs here from the component's workload."""
    state: BindingState = BindingState.ACTIVE
    """Active = it runs. Suspend = it stays but has no replicas. Undeploy = its objects are
    removed."""


class ServiceBindingStatus(Status):
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
    url: str = Field("", max_length=1024)
    """Where it answers. Empty = it has no public endpoint."""
    operation: OperationRef = OperationRef()
    """The procedure that worked on it last."""


class ServiceBinding(Resource):
    """A component in an environment: what is wanted and what runs."""

    kind: ClassVar[str] = "ServiceBinding"
    plural: ClassVar[str] = "servicebindings"
    short_names: ClassVar[tuple[str, ...]] = ("binding", "bindings")
    written_by: ClassVar[WrittenBy] = "developer"
    columns: ClassVar[tuple[Column, ...]] = (
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
    )

    spec: ServiceBindingSpec
    status: ServiceBindingStatus = ServiceBindingStatus()

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
