"""Makes drifted objects of the release that runs as they were."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow

from activities.planes.drift import DriftPlaneActivities
from domain.deliveries import PreparedRelease, PutBackRequest
from workflows.common.calls import WRITE, call
from workflows.common.progress import Progress
from workflows.deployments.attempt import Attempt
from workflows.deployments.rolling import follow_bundle


async def put_back(attempt: Attempt, release: PreparedRelease, progress: Progress) -> None:
    """Makes drifted objects as they were. No undo: that would redo what nobody here asked."""
    with progress.step("apply"):
        applied = await call(
            DriftPlaneActivities.put_back_objects,
            PutBackRequest(
                bundle=release.bundle,
                objects=release.put_back,
                organization=release.organization,
                take_over=release.take_over,
            ),
            f"put back {', '.join(release.put_back[:3])} in {release.bundle.namespace}",
            queue=release.task_queue,
            options=WRITE,
        )
    progress.note("apply", f"put back {', '.join(applied.applied) or 'nothing'}")
    attempt.facts.put_back(applied.applied)
    until = workflow.now() + timedelta(seconds=release.progress_deadline_seconds)
    with progress.step("rollout", awaiting="ready pods", until=until):
        ready = await follow_bundle(release, release.bundle)
    progress.note("rollout", ready)
