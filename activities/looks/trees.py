"""Looks at the objects of a component on its plane, from the shared watches."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.common.clocks import Clock
from activities.common.heartbeats import heartbeating
from activities.common.kinds import JOBS, PODS, RELEASE_KINDS, REPLICA_SETS
from activities.common.namespaces import check_owner, check_places
from activities.common.observation import Changes, changes
from activities.common.together import together
from activities.releases.bundles import objects_of
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from clients.kubernetes.shared import SharedWatches
from clients.objects import ObjectStore
from domain.deliveries.deployments import is_followed
from domain.deliveries.trees import ComponentTree, PreparedLook
from domain.errors import DependencyUnavailable
from domain.policies.trees import Seen, grown, node_id
from domain.rendering import labels as names

_SYNC_SECONDS = 20
_TOGETHER_SECONDS = 0.1
"""What changes at once is told at once."""
_BESIDE: Mapping[str, tuple[Kind, ...]] = {
    "Deployment": (REPLICA_SETS, PODS),
    "CronJob": (JOBS, PODS),
    "Job": (PODS,),
}
"""What controllers make of an object of a kind."""


class TreeActivities:
    """Readings of one plane."""

    def __init__(self, cluster: Cluster, watches: SharedWatches, objects: ObjectStore) -> None:
        self._cluster = cluster
        self._watches = watches
        self._objects = objects

    @activity.defn
    async def see_tree(self, look: PreparedLook) -> ComponentTree:
        """Returns the tree of a component: at once, or when it is another than is known.

        Idempotent: a reading. Cancel: at once. Heartbeat: how the component is. The patience
        counts from when the look was asked for; after it the tree is told as it is.

        Raises:
            Denied: The release names objects or a namespace of somebody else.
            DependencyUnavailable: The API server of the plane does not answer.
        """
        if look.bundle is None:
            return _planted(look)
        wanted = await objects_of(look.bundle, self._objects)
        check_places(wanted, look.bundle.namespace)
        await check_owner(self._cluster, look.bundle.namespace, look.request.organization)
        kinds = [await self._cluster.kind_of(one["apiVersion"], one["kind"]) for one in wanted]
        view = _View(self._cluster, self._watches, look, list(zip(wanted, kinds, strict=True)))
        async with heartbeating(lambda: view.tree.message):
            try:
                async with (
                    asyncio.timeout(_SYNC_SECONDS) as bound,
                    changes(view.watched.values(), view.is_ours) as seen,
                ):
                    await view.read()
                    bound.reschedule(None)
                    await view.settle(seen)
            except TimeoutError:
                raise DependencyUnavailable(
                    f"the API server of the plane did not list what runs within {_SYNC_SECONDS} s"
                ) from None
        return view.tree


class _View:
    """What is seen of one component, and the tree it makes."""

    def __init__(
        self,
        cluster: Cluster,
        watches: SharedWatches,
        look: PreparedLook,
        wanted: Sequence[tuple[dict[str, Any], Kind]],
    ) -> None:
        self._cluster = cluster
        self._look = look
        self._wanted = [one for one, _ in wanted]
        self._still = [(one, kind) for one, kind in wanted if not _is_watched(one, kind)]
        self._found: dict[str, dict[str, Any]] = {}
        self._clock = Clock()
        kinds = {kind for one, kind in wanted if _is_watched(one, kind)}
        kinds |= {kind for one in self._wanted for kind in _BESIDE.get(one["kind"], ())}
        self.watched = {kind: watches.of(kind, labels=names.COMPONENT) for kind in kinds}
        self.tree = _planted(look)

    async def read(self) -> None:
        """Reads once what no watch tells of: what all components of a namespace share."""

        async def read(one: dict[str, Any], kind: Kind) -> None:
            meta = one["metadata"]
            found = await self._cluster.find(kind, meta["name"], meta.get("namespace", ""))
            if found is not None:
                self._found[node_id(one["kind"], meta["name"])] = found

        await together(*(read(one, kind) for one, kind in self._still))

    async def settle(self, seen: Changes) -> None:
        """Looks until the tree is another than the asker knows, or the patience is over."""
        request = self._look.request
        until = activity.info().scheduled_time + timedelta(seconds=request.patience_seconds)
        while True:
            recheck = self._grow()
            left = until - self._clock.now()
            if self.tree.hash != request.known or left <= timedelta():
                return
            await seen.wait(min(left, recheck or left))
            await asyncio.sleep(_TOGETHER_SECONDS)

    def is_ours(self, obj: dict[str, Any]) -> bool:
        """Tells whether an object belongs to the component, by namespace and label."""
        meta = obj["metadata"]
        labels = meta.get("labels") or {}
        return (meta.get("namespace"), labels.get(names.COMPONENT)) == (
            self._look.bundle.namespace if self._look.bundle else "",
            self._look.request.component,
        )

    def _grow(self) -> timedelta | None:
        own = {
            kind: [one for one in watch.store.values() if self.is_ours(one)]
            for kind, watch in self.watched.items()
        }
        objects = dict(self._found)
        for kind, found in own.items():
            objects |= {node_id(kind.kind, one["metadata"]["name"]): one for one in found}
        told = Seen(
            objects=objects,
            replica_sets=own.get(REPLICA_SETS, ()),
            pods=own.get(PODS, ()),
            jobs=own.get(JOBS, ()),
            runs=self._look.request.runs,
        )
        self.tree, recheck = grown(
            self.tree, self._wanted, told, self._look.checks, self._clock.now()
        )
        return recheck


def _is_watched(one: Mapping[str, Any], kind: Kind) -> bool:
    """Only objects with the label of a component are, of kinds that deployments watch as well."""
    labelled = names.COMPONENT in (one["metadata"].get("labels") or {})
    return labelled and (kind in RELEASE_KINDS or is_followed(one["kind"]))


def _planted(look: PreparedLook) -> ComponentTree:
    request, bundle = look.request, look.bundle
    return ComponentTree(
        organization=request.organization,
        component=request.component,
        environment=request.environment,
        namespace=bundle.namespace if bundle else "",
        plane=look.plane,
        state=look.state,
        release=bundle.release if bundle else "",
    )
