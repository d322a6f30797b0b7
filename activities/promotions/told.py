"""What resources tell of a promotion, in the words that gates are judged by. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from activities.builds.artifacts import new_binding
from domain.deliveries.promotions import ArtifactFacts, GateRule, PlaceFacts, StepRules
from domain.resources import Component, DeployableArtifact, Release
from domain.resources.binding import Binding
from domain.resources.conditions import Reason
from domain.resources.pipeline import PromotionTarget


def place_facts(binding: Binding, release: Release | None) -> PlaceFacts:
    """Returns what runs in a place, as its binding tells it."""
    ready = binding.status.condition("Ready")
    # A wish that was refused says nothing about what runs.
    refused = ready is not None and ready.reason in {Reason.GATE_CLOSED, Reason.DENIED}
    is_ready = ready is not None and (ready.is_true or (refused and release is not None))
    since = ready.last_transition_time if ready else None
    if since is not None and release is not None and release.status.applied is not None:
        since = release.status.applied if refused else max(since, release.status.applied)
    return PlaceFacts(
        environment=binding.environment,
        binding=binding.name,
        binding_kind=binding.kind,
        artifact=binding.status.artifact_ref,
        version=binding.status.version,
        release=binding.status.release_ref,
        wanted=binding.artifact,
        ready=is_ready and bool(binding.status.artifact_ref),
        reason=ready.reason if ready else "",
        message=ready.message if ready else "",
        since=since,
    )


def artifact_facts(artifact: DeployableArtifact, authors: Iterable[str] = ()) -> ArtifactFacts:
    """Returns what gates are told of an artifact, with the authors of what it brings along."""
    spec = artifact.spec
    return ArtifactFacts(
        name=artifact.name,
        image=spec.image,
        commit=spec.commit,
        branch=spec.branch,
        version=artifact.version,
        build=spec.build_ref,
        has_test_report=bool(spec.test_report),
        scan=spec.scan.verdict,
        scan_reason=spec.scan.reason,
        authors=tuple(sorted({*spec.authors, *authors})),
    )


def step_rules(step: PromotionTarget | None) -> StepRules:
    """Returns what the pipeline asks of a step; nothing when there is no such step."""
    if step is None:
        return StepRules()
    given = step.model_dump(exclude={"gates", "approval", "hotfix", "mode", "name"})
    return StepRules.model_validate(
        {
            **given,
            "auto": step.mode == "Auto",
            "gates": [GateRule.model_validate(gate.model_dump()) for gate in step.gates],
            "approval": step.approval.rule if step.approval else None,
            "skips": step.hotfix.skips,
        }
    )


def pointed(
    component: Component, environment: str, binding: Binding | None, artifact: str
) -> Binding:
    """Returns the binding as it would be; nothing is written."""
    if binding is not None:
        spec = binding.spec.model_copy(update={"artifact_ref": artifact})
        return binding.model_copy(update={"spec": spec})
    return new_binding(component, environment, artifact)
