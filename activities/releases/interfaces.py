"""Reads what Endpoints and Connections say about a component, from shared watches.

A deployment costs no request for it. A watch can be behind by moments; so who asks for a deployment
because of a changed Connection says which state it means, and that state is waited for here. What
is missed nevertheless is seen by the intake, which compares with the hash on the binding
(docs/decisions/0021).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import TypeVar

from activities.common.kinds import platform
from clients.kubernetes.shared import SharedWatch, SharedWatches
from clients.kubernetes.watch import Object
from domain.dependencies import Interfaces, interfaces_of
from domain.errors import InvalidRequest
from domain.gateways.hosts import HostRights, rights_of
from domain.resources import Component, Organization, Resource, Workload, parse_as
from domain.resources.families import INSTANCES, family_of
from domain.resources.interfaces import Connection, Endpoint

R = TypeVar("R", bound=Resource)
_PATIENCE_SECONDS = 5.0
_READ: tuple[type[Resource], ...] = (Component, Workload, Endpoint, Connection, *INSTANCES)


class InterfaceReader:
    """Resolves the connections of components of one control plane."""

    def __init__(self, watches: SharedWatches) -> None:
        self._watches = watches

    async def of(self, organization: str, component: str, awaited: str = "") -> Interfaces:
        """Returns what is declared of a component.

        Args:
            organization: The tenant.
            component: The component.
            awaited: The state that is waited for, a few seconds at most; empty = whatever
                is known now.
        """
        catalogue = await self.catalogue(organization)
        found = interfaces_of(component, catalogue)
        if awaited in {"", found.state}:
            return found
        with suppress(TimeoutError):  # the world may have moved on; the intake compares again
            async with asyncio.timeout(_PATIENCE_SECONDS), self._changes(organization) as changed:
                while found.state != awaited:
                    await changed.wait()
                    changed.clear()
                    found = interfaces_of(component, catalogue)
        return found

    async def hosts(self, organization: str, interfaces: Interfaces) -> HostRights:
        """Returns what decides about host names; nothing is looked up where none is chosen."""
        if not any(one.spec.hosts for one in interfaces.endpoints):
            return HostRights()
        watch = self._watches.of(platform(Organization.kind))
        await watch.synced()
        known = [_read(Organization, one) for one in watch.store.values()]
        catalogue = await self.catalogue(organization)
        return rights_of(
            organization, (one for one in known if one is not None), catalogue.all_endpoints()
        )

    async def catalogue(self, organization: str) -> WatchedCatalogue:
        """Returns the resources of an organization as they are known, now and later."""
        watches = {model.kind: self._watches.of(platform(model.kind)) for model in _READ}
        await asyncio.gather(*(one.synced() for one in watches.values()))
        return WatchedCatalogue(organization, watches)

    @asynccontextmanager
    async def _changes(self, organization: str) -> AsyncIterator[asyncio.Event]:
        """Gives what is set by every change of what an organization declares of calls."""
        changed = asyncio.Event()

        def look(obj: Object) -> bool:
            """Only wakes: what has changed is in the store by then."""
            if obj["metadata"].get("namespace") == organization:
                changed.set()
            return False

        async with AsyncExitStack() as stack:
            for model in _READ:
                watch = self._watches.of(platform(model.kind))
                await stack.enter_async_context(watch.subscribe(look))
            yield changed


class WatchedCatalogue:
    """What the watches know of one organization. What cannot be read is as if it were not there."""

    def __init__(self, organization: str, watches: dict[str, SharedWatch]) -> None:
        self._organization = organization
        self._watches = watches

    def component(self, name: str) -> Component | None:
        """Returns a component, None when there is none."""
        return self._named(Component, name)

    def workload(self, component: Component) -> Workload | None:
        """Returns the Workload that a component runs, None when there is none."""
        instance = self._named(family_of(component).instance, component.name)
        return self._named(Workload, instance.workload if instance else component.name)

    def endpoints(self, component: str) -> Sequence[Endpoint]:
        """Returns the Endpoints of a component."""
        return [
            one
            for one in self._where(Endpoint, "backendRef", component)
            if one.spec.backend_ref.component_ref == component
        ]

    def all_endpoints(self) -> Sequence[Endpoint]:
        """Returns the Endpoints of all components."""
        found = [
            _read(Endpoint, obj)
            for (namespace, _), obj in self._watches[Endpoint.kind].store.items()
            if namespace == self._organization
        ]
        return [one for one in found if one is not None]

    def connections(self, component: str) -> Sequence[Connection]:
        """Returns the Connections by which a component calls others."""
        return self._where(Connection, "", component)

    def _named(self, model: type[R], name: str) -> R | None:
        found = self._watches[model.kind].store.get((self._organization, name))
        return None if found is None else _read(model, found)

    def _where(self, model: type[R], under: str, component: str) -> list[R]:
        """Looks before it reads: most are of other components."""
        found = []
        for (namespace, _), obj in self._watches[model.kind].store.items():
            spec = obj.get("spec") or {}
            owner = (spec.get(under) or {}) if under else spec
            if namespace == self._organization and owner.get("componentRef") == component:
                found.append(_read(model, obj))
        return [one for one in found if one is not None]


def _read(model: type[R], obj: Object) -> R | None:
    try:
        return parse_as(model, obj)
    except InvalidRequest:
        return None
