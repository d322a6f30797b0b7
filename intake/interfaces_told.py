"""What the status of an Endpoint or a Connection says besides its references."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import NamedTuple

from domain.dependencies import (
    UNUSED_POLICY,
    DependencyState,
    dependency_of,
    edge_of,
    endpoint_problem,
    reachable,
)
from domain.resources import Component, Resource, set_condition
from domain.resources.conditions import Condition, ConditionType, Reason
from domain.resources.interfaces import Connection, Endpoint
from intake.interfaces import WorldCatalogue
from intake.world import World


class Told(NamedTuple):
    """What is known of an Endpoint or a Connection besides its references."""

    waits: tuple[str, ...] = ()
    reason: Reason = Reason.REFERENCE_MISSING
    """Why it waits."""
    cycle: str = ""
    fields: Mapping[str, str | int] = {}
    note: str = ""
    """What is told although nothing is wrong."""


def told_of(resource: Resource, world: World) -> Told:
    """Returns what is told of a resource; nothing of kinds that are neither."""
    where = resource.organization
    if isinstance(resource, Endpoint):
        catalogue = WorldCatalogue(world, where)
        component = catalogue.component(resource.spec.backend_ref.component_ref)
        if component is None:
            return Told()
        problem = endpoint_problem(resource, catalogue.workload(component))
        is_missing = "waiting until" in problem
        reason = Reason.REFERENCE_MISSING if is_missing else Reason.INVALID
        return Told((problem,) if problem else (), reason)
    if not isinstance(resource, Connection):
        return Told()
    found = dependency_of(resource, WorldCatalogue(world, where))
    cycle = _cycle(resource, world)
    if found.is_found:
        fields: dict[str, str | int] = {"target": found.target, "port": found.port}
        return Told(cycle=cycle, fields=fields, note=UNUSED_POLICY if found.has_policy else "")
    hidden = found.state is DependencyState.NOT_VISIBLE
    reason = Reason.NOT_VISIBLE if hidden else Reason.REFERENCE_MISSING
    named = {resource.component, found.component}
    known = named <= set(world.existing(where).get(Component.kind, ()))
    # A component that is not there is told as a missing reference already.
    return Told((found.message,) if known else (), reason, cycle)


def _cycle(connection: Connection, world: World) -> str:
    """Returns the chain of calls that comes back to the caller; empty = there is none."""
    edge = edge_of(connection)
    if edge is None:
        return ""
    if edge.target == edge.source:
        return f"{edge.source} calls itself"
    where = connection.organization
    graph = reachable(edge.source, lambda name: world.calls(where, name))
    way = graph.way(edge.target, edge.source)
    return f"components need each other: {' -> '.join((edge.source, *way))}" if way else ""


def cyclic(resource: Resource, told: Told, now: datetime) -> list[Condition]:
    """Returns the condition that tells of components that need each other, if they do."""
    if not told.cycle or not isinstance(resource, Connection):
        return []
    conditions = set_condition(
        resource.status.conditions,
        ConditionType.CYCLIC,
        "True",
        Reason.NEED_EACH_OTHER,
        told.cycle,
        observed_generation=resource.metadata.generation,
        now=now,
    )
    return [one for one in conditions if one.type == ConditionType.CYCLIC]
