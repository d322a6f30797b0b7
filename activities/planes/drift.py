"""Compares the objects of a plane with a release and puts back what somebody else changed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from temporalio import activity

from activities.common.namespaces import check_owner, check_places
from activities.releases.bundles import objects_of
from clients.kubernetes.cluster import Cluster
from clients.objects import ObjectStore
from domain.deliveries import Applied, Inspection, InspectRelease, PutBackRequest
from domain.errors import FieldConflict, NotFound
from domain.policies.drift import (
    ObjectKey,
    as_put_back,
    drift_of,
    drifted_fields,
    key_of,
    said,
    scaled_objects,
)

_AT_ONCE = 8


class DriftPlaneActivities:
    """Readings of a data plane about drift, and the one effect against it."""

    def __init__(self, cluster: Cluster, objects: ObjectStore) -> None:
        self._cluster = cluster
        self._objects = objects
        self._turns = asyncio.Semaphore(_AT_ONCE)

    @activity.defn
    async def inspect_release(self, request: InspectRelease) -> Inspection:
        """Returns what differs between the objects of a release and those of the plane.

        Idempotent: a reading. Values of Secrets and of environment variables are never in it.

        Raises:
            Denied: The namespace belongs to another organization.
        """
        wanted = await objects_of(request.bundle, self._objects)
        check_places(wanted, request.bundle.namespace)
        await check_owner(self._cluster, request.bundle.namespace, request.organization)
        live = await self._live(wanted)
        return Inspection(drifted=drift_of(wanted, live), objects=len(wanted))

    @activity.defn
    async def put_back_objects(self, request: PutBackRequest) -> Applied:
        """Applies those of the named objects that differ now, in the order of the release.

        Idempotent: an object that is as wanted is left alone. Cancel: stops between two objects;
        what was put back stays so, since to undo it would be to do again what nobody here asked
        for. Heartbeat: the number of objects looked at.

        Raises:
            FieldConflict: A manager owns a field that would be written and is none of those that
                changed the drifted fields, or nothing is to be taken over.
            Denied: The namespace belongs to another organization.
        """
        bundle = await objects_of(request.bundle, self._objects)
        check_places(bundle, request.bundle.namespace)
        await check_owner(self._cluster, request.bundle.namespace, request.organization)
        scaled = scaled_objects(bundle)
        applied = []
        for done, wanted in enumerate(one for one in bundle if said(one) in request.objects):
            activity.heartbeat(done)
            live = await self._find(wanted)
            is_scaled = said(wanted) in scaled
            fields = drifted_fields(wanted, live, is_scaled=is_scaled)
            if not fields:
                continue
            managers = {field.manager for field in fields} if request.take_over else set()
            await self._apply(as_put_back(wanted, live, is_scaled=is_scaled), managers)
            applied.append(said(wanted))
        return Applied(applied=tuple(applied))

    async def _apply(self, wanted: dict[str, Any], managers: Iterable[str]) -> None:
        """Applies an object, taking fields over from the given managers and from nobody else."""
        try:
            await self._cluster.apply(wanted)
        except FieldConflict as conflict:
            if not set(conflict.facts.values()) <= set(managers):
                raise
            await self._cluster.apply(wanted, force=True)

    async def _live(
        self, wanted: Iterable[Mapping[str, Any]]
    ) -> dict[ObjectKey, dict[str, Any] | None]:
        listed = list(wanted)
        found = await asyncio.gather(*(self._find(one) for one in listed))
        return {key_of(one): live for one, live in zip(listed, found, strict=True)}

    async def _find(self, wanted: Mapping[str, Any]) -> dict[str, Any] | None:
        _, namespace, name = key_of(wanted)
        async with self._turns:
            try:
                kind = await self._cluster.kind_of(wanted["apiVersion"], wanted["kind"])
            except NotFound:
                return None
            return await self._cluster.find(kind, name, namespace)
