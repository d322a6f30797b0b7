"""Where a component runs in the course of its life, and the way from one place to the next."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.model import Model, Rule
from domain.resources.quota import Quota
from domain.resources.types import Name, NameOrEmpty, Text, list_by


class DriftPolicy(StrEnum):
    """What is done about an object on the plane that someone else changed."""

    REPORT = "Report"
    RESTORE = "Restore"


class ConflictPolicy(StrEnum):
    """What is done about fields that another field manager owns."""

    REPORT = "Report"
    FORCE = "Force"


class EnvironmentGateway(Model):
    """How components of the environment are reached from outside."""

    dns_prefix: NameOrEmpty = ""
    """Label before the plane's domain: `<dnsPrefix>.<domain>`. Empty = the environment's name."""
    enable_jwt_auth: bool = Field(default=False, alias="enableJWTAuth")
    """Public endpoints demand a valid JWT."""


class EnvironmentSpec(Model):
    """A place where components run."""

    description: Text = ""
    """What the environment is for."""
    data_plane_ref: Name
    """DataPlane on which it lies."""
    is_production: bool = False
    """Real users depend on it."""
    gateway: EnvironmentGateway = EnvironmentGateway()
    """How its components are reached."""
    drift: DriftPolicy = DriftPolicy.REPORT
    """Report = an object changed by someone else is reported by field. Restore = it is put back."""
    max_put_backs_per_hour: int = Field(3, ge=1, le=60)
    """How often the same field is put back within an hour. Whoever changes it once more is named
    and the field is left alone for a day."""
    conflicts: ConflictPolicy = ConflictPolicy.REPORT
    """Report = a deployment stops at fields another manager owns. Force = it takes them over."""
    quota: Quota = Quota()
    """How much all components in it may take up together. Empty = no bound."""


class EnvironmentStatus(Status):
    """What is known of an environment."""


class Environment(Resource):
    """A place where components run, such as development, staging or production."""

    kind: ClassVar[str] = "Environment"
    plural: ClassVar[str] = "environments"
    short_names: ClassVar[tuple[str, ...]] = ("env", "envs")
    written_by: ClassVar[WrittenBy] = "platform-engineer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Plane", ".spec.dataPlaneRef", "DataPlane on which it lies"),
        Column("Production", ".spec.isProduction", "Real users depend on it"),
        Column("Prefix", ".spec.gateway.dnsPrefix", "Label before the plane's domain"),
        *READY_COLUMNS,
    )

    spec: EnvironmentSpec
    status: EnvironmentStatus = EnvironmentStatus()

    @property
    def dns_prefix(self) -> str:
        """Label before the plane's domain."""
        return self.spec.gateway.dns_prefix or self.name


class PromotionMode(StrEnum):
    """Who takes the step to the next environment."""

    MANUAL = "Manual"
    AUTO = "Auto"


class PromotionTarget(Model):
    """An environment a component may be promoted to."""

    name: Name
    """The environment."""
    mode: PromotionMode = PromotionMode.MANUAL
    """Manual = a person asks for the promotion. Auto = it is asked for when the source is ready."""


class PromotionPath(Model):
    """Where a component may go from one environment."""

    rules: ClassVar[tuple[Rule, ...]] = (
        Rule(
            "!has(self.targetEnvironmentRefs) || "
            "self.targetEnvironmentRefs.all(target, target.name != self.sourceEnvironmentRef)",
            "an environment cannot be promoted to itself",
            lambda path: all(
                target.name != path.source_environment_ref
                for target in path.target_environment_refs
            ),
        ),
    )

    source_environment_ref: Name
    """The environment a component comes from."""
    target_environment_refs: tuple[PromotionTarget, ...] = Field(
        (), max_length=20, json_schema_extra=list_by("name")
    )
    """The environments it may go to. Empty = the way ends here."""


class DeploymentPipelineSpec(Model):
    """The way of a component through the environments."""

    description: Text = ""
    """What the pipeline is for."""
    promotion_paths: tuple[PromotionPath, ...] = Field(
        min_length=1, max_length=50, json_schema_extra=list_by("sourceEnvironmentRef")
    )
    """The steps. New artifacts go to the one environment that is never a target."""


class DeploymentPipelineStatus(Status):
    """What is known of a pipeline."""

    environments: tuple[Name, ...] = Field((), max_length=100)
    """The environments in order."""


class DeploymentPipeline(Resource):
    """The way of components through the environments."""

    kind: ClassVar[str] = "DeploymentPipeline"
    plural: ClassVar[str] = "deploymentpipelines"
    short_names: ClassVar[tuple[str, ...]] = ("pipeline", "pipelines")
    written_by: ClassVar[WrittenBy] = "platform-engineer"
    columns: ClassVar[tuple[Column, ...]] = (
        Column("Environments", ".status.environments", "The environments in order"),
        *READY_COLUMNS,
    )

    spec: DeploymentPipelineSpec
    status: DeploymentPipelineStatus = DeploymentPipelineStatus()

    @property
    def environments(self) -> tuple[str, ...]:
        """All environments, each after those it is promoted from; without those on a circle."""
        waiting = self._sources()
        order: list[str] = []
        while free := sorted(name for name, sources in waiting.items() if not sources):
            order.extend(free)
            waiting = {
                name: sources - set(free) for name, sources in waiting.items() if name not in free
            }
        return tuple(order)

    @property
    def first_environment(self) -> str:
        """Where new artifacts go; empty when the pipeline does not say (see ``problems``)."""
        roots = self._roots()
        return roots[0] if len(roots) == 1 else ""

    def problems(self) -> tuple[str, ...]:
        """Says what is wrong with the graph; empty when nothing is."""
        found = []
        circle = sorted(set(self._sources()) - set(self.environments))
        if circle:
            found.append(f"promotion goes in a circle among {', '.join(circle)}")
        roots = self._roots()
        if len(roots) > 1:
            found.append(
                f"{', '.join(roots)} are each no target of a promotion: "
                "exactly one environment must be the first"
            )
        return tuple(found)

    def _roots(self) -> list[str]:
        return sorted(name for name, sources in self._sources().items() if not sources)

    def _sources(self) -> dict[str, set[str]]:
        """Environment -> the environments it is promoted from."""
        sources: dict[str, set[str]] = {}
        for path in self.spec.promotion_paths:
            sources.setdefault(path.source_environment_ref, set())
            for target in path.target_environment_refs:
                sources.setdefault(target.name, set()).add(path.source_environment_ref)
        return sources
