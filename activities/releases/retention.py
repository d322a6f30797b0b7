"""Deletes what a component no longer needs of its past in an environment."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from activities.common.kinds import platform
from activities.common.reading import listed
from activities.common.statuses import now
from activities.common.together import together
from clients.kubernetes.cluster import Cluster
from domain.deliveries import PreparedRelease
from domain.policies.retention import KEPT_DEPLOYMENTS, KEPT_RELEASES, Stored, expired
from domain.rendering import labels as names
from domain.resources import Deployment, Release, Resource


async def forget_old(cluster: Cluster, prepared: PreparedRelease) -> None:
    """Deletes Releases and Deployments of a place beyond those that are kept. Idempotent.

    The history of deployments is in the records database; the resources are its latest part.
    """
    selector = f"{names.COMPONENT}={prepared.component},{names.ENVIRONMENT}={prepared.environment}"
    where = prepared.organization

    async def releases() -> None:
        found = await listed(cluster, Release, where, selector)
        stored = [
            Stored(name=each.name, last_used=each.status.applied or _made(each)) for each in found
        ]
        in_use = {prepared.bundle.release, prepared.previous.release}
        await _delete(cluster, Release, where, expired(stored, in_use, KEPT_RELEASES))

    async def deployments() -> None:
        found = await listed(cluster, Deployment, where, selector)
        stored = [Stored(name=each.name, last_used=_made(each)) for each in found]
        # One that has not ended is somebody's business, however old it is.
        in_use = {each.name for each in found if each.status.phase is None}
        in_use.add(prepared.deployment)
        await _delete(cluster, Deployment, where, expired(stored, in_use, KEPT_DEPLOYMENTS))

    await together(releases(), deployments())


async def _delete(
    cluster: Cluster, kind: type[Resource], namespace: str, old: Iterable[str]
) -> None:
    for name in old:
        await cluster.delete(platform(kind.kind), name, namespace)


def _made(resource: Resource) -> datetime:
    return resource.metadata.creation_timestamp or now()
