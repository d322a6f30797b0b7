"""What is done on a plane to bring a release there, and to bring back the one before."""

from __future__ import annotations

from datetime import timedelta

from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.planes.rollouts import RolloutActivities
from activities.teardown.planes import TeardownPlaneActivities
from domain.deliveries import (
    ApplyRelease,
    Bundle,
    CloseWays,
    DeployRequest,
    FollowRollout,
    PreparedRelease,
)
from domain.deliveries.teardown import PlaneSweep
from runtime.errors import as_domain_error
from workflows.common.calls import WRITE, call, watch

_LEAVING = timedelta(minutes=10)
"""How long a plane that is left may be away before what is on it stays there."""


async def apply_bundle(
    release: PreparedRelease, bundle: Bundle, previous: Bundle, request: DeployRequest | None
) -> tuple[str, ...]:
    """Makes the objects so and prunes what only ``previous`` had; no request = it is restored.

    Returns the network policies that are to be closed when the pods of ``previous`` are gone.
    """
    restores = request is None
    force = release.force_conflicts or (request is not None and request.force_conflicts)
    applied = await call(
        RolloutActivities.apply_release,
        ApplyRelease(
            bundle=bundle,
            previous=previous,
            force_conflicts=force,
            yields=restores,
            organization=release.organization,
            holds_open=True,
        ),
        f"apply {bundle.release or 'nothing'} in {bundle.namespace or previous.namespace}",
        queue=release.task_queue,
        options=WRITE,
        even_if_cancelled=restores,
    )
    return applied.held_open


async def follow_bundle(
    release: PreparedRelease, bundle: Bundle, *, even_if_cancelled: bool = False
) -> str:
    """Waits until the objects are ready; returns what a person should know of it."""
    limit = timedelta(seconds=release.progress_deadline_seconds)
    ready = await call(
        RolloutActivities.follow_rollout,
        FollowRollout(
            bundle=bundle.followed(),
            only=release.put_back,
            health=release.health,
            deadline_seconds=release.progress_deadline_seconds,
        ),
        f"await ready pods of {bundle.release}",
        queue=release.task_queue,
        options=watch(limit),
        even_if_cancelled=even_if_cancelled,
    )
    return ready.message


async def sweep(release: PreparedRelease) -> None:
    """Removes what carries the labels of the component, where no release tells what it has."""
    await call(
        TeardownPlaneActivities.sweep_plane,
        PlaneSweep(
            organization=release.organization,
            plane=release.plane,
            task_queue=release.task_queue,
            namespaces=(release.swept,),
            component=release.component,
        ),
        f"remove {release.component} from {release.swept}",
        queue=release.task_queue,
        options=WRITE,
    )


async def leave_plane(release: PreparedRelease) -> str:
    """Takes down what ran on another plane; returns why it could not, empty = it is gone.

    What runs here is ready, so a plane that does not answer any more fails nothing.
    """
    limit = {"schedule_to_close_timeout": _LEAVING}
    try:
        await call(
            RolloutActivities.apply_release,
            ApplyRelease(
                bundle=Bundle(namespace=release.left.namespace),
                previous=release.left,
                organization=release.organization,
            ),
            f"take down {release.left.release} where it was before",
            queue=release.left_queue,
            options={**WRITE, **limit},  # type: ignore[typeddict-item] # one key of it
        )
    except FailureError as failure:
        if is_cancelled_exception(failure):
            raise
        return f"stays on {release.left_queue}: {as_domain_error(failure).message}"
    return ""


async def close_ways(
    release: PreparedRelease,
    bundle: Bundle,
    policies: tuple[str, ...],
    *,
    even_if_cancelled: bool = False,
) -> None:
    """Closes what policies held open, once the pods that needed it are gone; nothing = returns."""
    if not policies:
        return
    limit = timedelta(seconds=release.progress_deadline_seconds)
    await call(
        RolloutActivities.close_ways,
        CloseWays(
            bundle=bundle,
            policies=policies,
            organization=release.organization,
            # What is restored was forced where that was needed; this is the same once more.
            force_conflicts=release.force_conflicts or even_if_cancelled,
            deadline_seconds=release.progress_deadline_seconds,
        ),
        f"close ways that {bundle.release} does not need, when the last old pods are gone",
        queue=release.task_queue,
        options=watch(limit),
        even_if_cancelled=even_if_cancelled,
    )


async def restore(release: PreparedRelease) -> None:
    """Applies what ran before and waits until it is ready again."""
    open_ways = await apply_bundle(release, release.previous, release.bundle, None)
    if release.previous.release:
        await follow_bundle(release, release.previous, even_if_cancelled=True)
    await close_ways(release, release.previous, open_ways, even_if_cancelled=True)
