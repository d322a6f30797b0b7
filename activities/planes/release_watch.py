"""Looks at a release for a while after it got ready."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import activity

from activities.common.clocks import Clock
from activities.common.heartbeats import heartbeating
from activities.common.reading import find
from activities.planes.applied import AppliedObjects
from activities.planes.following import Follower
from activities.releases.bundles import bundle_of, objects_of
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.objects import ObjectStore
from domain.deliveries import FollowRollout
from domain.deliveries.deployments import is_followed
from domain.deliveries.promotion_effects import WatchRelease
from domain.errors import InvalidRequest, VerificationFailed
from domain.policies.deadlines import time_left
from domain.resources import Release

_GRACE = timedelta(seconds=30)
"""How long it may be less than ready without that counting: pods are moved now and then."""


class ReleaseWatchActivities:
    """Looks at what runs on a plane."""

    def __init__(self, cluster: Cluster, watches: SharedWatches, objects: ObjectStore) -> None:
        self._cluster = cluster
        self._watches = watches
        self._objects = objects
        self._applied = AppliedObjects(cluster, watches)

    @activity.defn
    async def watch_release(self, request: WatchRelease) -> None:
        """Returns when the release kept its health for the whole time.

        Idempotent: a reading; the time counts from when the watch was asked for, not from when
        this worker took it up. Cancel: at once. Heartbeat: what was seen last.

        Raises:
            VerificationFailed: It lost its health for longer than a moment.
            InvalidRequest: The release is not known.
        """
        release = await find(self._cluster, Release, request.release, request.organization)
        if release is None:
            raise InvalidRequest(f"Release {request.release} does not exist")
        bundle = bundle_of(release)
        objects = await objects_of(bundle, self._objects)
        wanted = [
            (obj, await self._cluster.kind_of(obj["apiVersion"], obj["kind"]))
            for obj in objects
            if is_followed(obj["kind"])
        ]
        clock = Clock()
        follow = FollowRollout(bundle=bundle)
        follower = Follower(self._applied, self._watches, follow, wanted, clock)
        left = time_left(
            timedelta(seconds=request.seconds), activity.info().scheduled_time, clock.now()
        )
        async with heartbeating(lambda: follower.verdict.message):
            try:
                async with asyncio.timeout(left.total_seconds()):
                    verdict = await follower.lost(_GRACE)
            except TimeoutError:
                return
            raise VerificationFailed(
                f"{request.release} lost its health: {verdict.message}",
                facts={"reason": verdict.reason},
            )
