"""Removes from a plane what is left of something that was deleted."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from temporalio import activity

from activities.common.heartbeats import heartbeating
from activities.common.kinds import NAMESPACES, RELEASE_KINDS
from activities.common.namespaces import check_owner
from activities.gateways.certificates import withdraw_listeners
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from clients.kubernetes.shared import SharedWatches
from domain.deliveries.teardown import PlaneLeft, PlaneSweep
from domain.errors import NotFound
from domain.rendering import labels as names
from domain.rendering.tenants.admission import API_VERSION, KIND
from domain.rendering.tenants.baseline import organization_denials

_ADMISSION = (f"{KIND}Binding", KIND)


class TeardownPlaneActivities:
    """Effects of a teardown on a data or build plane."""

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        self._cluster = cluster
        self._watches = watches

    @activity.defn
    async def sweep_plane(self, sweep: PlaneSweep) -> PlaneLeft:
        """Deletes objects of a component, or namespaces; returns what is not gone at once.

        Idempotent: what is gone is no error. Cancel: between two objects. Heartbeat: where it is.

        Raises:
            Denied: A namespace belongs to another organization.
        """
        left: list[str] = []
        for namespace in sweep.namespaces:
            activity.heartbeat(namespace)
            await check_owner(self._cluster, namespace, sweep.organization)
            found = await self._cluster.find(NAMESPACES, namespace)
            if found is None:
                continue
            if sweep.component:
                await self._component(sweep, namespace)
                continue
            uid = found["metadata"]["uid"]
            if found["metadata"].get("deletionTimestamp") is None:
                await self._cluster.delete(NAMESPACES, namespace, uid=uid)
            found = await self._cluster.find(NAMESPACES, namespace)
            if found is not None and found["metadata"]["uid"] == uid:
                left.append(_held_up(found))
        if not sweep.component and sweep.namespaces:
            await withdraw_listeners(self._cluster, sweep.namespaces)
        if sweep.admission:
            await self._apart(sweep.organization)
        return PlaneLeft(left=tuple(left))

    @activity.defn
    async def await_namespaces_gone(self, sweep: PlaneSweep) -> PlaneLeft:
        """Waits until the namespaces are gone, or what holds one up is told in other words.

        Idempotent: a reading, fed by the shared watch of namespaces. Cancel: at once. Heartbeat:
        what is left.
        """
        watch = self._watches.of(NAMESPACES)
        wanted = set(sweep.namespaces)
        async with AsyncExitStack() as stack:
            events = await stack.enter_async_context(
                watch.subscribe(lambda one: one["metadata"]["name"] in wanted)
            )
            await watch.synced()
            before = self._left(wanted)
            await stack.enter_async_context(heartbeating(lambda: "; ".join(self._left(wanted))))
            while (left := self._left(wanted)) == before and left:
                await anext(events)
        return PlaneLeft(left=left)

    def _left(self, wanted: set[str]) -> tuple[str, ...]:
        store = self._watches.of(NAMESPACES).store
        there = (store.get(("", name)) for name in sorted(wanted))
        return tuple(_held_up(one) for one in there if one is not None)

    async def _component(self, sweep: PlaneSweep, namespace: str) -> None:
        selector = f"{names.ORGANIZATION}={sweep.organization},{names.COMPONENT}={sweep.component}"
        await asyncio.gather(
            *(
                self._all_of(kind, namespace, selector)
                for kind in RELEASE_KINDS
                if kind != NAMESPACES
            )
        )

    async def _all_of(self, kind: Kind, namespace: str, selector: str) -> None:
        try:
            found = await self._cluster.list(kind, namespace, selector)
        except NotFound:
            return  # the plane has no such kind
        for one in found.items:
            meta = one["metadata"]
            await self._cluster.delete(kind, meta["name"], namespace, uid=meta["uid"])

    async def _apart(self, organization: str) -> None:
        """Removes what of the organization is of the whole cluster: it keeps it from others."""
        selector = f"{names.ORGANIZATION}={organization}"
        for of_kind in _ADMISSION:
            try:
                kind = await self._cluster.kind_of(API_VERSION, of_kind)
            except NotFound:
                continue
            for one in (await self._cluster.list(kind, "", selector)).items:
                if one["metadata"]["name"].startswith("pavane-images-"):
                    await self._cluster.delete(kind, one["metadata"]["name"])
        # By name: the role of planes may get those policies, not list them.
        denials = organization_denials(organization)
        name = denials["metadata"]["name"]
        try:
            kind = await self._cluster.kind_of(denials["apiVersion"], denials["kind"])
        except NotFound:
            return
        found = await self._cluster.find(kind, name)
        labels = (found or {}).get("metadata", {}).get("labels") or {}
        if labels.get(names.ORGANIZATION) == organization:
            await self._cluster.delete(kind, name)


def _held_up(namespace: dict[str, Any]) -> str:
    """Returns the name of a namespace with what Kubernetes says holds its deletion up."""
    said = [
        str(one.get("message", ""))
        for one in namespace.get("status", {}).get("conditions", ())
        if one.get("status") == "True"
    ]
    name = namespace["metadata"]["name"]
    return f"namespace {name}: {'; '.join(said)}" if said else f"namespace {name}"
