"""Which component needs which: cycles, and who breaks when one is removed."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from typing import NamedTuple

from domain.resources.interfaces import Connection


class Edge(NamedTuple):
    """One connection between two components."""

    source: str
    """Component that calls."""
    target: str
    """Component that is called."""
    connection: str
    """Name of the Connection."""


class DependencyGraph:
    """Components and the connections between them. Order of what is returned never varies."""

    def __init__(self, edges: Iterable[Edge]) -> None:
        self.edges = tuple(sorted(set(edges)))
        self._calls: defaultdict[str, list[str]] = defaultdict(list)
        self._called_by: defaultdict[str, list[str]] = defaultdict(list)
        for source, target in sorted({(one.source, one.target) for one in self.edges}):
            self._calls[source].append(target)
            self._called_by[target].append(source)

    @property
    def components(self) -> tuple[str, ...]:
        """All components that call or are called, by name."""
        return tuple(sorted({name for one in self.edges for name in one[:2]}))

    def calls(self, component: str) -> tuple[str, ...]:
        """Returns whom a component calls itself."""
        return tuple(self._calls.get(component, ()))

    def called_by(self, component: str) -> tuple[str, ...]:
        """Returns who calls a component itself: its fan-in."""
        return tuple(self._called_by.get(component, ()))

    def broken_without(self, component: str) -> tuple[str, ...]:
        """Returns who needs a component, by itself or by way of others, the nearest first."""
        found: dict[str, None] = {}
        queue = deque(self.called_by(component))
        while queue:
            name = queue.popleft()
            if name != component and name not in found:
                found[name] = None
                queue.extend(self.called_by(name))
        return tuple(found)

    def way(self, source: str, target: str) -> tuple[str, ...]:
        """Returns the shortest chain of calls from one to another, both in it; empty = none.

        From a component to itself it is the shortest cycle, without the repetition at its end.
        """
        came_from: dict[str, str] = {}
        queue = deque([source])
        while queue:
            name = queue.popleft()
            for called in self.calls(name):
                if called == target:
                    return _back(came_from, source, name, target)
                if called not in came_from and called != source:
                    came_from[called] = name
                    queue.append(called)
        return ()

    def cycles(self) -> tuple[tuple[str, ...], ...]:
        """Returns the shortest cycle of each group of components that need each other."""
        found: list[tuple[str, ...]] = []
        seen: set[str] = set()
        for name in self.components:
            cycle = () if name in seen else self.way(name, name)
            if cycle:
                found.append(cycle)
                seen |= self.together_with(name)
        return tuple(found)

    def together_with(self, component: str) -> frozenset[str]:
        """Returns the components that need each other with this one; itself when it is alone."""
        needs = self._reached(component, self._calls)
        needed = self._reached(component, self._called_by)
        return frozenset((needs & needed) | {component})

    def _reached(self, start: str, ways: dict[str, list[str]]) -> set[str]:
        reached: set[str] = set()
        queue = [start]
        while queue:
            for name in ways.get(queue.pop(), ()):
                if name not in reached:
                    reached.add(name)
                    queue.append(name)
        return reached


def edge_of(connection: Connection) -> Edge | None:
    """Returns a connection as an edge; None when it leads outside."""
    target = connection.spec.target.component_ref
    return Edge(connection.component, target, connection.name) if target else None


def reachable(
    component: str, connections: Callable[[str], Iterable[Connection]]
) -> DependencyGraph:
    """Returns what a component calls, by itself or by way of others.

    ``connections`` gives those by which a component calls.
    """
    edges: set[Edge] = set()
    waiting, seen = [component], {component}
    while waiting:
        for one in connections(waiting.pop()):
            edge = edge_of(one)
            if edge is None:
                continue
            edges.add(edge)
            if edge.target not in seen:
                seen.add(edge.target)
                waiting.append(edge.target)
    return DependencyGraph(edges)


def _back(came_from: dict[str, str], source: str, last: str, target: str) -> tuple[str, ...]:
    chain = [last]
    while chain[-1] != source:
        chain.append(came_from[chain[-1]])
    chain.reverse()
    return tuple(chain) if source == target else (*chain, target)
