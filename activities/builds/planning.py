"""Plans a build: what is built how and where, and which builds it takes the place of."""

from __future__ import annotations

from temporalio import activity

from activities.common.reading import listed
from activities.common.statuses import now
from clients.kubernetes.cluster import Cluster
from domain.deliveries import BuildPlan, BuildRequest
from domain.errors import InvalidRequest
from domain.policies.supersede import BuildInProgress, superseded_builds
from domain.rendering import labels as names
from domain.resources import Build, BuildPlane, Component, Organization
from domain.resources.build import BuildStatus
from domain.resources.component import BuildSpec

BRANCH_ANNOTATION = "choreo.dev/branch"


def source_of(component: Component) -> BuildSpec:
    """Returns where the source of a component is.

    Raises:
        InvalidRequest: It has no repository.
    """
    if component.build is None:
        message = (
            f"component {component.name} has no repository: "
            "set spec.buildSpecInComponent.repository"
        )
        raise InvalidRequest(message)
    return component.build


def plan_of(
    request: BuildRequest,
    component: Component,
    source: BuildSpec,
    plane: BuildPlane,
    name: str,
    *,
    registry_host: str,
) -> BuildPlan:
    """Returns the plan of a build; ``registry_host`` is taken where the plane names none."""
    registry = plane.spec.registry
    host = registry.host or registry_host
    path = (registry.repository_prefix, request.organization, component.project, component.name)
    return BuildPlan(
        organization=request.organization,
        project=component.project,
        component=request.component,
        name=name,
        repository=source.repository,
        commit=request.commit,
        branch=request.branch,
        context=source.context,
        dockerfile=source.dockerfile,
        test_command=source.test_command,
        template=source.build_template,
        image="/".join(part for part in (host, *path) if part),
        task_queue=plane.task_queue,
        timeout_seconds=source.timeout_seconds,
        service_account=plane.spec.service_account,
        log=f"logs/builds/{request.organization}/{name}/{activity.info().workflow_run_id}",
    )


async def older_builds(
    cluster: Cluster,
    request: BuildRequest,
    build: Build,
    status: BuildStatus,
    organization: Organization,
) -> tuple[str, ...]:
    """Returns the workflow ids of the open builds that this one supersedes."""
    others = await listed(
        cluster, Build, request.organization, f"{names.COMPONENT}={request.component}"
    )
    running = [
        _in_progress(other, other.status)
        for other in others
        if other.name != build.name and _is_open(other.status)
    ]
    policy = organization.spec.builds.supersede
    return superseded_builds(_in_progress(build, status, request.branch), running, policy)


def _is_open(status: BuildStatus) -> bool:
    """Tells whether a build runs, or waits for its turn to."""
    return status.phase is not None and not status.phase.is_terminal


def _in_progress(build: Build, status: BuildStatus, branch: str = "") -> BuildInProgress:
    return BuildInProgress(
        id=status.operation.workflow_id,
        branch=branch or build.metadata.annotations.get(BRANCH_ANNOTATION, ""),
        commit=status.commit,
        started=status.started or now(),
    )
