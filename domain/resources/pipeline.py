"""The way of components from one environment to the next, and what must hold at each step."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field

from domain.expressions import expression_problem
from domain.resources.approval import ApprovalPolicy
from domain.resources.base import READY_COLUMNS, Column, Resource, Status, WrittenBy
from domain.resources.gates import ALWAYS, APPROVAL, Gate, GateCheck, HotfixPolicy
from domain.resources.model import Model, Rule
from domain.resources.types import Name, Text, list_by


class PromotionMode(StrEnum):
    """Who takes the step to the next environment."""

    MANUAL = "Manual"
    AUTO = "Auto"


class OnFailure(StrEnum):
    """What is done about a release that was brought there and does not do well."""

    ROLLBACK = "Rollback"
    KEEP = "Keep"


class PromotionTarget(Model):
    """An environment a component may be promoted to."""

    name: Name
    """The environment."""
    mode: PromotionMode = PromotionMode.MANUAL
    """Manual = a person asks for the promotion. Auto = it is asked for when the source is ready."""
    soak_seconds: int = Field(0, ge=0, le=2_592_000)
    """How long the very release must have been ready in the source without a break. 0 = not."""
    gates: tuple[Gate, ...] = Field((), max_length=16, json_schema_extra=list_by("name"))
    """What must hold besides: order, health and soak of the source are always looked at."""
    approval: ApprovalPolicy | None = None
    """Who must agree. Absent = nobody needs to."""
    watch_seconds: int = Field(0, ge=0, le=2_592_000)
    """How long a deployment is watched after it got ready; health lost meanwhile is a failure. A
    newer promotion does not wait for that: the watch goes on until that one is let through."""
    on_failure: OnFailure = OnFailure.ROLLBACK
    """Rollback = after a failed verification the last verified release is brought back and the
    artifact is vetoed. Keep = it stays as it is and a person decides."""
    max_rollbacks_per_day: int = Field(3, ge=0, le=100)
    """How often the platform rolls back there by itself within a day. 0 = never."""
    hotfix: HotfixPolicy = HotfixPolicy()
    """What a promotion in a hurry may leave out."""


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
        return (*found, *self._gate_problems())

    def sources_of(self, environment: str) -> tuple[str, ...]:
        """Returns the environments from which a component is promoted to this one, sorted."""
        return tuple(sorted(self._sources().get(environment, ())))

    def targets_of(self, environment: str) -> tuple[PromotionTarget, ...]:
        """Returns where a component may go from an environment, in the order of the resource."""
        return tuple(
            target
            for path in self.spec.promotion_paths
            if path.source_environment_ref == environment
            for target in path.target_environment_refs
        )

    def target(self, source: str, environment: str) -> PromotionTarget | None:
        """Returns the rules of the step from one environment to another; None = no such step."""
        return next((one for one in self.targets_of(source) if one.name == environment), None)

    def _gate_problems(self) -> list[str]:
        found = []
        for path in self.spec.promotion_paths:
            for target in path.target_environment_refs:
                step = f"the step from {path.source_environment_ref} to {target.name}"
                known = {gate.name for gate in target.gates} | ALWAYS | {APPROVAL}
                taken = sorted({gate.name for gate in target.gates} & (ALWAYS | {APPROVAL}))
                unknown = sorted(set(target.hotfix.skips) - known)
                found += [f"{step} names a gate {name}, which is always there" for name in taken]
                found += [
                    f"{step}, gate {gate.name}: {problem}"
                    for gate in target.gates
                    if gate.check is GateCheck.EXPRESSION
                    and (problem := expression_problem(gate.expression))
                ]
                found += [
                    f"{step} lets a hotfix skip {name}, which is no gate of it" for name in unknown
                ]
        return found

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
