"""Finds components and tells which version of them is where, and why not a newer one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

from api.kinds import kind_of
from api.operations.reading import operation_id
from api.schemas.components import ComponentStatusView, EndpointView, Placement
from clients.kubernetes import Cluster
from domain import ids
from domain.errors import NotFound
from domain.phases import Phase
from domain.resources import (
    Build,
    Component,
    DeployableArtifact,
    Deployment,
    DeploymentPipeline,
    Project,
    Resource,
    parse_as,
)
from domain.resources.binding import Binding
from domain.resources.conditions import ConditionType
from domain.resources.deployment import DeployAction
from domain.resources.families import family_of

R = TypeVar("R", bound=Resource)
_NEVER = datetime.min.replace(tzinfo=UTC)


async def component_of(cluster: Cluster, organization: str, name: str) -> Component:
    """Returns a component.

    Raises:
        NotFound: There is none.
    """
    ids.slug(name, "component")
    found = await cluster.find(kind_of(Component), name, organization)
    if found is None:
        raise NotFound(f"there is no component {name} in {organization}")
    return parse_as(Component, found)


async def all_of(cluster: Cluster, model: type[R], organization: str) -> list[R]:
    """Returns all resources of a kind in an organization."""
    listing = await cluster.list(kind_of(model), organization)
    return [parse_as(model, item) for item in listing.items]


async def status_of(cluster: Cluster, component: Component) -> ComponentStatusView:
    """Returns where which version of a component is."""
    organization = component.organization
    artifacts, bindings, deployments, builds, order = await asyncio.gather(
        all_of(cluster, DeployableArtifact, organization),
        all_of(cluster, family_of(component).binding, organization),
        all_of(cluster, Deployment, organization),
        all_of(cluster, Build, organization),
        _environments(cluster, component),
    )
    newest = _newest(one for one in artifacts if one.component == component.name)
    bound = {one.environment: one for one in bindings if one.component == component.name}
    places = [*order, *sorted(set(bound) - set(order))]
    own = [one for one in deployments if one.spec.component_ref == component.name]
    build = _newest(one for one in builds if one.component == component.name)
    return ComponentStatusView(
        organization=organization,
        project=component.project,
        component=component.name,
        repository=component.build.repository if component.build else "",
        branch=component.build.branch if component.build else "",
        newest=newest.name if newest else "",
        newest_version=newest.version if newest else "",
        last_build=_build(build) if build else None,
        environments=tuple(_placement(place, bound.get(place), own, newest) for place in places),
    )


async def _environments(cluster: Cluster, component: Component) -> tuple[str, ...]:
    """The environments of the component's pipeline in order; none where it cannot be read."""
    project = await cluster.find(kind_of(Project), component.project, component.organization)
    if project is None:
        return ()
    pipeline = await cluster.find(
        kind_of(DeploymentPipeline),
        parse_as(Project, project).spec.deployment_pipeline_ref,
        component.organization,
    )
    return parse_as(DeploymentPipeline, pipeline).environments if pipeline else ()


def _newest(resources: Iterable[R]) -> R | None:
    return max(resources, key=_age, default=None)


def _age(resource: Resource) -> tuple[datetime, str]:
    created = resource.metadata.creation_timestamp
    return (created or _NEVER, resource.name)


def _build(build: Build) -> dict[str, str]:
    operation = build.status.operation
    return {
        "name": build.name,
        "phase": (build.status.phase or Phase.PENDING).value,
        "message": build.status.message,
        "commit": build.status.commit,
        "artifact": build.status.artifact_ref,
        "operation": operation_id(operation.workflow_id, operation.run_id),
    }


def _placement(
    environment: str,
    binding: Binding | None,
    deployments: Sequence[Deployment],
    newest: DeployableArtifact | None,
) -> Placement:
    if binding is None:
        why = "nothing was ever deployed here" if newest else "there is no artifact yet"
        return Placement(environment=environment, current=False, reason="NotBound", message=why)
    status = binding.status
    ready = status.condition("Ready")
    current = newest is not None and status.artifact_ref == newest.name
    reason, message = _why(binding, newest)
    operation = status.operation
    return Placement(
        environment=environment,
        wanted=binding.artifact,
        version=status.version,
        artifact=status.artifact_ref,
        current=current,
        ready=ready is not None and ready.is_true and binding.is_observed,
        reason=reason,
        message=message,
        drift=_drift(binding),
        url=status.url,
        endpoints=tuple(EndpointView(**one.model_dump(by_alias=False)) for one in status.endpoints),
        since=running_since(binding, deployments),
        operation=operation_id(operation.workflow_id, operation.run_id),
    )


def running_since(binding: Binding, deployments: Sequence[Deployment]) -> datetime | None:
    """Returns since when the release that runs there has run; None = nothing runs, or unknown."""
    running = binding.status.release_ref
    ended = [
        # Whole seconds are told: of two that ended in one, what runs came last.
        (one.status.finished, one.spec.release_ref == running)
        for one in deployments
        if one.spec.environment_ref == binding.environment
        and one.status.phase is Phase.SUCCEEDED
        and one.status.finished is not None
        # What runs is the same before and after a put-back.
        and one.spec.action is not DeployAction.PUT_BACK
    ]
    since = None
    for finished, is_running in sorted(ended, reverse=True):
        if not binding.status.artifact_ref or not is_running:
            break
        since = finished
    return since


def _drift(binding: Binding) -> str:
    told = binding.status.condition(ConditionType.DRIFTED)
    return "" if told is None else f"{told.reason}: {told.message}"


def _why(binding: Binding, newest: DeployableArtifact | None) -> tuple[str, str]:
    """Returns reason and message: a failure first, then a choice, then nothing to explain."""
    wanted, ready = binding.artifact, binding.status.condition("Ready")
    if not binding.is_observed:
        return "NotObserved", "a change of the binding has not been looked at yet"
    if ready is not None and not ready.is_true:
        return ready.reason, ready.message
    if newest is None or not wanted:
        which = f"the newest is {newest.name}" if newest else "there is none yet"
        return "WaitingForArtifact", f"no artifact is asked for; {which}"
    if wanted != newest.name:
        return "NotPromoted", f"the binding asks for {wanted}; the newest is {newest.name}"
    if binding.status.artifact_ref != wanted:
        return "Deploying", f"{wanted} is wanted and does not run yet"
    return (ready.reason, ready.message) if ready else ("", "")
