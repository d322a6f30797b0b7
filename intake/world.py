"""What exists: resources by name, who names whom, and who waits for something to appear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple, TypeVar

from domain.dependencies import reachable
from domain.policies.teardown.holds import is_held, may_be_held
from domain.resources import Binding, Component, Organization, Resource, Workload
from domain.resources.build import Build
from domain.resources.conditions import Reason
from domain.resources.families import BINDINGS
from domain.resources.instances import Instance
from domain.resources.interfaces import Connection, Endpoint
from domain.resources.references import references

R = TypeVar("R", bound=Resource)
_BY_CALLS = frozenset({Connection.kind, Endpoint.kind, *(one.kind for one in BINDINGS)})
_OF_THE_SETUP = frozenset({"BuildPlane", "DataPlane", "Environment", "Project"})


class Key(NamedTuple):
    """Names one resource."""

    kind: str
    namespace: str
    name: str

    @classmethod
    def of(cls, resource: Resource) -> Key:
        """Returns the key of a resource."""
        return cls(resource.kind, resource.namespace, resource.name)


class World:
    """All resources as they were last seen. Knows no cluster."""

    def __init__(self) -> None:
        self._resources: dict[Key, Resource] = {}
        self._names: defaultdict[str, defaultdict[str, set[str]]] = defaultdict(
            lambda: defaultdict(set)
        )
        self._dependents: defaultdict[tuple[str, str, str], set[Key]] = defaultdict(set)
        self._waiting: defaultdict[str, set[Key]] = defaultdict(set)

    def get(self, key: Key) -> Resource | None:
        """Returns a resource, None when it is gone."""
        return self._resources.get(key)

    def find(self, model: type[R], organization: str, name: str) -> R | None:
        """Returns a resource of an organization by name."""
        namespace = organization if model.scope == "Namespaced" else ""
        found = self._resources.get(Key(model.kind, namespace, name))
        return found if isinstance(found, model) else None

    def existing(self, organization: str) -> Mapping[str, Collection[str]]:
        """Returns kind -> names of what an organization has."""
        return self._names[organization]

    def all_of(self, model: type[R], organization: str) -> list[R]:
        """Returns all resources of a kind in an organization, by name."""
        names = sorted(self._names[organization][model.kind])
        found = (self.find(model, organization, name) for name in names)
        return [one for one in found if one is not None]

    def has_build(self, component: Component) -> bool:
        """Tells whether there is a Build of a component."""
        naming = self._dependents[component.organization, Component.kind, component.name]
        return any(key.kind == Build.kind for key in naming)

    def naming(self, resource: Resource, model: type[R]) -> list[R]:
        """Returns the resources of a kind that name a resource."""
        naming = self._dependents[resource.organization, resource.kind, resource.name]
        found = (self._resources[key] for key in sorted(naming))
        return [one for one in found if isinstance(one, model)]

    def put(self, resource: Resource) -> set[Key]:
        """Takes over the present state; returns whom that may concern besides the resource."""
        key, organization = Key.of(resource), resource.organization
        before = self._resources.get(key)
        changed = before is None or before.metadata.generation != resource.metadata.generation
        calls = self._by_calls(before) if before is not None and changed else set()
        if before is not None:
            self._forget(key, before)
        self._resources[key] = resource
        self._names[organization][resource.kind].add(resource.name)
        for reference in references(resource):
            self._dependents[organization, reference.kind, reference.name].add(key)
        if _waits(resource):
            self._waiting[organization].add(key)
        above: set[Key] = set()
        if changed or _held(before) != _held(resource):
            above = self._above(resource) | (self._above(before) if before else set())
        if _left_a_plane(before, resource):
            above |= {Key(Organization.kind, "", organization)}
        if not changed:
            return above - {key}
        calls |= self._by_calls(resource)
        return (self._concerned(resource) | self._waiting[organization] | calls | above) - {key}

    def remove(self, key: Key) -> set[Key]:
        """Forgets a resource; returns whom that may concern."""
        before = self._resources.get(key)
        if before is None:
            return set()
        calls = self._by_calls(before) - {key}
        del self._resources[key]
        self._forget(key, before)
        return self._concerned(before) | calls | self._above(before)

    def _above(self, resource: Resource) -> set[Key]:
        """Returns what is to be held, or may be let go, because of another state of a resource."""
        where = resource.organization
        named = {Key(one.kind, where, one.name) for one in references(resource)}
        if isinstance(resource, Organization):
            for kind in _OF_THE_SETUP:
                named |= {Key(kind, where, one) for one in self._names[where][kind]}
        named.add(Key(Organization.kind, "", where))
        holds = is_held(resource) or isinstance(resource, Organization)
        return {key for key in named if _is_open(self._resources.get(key), holds=holds)}

    def _concerned(self, resource: Resource) -> set[Key]:
        concerned = set(self._dependents[resource.organization, resource.kind, resource.name])
        if resource.kind in _OF_THE_SETUP:
            # The organization is set up for what it has of these.
            concerned |= {Key(Organization.kind, "", resource.organization)}
        return concerned

    def _by_calls(self, resource: Resource) -> set[Key]:
        """Returns whom a change concerns by way of Endpoints and Connections.

        Those that name the component, with the bindings of whoever calls it; and when components
        need each other, all connections among them.
        """
        where = resource.organization
        owner = _owner(resource)
        if not owner:
            return set()
        names = {owner}
        if isinstance(resource, Connection):
            graph = reachable(owner, lambda name: self.calls(where, name))
            names |= graph.together_with(owner)
        concerned: set[Key] = set()
        for name in names:
            naming = self._about(where, name)
            concerned |= naming
            for key in naming:
                caller = self._resources.get(key)
                if isinstance(caller, Connection):
                    concerned |= self._about(where, caller.component)
        return concerned

    def _about(self, organization: str, component: str) -> set[Key]:
        naming = self._dependents[organization, Component.kind, component]
        return {key for key in naming if key.kind in _BY_CALLS}

    def calls(self, organization: str, component: str) -> list[Connection]:
        """Returns the Connections by which a component calls others."""
        naming = self._dependents[organization, Component.kind, component]
        found = (self._resources[key] for key in sorted(naming))
        return [one for one in found if isinstance(one, Connection) and one.component == component]

    def opened(self, organization: str, component: str) -> list[Endpoint]:
        """Returns the Endpoints of a component."""
        naming = self._dependents[organization, Component.kind, component]
        found = (self._resources[key] for key in sorted(naming))
        return [one for one in found if isinstance(one, Endpoint)]

    def _forget(self, key: Key, resource: Resource) -> None:
        organization = resource.organization
        self._names[organization][resource.kind].discard(resource.name)
        for reference in references(resource):
            self._dependents[organization, reference.kind, reference.name].discard(key)
        self._waiting[organization].discard(key)


def _held(resource: Resource | None) -> tuple[bool, bool, bool]:
    """What of a resource counts for whether others are held or let go."""
    if resource is None:
        return (False, False, False)
    match resource:
        case Organization():
            more = bool(resource.status.setup)
        case Build():
            phase = resource.status.phase
            more = phase is not None and not phase.is_terminal
        case _:
            more = False
    return (is_held(resource), resource.is_deleted, more)


def _left_a_plane(before: Resource | None, resource: Resource) -> bool:
    """Tells whether a binding runs on another plane than before: the organization may leave it."""
    if not (isinstance(before, Binding) and isinstance(resource, Binding)):
        return False
    return before.status.plane_ref not in {"", resource.status.plane_ref}


def _is_open(resource: Resource | None, *, holds: bool) -> bool:
    """Tells whether a resource is on its way out, or has to be held by what names it."""
    if resource is None:
        return False
    return resource.is_deleted or (holds and may_be_held(resource))


def _owner(resource: Resource) -> str:
    """Returns the component about whose endpoints or calls a resource says something."""
    match resource:
        case Component():
            return resource.name
        case Workload() | Connection() | Instance():
            return resource.component
        case Endpoint():
            return resource.spec.backend_ref.component_ref
        case _:
            return ""


def is_held_up(resource: Build | Binding) -> bool:
    """Tells whether the resource was looked at and something that it needs was missing."""
    ready = resource.status.condition("Ready")
    return ready is not None and not ready.is_true and ready.reason == Reason.REFERENCE_MISSING


def wants_first_build(component: Component) -> bool:
    """Tells whether a component is to be built by itself and never was."""
    spec = component.spec
    return spec.auto_build and component.build is not None and not component.status.latest_build


def _waits(resource: Resource) -> bool:
    match resource:
        case Build() | Binding():
            return is_held_up(resource)
        case Component():
            return wants_first_build(resource)
        case _:
            return False
