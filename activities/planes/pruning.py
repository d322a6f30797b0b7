"""Removes what a release had: only what Pavane wrote, and nothing of the whole cluster."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable

from temporalio import activity

from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from domain.deliveries import ObjectRef
from domain.errors import NotFound
from domain.policies.managed_fields import is_written


async def pruned(cluster: Cluster, refs: Iterable[ObjectRef]) -> AsyncIterator[str]:
    """Deletes objects and yields what was there, as ``Kind/name``. What is gone is no error.

    A release that failed may name objects that it never got to write: those of others stay, as
    does what only looks as if it were in the namespace of the release.
    """
    for ref in refs:
        kind = await _known(cluster, ref)
        if kind is None or not kind.namespaced:
            continue
        found = await cluster.find(kind, ref.name, ref.namespace)
        if found is None:
            continue
        if not is_written(found):
            activity.logger.info("left %s/%s alone: Pavane did not write it", ref.kind, ref.name)
            continue
        uid = str(found["metadata"]["uid"])
        if await cluster.delete(kind, ref.name, ref.namespace, uid=uid):
            yield f"{ref.kind}/{ref.name}"


async def _known(cluster: Cluster, ref: ObjectRef) -> Kind | None:
    try:
        return await cluster.kind_of(ref.api_version, ref.kind)
    except NotFound:
        return None
