"""Reads promotions and what is remembered of places, for the routes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from temporalio.client import Client, WorkflowQueryFailedError
from temporalio.service import RPCError, RPCStatusCode

from api.access import Access
from api.kinds import kind_of
from api.schemas.promotions import (
    PipelineView,
    StageView,
    StepView,
)
from api.views.components import component_of, status_of
from clients.kubernetes import Cluster
from domain import ids
from domain.deliveries.promotions import Promotion
from domain.deliveries.standings import Standing
from domain.errors import InvalidRequest, NotFound
from domain.policies.promotion.standing import is_held, pinned
from domain.resources import (
    Action,
    Component,
    DeployableArtifact,
    DeploymentPipeline,
    Project,
    parse_as,
)
from domain.resources.pipeline import PromotionTarget
from workflows.promotions.promotion import PromotionWorkflow
from workflows.promotions.standings import TemporalStandings


async def permitted(
    access: Access, cluster: Cluster, place: tuple[str, str, str], action: Action
) -> None:
    """Returns when the caller may do that there.

    Raises:
        NotFound: There is no such component for this person.
        Denied: They may not.
    """
    organization, name, environment = place
    await access.organization(organization)
    component = await component_of(cluster, organization, name)
    await access.require(organization, action, project=component.project, environment=environment)


async def artifact_to_pin(
    cluster: Cluster, organization: str, name: str, environment: str, *, named: str
) -> str:
    """Returns the artifact to which a place is pinned: the one that is named, or what runs.

    Raises:
        InvalidRequest: It is none of the component, or nothing runs there.
    """
    component = await component_of(cluster, organization, name)
    if not named:
        status = await status_of(cluster, component)
        running = next((one for one in status.environments if one.environment == environment), None)
        if running is None or not running.artifact:
            raise InvalidRequest(f"nothing of {name} runs in {environment}: name an artifact")
        return running.artifact
    return await artifact_of(cluster, organization, name, named)


async def artifact_of(cluster: Cluster, organization: str, name: str, named: str) -> str:
    """Returns the name of an artifact of a component.

    Raises:
        InvalidRequest: It is none.
    """
    ids.slug(named, "artifact")
    found = await cluster.find(kind_of(DeployableArtifact), named, organization)
    if found is None or parse_as(DeployableArtifact, found).component != name:
        raise InvalidRequest(f"{named} is no artifact of {name}: see pavane get artifacts")
    return named


async def promotion_of(
    client: Client, organization: str, component: str, environment: str
) -> Promotion:
    """Returns the promotion of a place as it is now, or how the last one ended.

    Raises:
        NotFound: Nothing was promoted there, as far as Temporal remembers.
    """
    handle = client.get_workflow_handle_for(
        PromotionWorkflow.run, ids.promotion_id(organization, component, environment)
    )
    try:
        found: Promotion = await handle.query(PromotionWorkflow.promotion)
    except (RPCError, WorkflowQueryFailedError) as error:
        if isinstance(error, RPCError) and error.status is not RPCStatusCode.NOT_FOUND:
            raise
        raise NotFound(f"there is no promotion of {component} to {environment}") from error
    return found


async def pipeline_view(
    cluster: Cluster, client: Client, organization: str, name: str
) -> PipelineView:
    """Returns the pipeline of a component with what is where.

    Raises:
        NotFound: The component, its project or its pipeline does not exist.
    """
    component = await component_of(cluster, organization, name)
    pipeline = await _pipeline(cluster, component)
    status = await status_of(cluster, component)
    places = {one.environment: one for one in status.environments}
    held = {
        one.environment: "; ".join(_held(one, datetime.now(UTC)))
        for one in await TemporalStandings(client).awaiting(organization)
        if one.component == name
    }
    stages = []
    for environment in pipeline.environments:
        place = places.get(environment)
        stages.append(
            StageView(
                environment=environment,
                version=place.version if place else "",
                artifact=place.artifact if place else "",
                ready=place.ready if place else False,
                since=place.since if place else None,
                held=held.get(environment, ""),
            )
        )
    return PipelineView(
        name=pipeline.name,
        component=name,
        problems=pipeline.problems(),
        stages=tuple(stages),
        steps=tuple(_steps(pipeline)),
    )


def _held(standing: Standing, now: datetime) -> Iterable[str]:
    """Says why nothing, or only one version, comes there."""
    if standing.pin is not None and pinned(standing, "", now):
        yield f"pinned to {standing.pin.artifact}: {standing.pin.reason}"
    if standing.hold is not None and is_held(standing, now):
        yield standing.hold.reason


def _steps(pipeline: DeploymentPipeline) -> Iterable[StepView]:
    for path in pipeline.spec.promotion_paths:
        for target in path.target_environment_refs:
            yield StepView(
                source=path.source_environment_ref,
                target=target.name,
                mode=target.mode.value,
                gates=tuple(f"{gate.name} ({gate.check})" for gate in target.gates),
                approval=_approval(target),
                soak_seconds=target.soak_seconds,
                watch_seconds=target.watch_seconds,
                on_failure=target.on_failure.value,
                hotfix_skips=target.hotfix.skips,
            )


def _approval(target: PromotionTarget) -> str:
    if target.approval is None:
        return ""
    groups = ", ".join((*target.approval.groups, *target.approval.required_groups))
    return f"{target.approval.quorum} of {groups or 'those who may approve there'}"


async def _pipeline(cluster: Cluster, component: Component) -> DeploymentPipeline:
    where = component.organization
    project = await cluster.find(kind_of(Project), component.project, where)
    name = parse_as(Project, project).spec.deployment_pipeline_ref if project else ""
    found = await cluster.find(kind_of(DeploymentPipeline), name, where) if name else None
    if found is None:
        raise NotFound(f"component {component.name} has no pipeline: project {component.project}")
    return parse_as(DeploymentPipeline, found)
