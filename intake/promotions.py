"""Which promotions a binding asks for by being ready: the automatic steps of its pipeline."""

from __future__ import annotations

from collections.abc import Iterable

from domain import ids
from domain.deliveries import Trigger, TriggerKind
from domain.deliveries.promotions import PromotionRequest
from domain.resources import Component, DeploymentPipeline, Project
from domain.resources.binding import Binding
from domain.resources.conditions import Reason
from domain.resources.pipeline import PromotionMode
from intake.world import World


def automatic_promotions(binding: Binding, world: World) -> tuple[PromotionRequest, ...]:
    """Returns what goes on by itself from a binding that is ready, in the order of the pipeline.

    What was rolled back goes nowhere: it would undo in the next environment what is good there.
    """
    ready = binding.status.condition("Ready")
    runs = ready is not None and ready.is_true and ready.reason != Reason.ROLLED_BACK
    if binding.is_deleted or not runs or not binding.status.artifact_ref:
        return ()
    return tuple(_requests(binding, world))


def _requests(binding: Binding, world: World) -> Iterable[PromotionRequest]:
    where, source = binding.organization, binding.environment
    pipeline = pipeline_of(binding, world)
    for target in pipeline.targets_of(source) if pipeline else ():
        if target.mode is not PromotionMode.AUTO:
            continue
        name = ids.binding_name(binding.component, target.name)
        there = world.find(type(binding), where, name)
        if there is not None and there.status.artifact_ref == binding.status.artifact_ref:
            continue
        yield PromotionRequest(
            organization=where,
            component=binding.component,
            environment=target.name,
            request_id=f"auto-{binding.status.release_ref}",
            source=source,
            artifact=binding.status.artifact_ref,
            trigger=Trigger(
                kind=TriggerKind.AUTOMATIC, reference=f"{binding.kind} {binding.name} is ready"
            ),
        )


def pipeline_of(binding: Binding, world: World) -> DeploymentPipeline | None:
    """Returns the pipeline that a binding's component goes through, None when it is not there."""
    where = binding.organization
    component = world.find(Component, where, binding.component)
    project = world.find(Project, where, component.project) if component else None
    if project is None:
        return None
    return world.find(DeploymentPipeline, where, project.spec.deployment_pipeline_ref)
