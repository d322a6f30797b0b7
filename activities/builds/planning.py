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
    registry, pulls = plane.spec.registry, pull_path(plane)
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
        pull_path=pulls,
        pull_host=registry.host,
        log=f"logs/builds/{request.organization}/{name}/{activity.info().workflow_run_id}",
    )


def pull_path(plane: BuildPlane) -> str:
    """Returns the secret by which nodes of a build plane pull; empty = it is nobody there.

    Raises:
        InvalidRequest: The plane does not say for which registry its credential is.
    """
    credentials = plane.spec.registry.credentials
    path = credentials.vault_path.strip("/") if credentials else ""
    if path and not plane.spec.registry.host:
        raise InvalidRequest(
            f"BuildPlane {plane.name}: spec.registry.credentials needs spec.registry.host, as it "
            "stands in the names of images"
        )
    return path


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
