"""What a deployment is before it begins: its release, its name, what it does, what ran before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from temporalio import activity

from activities.builds.artifacts import labels
from domain import ids
from domain.deliveries import (
    Bundle,
    ConfigurationPin,
    DeployRequest,
    EndpointAt,
    HealthCheck,
    PreparedRelease,
)
from domain.policies.drift import said
from domain.rendering import labels as names
from domain.rendering.facts import DEFAULT_DEADLINE_SECONDS, ReleaseFacts, RenderedRelease
from domain.resources import BindingState, DataPlane, DeployableArtifact, Metadata, Release
from domain.resources.binding import Binding, EndpointAddress
from domain.resources.conditions import ConditionType
from domain.resources.configured import GivenRevision
from domain.resources.deployment import DeployAction, ReleaseSpec
from domain.resources.environment import ConflictPolicy

_ACTIONS = {
    BindingState.ACTIVE: DeployAction.DEPLOY,
    BindingState.SUSPEND: DeployAction.SUSPEND,
    BindingState.UNDEPLOY: DeployAction.UNDEPLOY,
}


def deployment_name(binding: Binding, request: DeployRequest) -> str:
    """Names one event: equal for all tries of it, different for each run of the procedure."""
    event = {"run": activity.info().workflow_run_id, "request": request.request_id}
    return ids.content_name(f"{binding.name}-{binding.metadata.generation}", event)


def reached(addresses: Iterable[EndpointAddress]) -> tuple[EndpointAt, ...]:
    """Returns where endpoints are reached, as it is passed on."""
    return tuple(
        EndpointAt(name=one.name, type=one.type, visibility=one.visibility, url=one.url)
        for one in addresses
    )


def release_of(facts: ReleaseFacts, rendered: RenderedRelease, bundle: Bundle) -> Release:
    """Returns the Release resource of what was rendered."""
    return Release(
        metadata=Metadata(
            name=rendered.name,
            namespace=facts.organization,
            labels={
                **labels(facts.organization, facts.project, facts.component.name),
                names.ENVIRONMENT: facts.environment.name,
            },
        ),
        spec=ReleaseSpec(
            component_ref=facts.component.name,
            environment_ref=facts.environment.name,
            namespace=rendered.namespace,
            image=rendered.image,
            version=facts.artifact.version if facts.artifact else "",
            class_revision_ref=facts.component_class.revision,
            hash=rendered.hash,
            objects=bundle.objects,
            stored=bundle.stored,
            configuration=tuple(
                GivenRevision(group_ref=one.group.name, revision_ref=one.group.revision)
                for one in facts.configuration
            ),
        ),
    )


def told_of(facts: ReleaseFacts, rendered: RenderedRelease) -> dict[str, object]:
    """Returns what a deployment tells of what was rendered, and how it is to be brought there."""
    return {
        "force_conflicts": facts.environment.spec.conflicts is ConflictPolicy.FORCE,
        "project": facts.project,
        "image": rendered.image,
        "class_revision": facts.component_class.revision,
        "interfaces": facts.interfaces.hash,
        "configuration": tuple(
            ConfigurationPin(group=one.group.name, revision=one.group.revision)
            for one in facts.configuration
        ),
        "health": tuple(HealthCheck.model_validate(one.model_dump()) for one in rendered.health),
        "url": rendered.url,
        "endpoints": reached(rendered.endpoints),
        "progress_deadline_seconds": rendered.progress_deadline_seconds,
    }


def against_drift(
    request: DeployRequest,
    binding: Binding,
    prepared: PreparedRelease,
    rendered: RenderedRelease,
) -> dict[str, object]:
    """A person who deploys again what runs, but drifted, wants it as it was."""
    drifted = binding.status.condition(ConditionType.DRIFTED) is not None
    if request.trigger.is_automatic or prepared.changed or not drifted:
        return {}
    return {
        "changed": True,
        "put_back": tuple(said(each) for each in rendered.objects),
        "take_over": request.force_conflicts,
    }


def pins(given: Iterable[GivenRevision]) -> tuple[ConfigurationPin, ...]:
    """Returns revisions of configuration groups as procedures carry them."""
    return tuple(ConfigurationPin(group=one.group_ref, revision=one.revision_ref) for one in given)


def deadline_of(objects: Iterable[dict[str, Any]]) -> int:
    """Returns how long the workload of a release may go without progress."""
    for each in objects:
        if seconds := each.get("spec", {}).get("progressDeadlineSeconds"):
            return int(seconds)
    return DEFAULT_DEADLINE_SECONDS


def of_artifact(
    artifact: DeployableArtifact | None, prepared: PreparedRelease
) -> dict[str, object]:
    """Returns what is told of the artifact; the time of its build only when it is brought anew."""
    if artifact is None:
        return {"version": ""}
    is_new = prepared.changed and artifact.name != prepared.from_artifact
    seconds = artifact.spec.build_seconds if is_new else None
    return {"version": artifact.version, "build_seconds": seconds}


def moved(before: DataPlane | None, to: DataPlane, previous: Bundle) -> dict[str, object]:
    """Returns what changes when what runs is on another plane than that of the environment.

    There it stays until it is ready here; here there is nothing that could be pruned or restored.
    """
    if before is None or before.task_queue == to.task_queue or not previous.release:
        return {}
    return {
        "left": previous,
        "left_queue": before.task_queue,
        "previous": Bundle(),
        "changed": True,
    }


def prepared_of(
    request: DeployRequest,
    binding: Binding,
    plane: DataPlane | None,
    bundle: Bundle,
    previous: Bundle,
) -> PreparedRelease:
    """Returns what is known of a deployment whatever is rendered; no plane = none is needed."""
    ready = binding.status.condition("Ready")
    settled = ready is not None and ready.is_true
    return PreparedRelease(
        organization=binding.organization,
        project=binding.metadata.labels.get(names.PROJECT, ""),
        component=binding.component or request.component,
        environment=binding.environment,
        binding=binding.name,
        binding_kind=binding.kind,
        generation=binding.metadata.generation,
        deployment=deployment_name(binding, request),
        artifact=binding.artifact,
        task_queue=plane.task_queue if plane else "",
        plane=plane.name if plane else "",
        bundle=bundle,
        previous=previous,
        from_artifact=binding.status.artifact_ref,
        from_version=binding.status.version,
        from_image=binding.status.image,
        changed=bundle.release != previous.release or not settled,
        action=_ACTIONS[binding.wanted_state],
    )
