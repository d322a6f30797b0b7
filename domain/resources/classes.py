"""Golden paths: what platform engineers decide for all services of a class."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.model import Model, Rule
from domain.resources.types import NULL_IS_EMPTY, Fragment, Quantity, Text

DEFAULT_SERVICE_CLASS = "standard-service"


class GuardRails(Model):
    """Bounds that no workload and no binding of the class gets past."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "self.minReplicas <= self.maxReplicas",
            "minReplicas must not be greater than maxReplicas",
            lambda rails: rails.min_replicas <= rails.max_replicas,
        ),
    )

    min_replicas: int = Field(0, ge=0, le=1000)
    """Fewest replicas of an active binding."""
    max_replicas: int = Field(20, ge=1, le=1000)
    """Most replicas."""
    max_cpu: Quantity = ""
    """Most processor time a container may ask for. Empty = no bound."""
    max_memory: Quantity = ""
    """Most memory a container may ask for. Empty = no bound."""


class ServiceClassSpec(Model):
    """Templates of the objects that a service becomes."""

    description: Text = ""
    """What the class is for and what it gives."""
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
    guard_rails: GuardRails = GuardRails()
    """Bounds that no workload and no binding of the class gets past."""


class ServiceClassStatus(Status):
    """What is known of a class."""


class ServiceClass(Resource):
    """A golden path for services."""

    kind: ClassVar[str] = "ServiceClass"
    plural: ClassVar[str] = "serviceclasses"
    short_names: ClassVar[tuple[str, ...]] = ("svcclass", "svcclasses")
    written_by: ClassVar[WrittenBy] = "platform-engineer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Description", ".spec.description", "What the class is for"),
        *READY_COLUMNS,
    )

    spec: ServiceClassSpec = ServiceClassSpec()
    status: ServiceClassStatus = ServiceClassStatus()
