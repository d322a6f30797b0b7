"""Tells who calls whom, and who may, by what is declared and by what runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import ip_address
from typing import NamedTuple

from api.schemas.network import CallView, ComponentNode, ConnectionEdge, DependencyView
from api.views.shelves import objects_of_release, shelf_of
from clients.kubernetes import Cluster
from clients.objects import ObjectStore
from domain.dependencies import DependencyGraph, dependency_of, edge_of, offered
from domain.errors import InvalidRequest, NotFound
from domain.rendering.facts import GatewayDefaults, ReleaseFacts
from domain.rendering.network.judging import Call, Party, judge_call, party_of
from domain.rendering.offline import Shelf, ShelfCatalogue, assemble
from domain.rendering.release import render_release
from domain.resources import Component
from domain.resources.families import FAMILIES
from domain.resources.interfaces import Connection


class Asked(NamedTuple):
    """What is asked of calls between two parties."""

    environment: str
    port: int = 0
    """0 = every endpoint of the callee."""
    method: str = ""
    path: str = ""
    declared: bool = False
    """By what is declared, whatever runs."""


class _Port(NamedTuple):
    """What is called."""

    name: str
    """Endpoint; empty = none is declared there."""
    port: int
    protocol: str = "TCP"


async def dependencies(
    cluster: Cluster, organization: str, project: str, sees: Callable[[str], bool]
) -> DependencyView:
    """Returns who calls whom: of a project with whoever it calls and is called by.

    ``sees`` tells which projects the caller may know of; what is of others is left out.
    """
    shelf = await shelf_of(cluster, organization, ())
    catalogue = shelf.catalogue
    projects = {one.name: one.project for one in shelf.all(Component)}
    known = {name for name, owner in projects.items() if sees(owner)}

    def is_shown(one: Connection) -> bool:
        ends = {one.component, one.spec.target.component_ref} - {""}
        hidden = any(name in projects and name not in known for name in ends)
        return not hidden and (not project or project in {projects.get(name) for name in ends})

    connections = [one for one in shelf.all(Connection) if is_shown(one)]
    graph = DependencyGraph(edge for one in connections if (edge := edge_of(one)) is not None)
    own = {name for name in known if not project or projects[name] == project}
    nodes = [
        _node(shelf.needed(Component, name, "the graph"), catalogue, graph)
        for name in sorted(own | (set(graph.components) & known))
    ]
    return DependencyView(
        components=tuple(nodes),
        connections=tuple(_edge(one, catalogue) for one in connections),
        cycles=graph.cycles(),
    )


def _node(component: Component, catalogue: ShelfCatalogue, graph: DependencyGraph) -> ComponentNode:
    name = component.name
    endpoints = offered(catalogue.workload(component), catalogue.endpoints(name))
    return ComponentNode(
        component=name,
        project=component.project,
        endpoints=tuple(f"{one.name}:{one.port} {one.visibility}" for one in endpoints),
        calls=graph.calls(name),
        called_by=graph.called_by(name),
        broken_without=graph.broken_without(name),
    )


def _edge(connection: Connection, catalogue: ShelfCatalogue) -> ConnectionEdge:
    found = dependency_of(connection, catalogue)
    return ConnectionEdge(
        connection=connection.name,
        component=connection.component,
        target=found.target,
        port=found.port,
        state=found.state.value,
        message=found.message,
    )


class Network:
    """The components of one organization as parties of calls."""

    def __init__(
        self, cluster: Cluster, objects: ObjectStore, shelf: Shelf, gateway: GatewayDefaults
    ) -> None:
        self._cluster = cluster
        self._objects = objects
        self._shelf = shelf
        self._gateway = gateway

    @classmethod
    async def of(
        cls, cluster: Cluster, objects: ObjectStore, organization: str, gateway: GatewayDefaults
    ) -> Network:
        """Reads what components of all types are rendered from."""
        shelf = await shelf_of(cluster, organization, tuple(FAMILIES.values()))
        return cls(cluster, objects, shelf, gateway)

    async def can(self, source: str, target: str, asked: Asked) -> tuple[CallView, ...]:
        """Returns whether a component may call another one, or something outside.

        Raises:
            NotFound: The caller is not there.
            InvalidRequest: There is no port to judge.
        """
        caller, basis = await self._party(source, asked)
        if self._shelf.find(Component, target) is None:
            ports: Sequence[_Port] = [_Port("", asked.port or 443)]
            callee = _outside(target)
        else:
            callee, other = await self._party(target, asked)
            basis = basis if basis == other else "declared"
            ports = self._ports(target, asked)
        calls = [
            (
                one.name,
                Call(port=one.port, protocol=one.protocol, method=asked.method, path=asked.path),
            )
            for one in ports
        ]
        return tuple(self._view(caller, callee, name, call, basis) for name, call in calls)

    async def matrix(self, names: Sequence[str], asked: Asked) -> tuple[CallView, ...]:
        """Returns for each pair of components and each endpoint whether it may be called."""
        parties: dict[str, tuple[Party, str]] = {}
        for name in names:
            try:
                parties[name] = await self._party(name, asked)
            except (InvalidRequest, NotFound):
                continue  # neither runs nor can be rendered: there is nobody to call or be called
        return tuple(
            self._view(caller, callee, one.name, Call(port=one.port, protocol=one.protocol), basis)
            for source, (caller, basis) in parties.items()
            for target, (callee, _) in parties.items()
            if source != target
            for one in self._ports(target, asked)
        )

    def project_of(self, component: str) -> str:
        """Returns the project of a component; empty = it is none of this organization."""
        found = self._shelf.find(Component, component)
        return found.project if found else ""

    def components_of(self, project: str) -> list[Component]:
        """Returns the components of a project; an empty name means all projects."""
        return [one for one in self._shelf.all(Component) if project in {"", one.project}]

    async def _party(self, name: str, asked: Asked) -> tuple[Party, str]:
        facts = self._facts(name, asked.environment)
        running = facts.binding.status.release_ref
        if running and not asked.declared:
            objects = await objects_of_release(
                self._cluster, self._objects, running, facts.organization
            )
            found = party_of(objects)
            if found is not None:
                return found, "running"
        return _declared(facts), "declared"

    def _facts(self, name: str, environment: str) -> ReleaseFacts:
        return assemble(self._shelf, name, environment, gateway=self._gateway)

    def _ports(self, name: str, asked: Asked) -> list[_Port]:
        catalogue = self._shelf.catalogue
        component = self._shelf.needed(Component, name, "the question")
        endpoints = offered(catalogue.workload(component), catalogue.endpoints(name))
        found = [
            _Port(one.name, one.port, one.type.transport)
            for one in endpoints
            if asked.port in {0, one.port}
        ]
        if not found and not asked.port:
            return []
        return found or [_Port("", asked.port)]

    def _view(
        self, caller: Party, callee: Party, endpoint: str, call: Call, basis: str
    ) -> CallView:
        said = judge_call(caller, callee, call)
        hint = "" if said.allowed else self._hint(caller.name, callee.name, endpoint)
        return CallView(
            source=caller.name,
            target=callee.name,
            endpoint=endpoint,
            port=call.port,
            allowed=said.allowed,
            reasons=said.reasons,
            hint=hint,
            basis=basis,
        )

    def _hint(self, source: str, target: str, endpoint: str) -> str:
        inside = self._shelf.find(Component, target) is not None
        if inside and not endpoint:
            return f"{target} has no endpoint at that port: add one to its Workload"
        catalogue = self._shelf.catalogue
        for one in catalogue.connections(source):
            found = dependency_of(one, catalogue)
            same = (found.component, found.endpoint) == (target, endpoint)
            if inside and same and not found.is_found:
                return f"Connection {one.name}: {found.message}"
            if inside and same:
                return f"Connection {one.name} is declared: deploy {source}, then {target}"
        wanted = f"{target}.{endpoint}" if inside else target
        return f"declare a Connection of {source} to {wanted}"


def _declared(facts: ReleaseFacts) -> Party:
    found = party_of(render_release(facts).objects)
    if found is None:
        raise InvalidRequest(f"{facts.component.name} has no pods in {facts.environment.name}")
    return found


def _outside(target: str) -> Party:
    try:
        return Party(name=target, address=str(ip_address(target)))
    except ValueError:
        return Party(name=target, host=target)
