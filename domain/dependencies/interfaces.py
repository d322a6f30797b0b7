"""All that Endpoints and Connections say about one component, looked up where resources are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, ConfigDict

from domain import ids
from domain.dependencies.resolving import Dependency, resolved
from domain.resources.component import Component
from domain.resources.interfaces import Connection, Endpoint
from domain.resources.workload import Workload

_HASH_LENGTH = 16


class Catalogue(Protocol):
    """The resources of one organization, as far as connections need them."""

    def component(self, name: str) -> Component | None:
        """Returns a component, None when there is none."""

    def workload(self, component: Component) -> Workload | None:
        """Returns the Workload that a component runs, None when there is none."""

    def endpoints(self, component: str) -> Sequence[Endpoint]:
        """Returns the Endpoints of a component."""

    def connections(self, component: str) -> Sequence[Connection]:
        """Returns the Connections by which a component calls others."""


class Interfaces(BaseModel):
    """What Endpoints and Connections say about one component."""

    model_config = ConfigDict(frozen=True)

    dependencies: tuple[Dependency, ...] = ()
    """By name of the Connection."""
    endpoints: tuple[Endpoint, ...] = ()
    """Endpoints of the component itself, by name."""

    @property
    def hash(self) -> str:
        """Tells two apart; empty when there is neither a Connection nor an Endpoint."""
        if not (self.dependencies or self.endpoints):
            return ""
        # A schema is for people: a change of it deploys nothing.
        opened = [
            [one.name, one.spec.model_dump(mode="json", exclude={"schema_file"})]
            for one in self.endpoints
        ]
        called = [one.told() for one in self.dependencies]
        return ids.content_hash([opened, called])[:_HASH_LENGTH]

    @property
    def state(self) -> str:
        """The hash where an empty one would say that nothing was looked at."""
        return self.hash or "none"

    @property
    def unresolved(self) -> tuple[Dependency, ...]:
        """The connections that lead nowhere yet."""
        return tuple(one for one in self.dependencies if not one.is_found)


def interfaces_of(component: str, catalogue: Catalogue) -> Interfaces:
    """Returns what is declared of a component, its connections resolved."""
    connections = sorted(catalogue.connections(component), key=lambda one: one.name)
    endpoints = sorted(catalogue.endpoints(component), key=lambda one: one.name)
    return Interfaces(
        dependencies=tuple(dependency_of(one, catalogue) for one in connections),
        endpoints=tuple(endpoints),
    )


def dependency_of(connection: Connection, catalogue: Catalogue) -> Dependency:
    """Returns what one connection leads to."""
    caller = catalogue.component(connection.component)
    name = connection.spec.target.component_ref
    called = catalogue.component(name) if name else None
    workload = catalogue.workload(called) if called else None
    declared = catalogue.endpoints(name) if called else ()
    return resolved(connection, caller, called, workload, declared)
