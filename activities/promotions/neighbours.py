"""Reads what runs around a component, to tell which pairs a release opens and closes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

from activities.common.kinds import platform
from activities.common.reading import find
from activities.releases.bundles import bundle_of, objects_of
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.objects import ObjectStore
from domain.rendering.network.judging import Party, party_of
from domain.rendering.network.pairs import changed_pairs, left_out_said, neighbours
from domain.resources import Release
from domain.resources.families import BINDINGS
from domain.resources.interfaces import Connection

Objects = Sequence[Mapping[str, Any]]


class NeighbourReader:
    """Knows bindings and connections by shared watches; reads a release for each neighbour."""

    def __init__(self, cluster: Cluster, objects: ObjectStore, watches: SharedWatches) -> None:
        """``watches`` are those of the control plane."""
        self._cluster = cluster
        self._objects = objects
        self._watches = watches

    async def pairs(
        self, place: tuple[str, str, str], before: Objects, after: Objects
    ) -> tuple[str, ...]:
        """Returns which pairs open and close in a place: organization, component, environment.

        Where no way changes nothing is read.
        """
        organization, component, environment = place
        around = neighbours(before, after, await self._callers(organization, component))
        releases = await self._running(organization, environment, frozenset(around.read))
        found = await asyncio.gather(*(self._party(one, organization) for one in releases))
        told = changed_pairs(before, after, (one for one in found if one is not None))
        return (*told, *left_out_said(around))

    async def _callers(self, organization: str, component: str) -> set[str]:
        """Returns who declares a connection to a component."""
        found = set()
        watch = self._watches.of(platform(Connection.kind))
        await watch.synced()
        for (namespace, _), obj in watch.store.items():
            spec = obj.get("spec") or {}
            target = (spec.get("target") or {}).get("componentRef")
            if (namespace, target) == (organization, component):
                found.add(str(spec.get("componentRef", "")))
        return found

    async def _running(
        self, organization: str, environment: str, components: frozenset[str]
    ) -> list[str]:
        """Returns the names of the releases of components that run in an environment."""
        found = []
        for model in BINDINGS if components else ():
            watch = self._watches.of(platform(model.kind))
            await watch.synced()
            for (namespace, _), obj in watch.store.items():
                spec = obj.get("spec") or {}
                here = (namespace, spec.get("environmentRef")) == (organization, environment)
                if here and spec.get("componentRef") in components:
                    found.append((obj.get("status") or {}).get("releaseRef", ""))
        return sorted(one for one in found if one)

    async def _party(self, release: str, organization: str) -> Party | None:
        found = await find(self._cluster, Release, release, organization)
        if found is None:
            return None
        return party_of(await objects_of(bundle_of(found), self._objects))
