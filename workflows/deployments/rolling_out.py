"""Rolls one prepared release out: applies it, sees it get ready, closes what it does not need."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from domain.deliveries import DeployRequest, FreezePlace, PreparedRelease
from domain.policies.repairs import is_repair
from workflows.common.progress import Progress
from workflows.common.saga import Saga
from workflows.deployments.attempt import Attempt
from workflows.deployments.probing import probed
from workflows.deployments.putting_back import put_back
from workflows.deployments.rolling import (
    apply_bundle,
    close_ways,
    follow_bundle,
    leave_plane,
    restore,
)
from workflows.guards.edges import Edge


async def roll_out(
    attempt: Attempt, release: PreparedRelease, saga: Saga, progress: Progress, edge: Edge
) -> None:
    """Makes the plane as the release wants it; what undoes that is in the saga before.

    Raises:
        FreezeActive: A freeze began that wants undone what is under way.
    """
    if release.put_back:
        await put_back(attempt, release, progress)
        return
    before = release.previous.release
    saga.add(
        f"restored {before}" if before else "removed what was applied",
        lambda: restore(release),
    )
    with progress.step("apply"):
        open_ways = await apply_bundle(release, release.bundle, release.previous, attempt.request)
    attempt.facts.applied()
    limit = timedelta(seconds=release.progress_deadline_seconds)
    until = workflow.now() + limit
    with progress.step("rollout", awaiting="ready pods", until=until):
        ready = await _followed(attempt.request, release, edge)
        await close_ways(release, release.bundle, open_ways)
        if release.probes is not None:
            ready = f"{ready}; {await probed(attempt, release, release.probes, progress)}"
    progress.note("rollout", ready)
    if release.left_queue:
        left = await leave_plane(release)
        attempt.facts.left(release.left_queue, left)
        progress.note("rollout", f"{ready}; {left or 'taken down where it was before'}")


async def _followed(request: DeployRequest, release: PreparedRelease, edge: Edge) -> str:
    """Waits for ready pods; what brings back what ran goes on in any freeze."""
    follow = follow_bundle(release, release.bundle)
    if is_repair(request):
        return await follow
    place = FreezePlace(
        organization=release.organization,
        project=release.project,
        component=release.component,
        environment=release.environment,
    )
    return await edge.unless_reverted(follow, place, release.freeze)
