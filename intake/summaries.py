"""What a resource's status says about its references: pure functions of what exists.

Intake writes these statuses itself instead of starting a procedure for each: a summary of what
was seen is a fact with nothing to order, wait for or undo, and the next look corrects it. Bindings
and builds are told here only what they wait for before they can be worked on; everything else
about them is written by their procedures.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from domain.dependencies import (
    DependencyState,
    dependency_of,
    edge_of,
    endpoint_problem,
    reachable,
)
from domain.rendering.templates import class_problems
from domain.resources import (
    Binding,
    Build,
    Component,
    ComponentClass,
    DeployableArtifact,
    Deployment,
    DeploymentPipeline,
    Release,
    Resource,
    Status,
    set_condition,
)
from domain.resources.conditions import Condition, ConditionType, Reason
from domain.resources.configuration import ConfigurationGroup, SecretRotation
from domain.resources.interfaces import Connection, ConnectionStatus, Endpoint
from domain.resources.planes import ObservabilityPlane
from intake.decisions import obstacles
from intake.interfaces import WorldCatalogue
from intake.world import World, is_held_up

_RECORDS = (DeployableArtifact, Deployment, Release)
_NOT_IMPLEMENTED: dict[type[Resource], str] = {
    SecretRotation: "it is checked, and nothing turns the secret over yet",
    ObservabilityPlane: "it is checked, and nothing asks it yet: logs are read from pods",
}
"""Kinds that no procedure works on yet: never ready, so that nobody takes them for done."""


def summary(resource: Resource, world: World, now: datetime) -> dict[str, Any] | None:
    """Returns what to apply to the status subresource, None when it says that already."""
    if resource.is_deleted or isinstance(resource, _RECORDS):
        return None
    waits = obstacles(resource, world)
    if isinstance(resource, Build | Binding) and not _is_told(resource, waits):
        return None
    told = _interface(resource, world)
    conditions = [_ready(resource, (*waits, *told.waits), told.reason, now)]
    if told.cycle:
        conditions.insert(0, _cyclic(resource, told.cycle, now))
    if _says_so_already(resource, conditions, told):
        return None
    status: dict[str, Any] = {
        "observedGeneration": resource.metadata.generation,
        "conditions": [one.model_dump(mode="json", by_alias=True) for one in conditions],
        **told.fields,
    }
    if isinstance(resource, DeploymentPipeline):
        status["environments"] = list(resource.environments)
    if isinstance(resource, ComponentClass):
        status["revision"] = resource.revision
    return resource.status_manifest() | {"status": status}


def _is_told(resource: Build | Binding, waits: tuple[str, ...]) -> bool:
    return bool(waits) and (not resource.is_observed or is_held_up(resource))


class _Told(NamedTuple):
    """What is known of an Endpoint or a Connection besides its references."""

    waits: tuple[str, ...] = ()
    reason: Reason = Reason.REFERENCE_MISSING
    """Why it waits."""
    cycle: str = ""
    fields: Mapping[str, str | int] = {}


def _interface(resource: Resource, world: World) -> _Told:
    where = resource.organization
    if isinstance(resource, Endpoint):
        catalogue = WorldCatalogue(world, where)
        component = catalogue.component(resource.spec.backend_ref.component_ref)
        if component is None:
            return _Told()
        problem = endpoint_problem(resource, catalogue.workload(component))
        is_missing = "waiting until" in problem
        reason = Reason.REFERENCE_MISSING if is_missing else Reason.INVALID
        return _Told((problem,) if problem else (), reason)
    if not isinstance(resource, Connection):
        return _Told()
    found = dependency_of(resource, WorldCatalogue(world, where))
    cycle = _cycle(resource, world)
    if found.is_found:
        return _Told(cycle=cycle, fields={"target": found.target, "port": found.port})
    hidden = found.state is DependencyState.NOT_VISIBLE
    reason = Reason.NOT_VISIBLE if hidden else Reason.REFERENCE_MISSING
    named = {resource.component, found.component}
    known = named <= set(world.existing(where).get(Component.kind, ()))
    # A component that is not there is told as a missing reference already.
    return _Told((found.message,) if known else (), reason, cycle)


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


def _cyclic(resource: Resource, cycle: str, now: datetime) -> Condition:
    conditions = set_condition(
        _status(resource).conditions,
        ConditionType.CYCLIC,
        "True",
        Reason.NEED_EACH_OTHER,
        cycle,
        observed_generation=resource.metadata.generation,
        now=now,
    )
    return next(one for one in conditions if one.type == ConditionType.CYCLIC)


def _ready(resource: Resource, waits: tuple[str, ...], waiting: Reason, now: datetime) -> Condition:
    status = _status(resource)
    reason, message = _judged(resource, waits, waiting)
    conditions = set_condition(
        status.conditions,
        ConditionType.READY,
        "True" if reason is Reason.ACCEPTED else "False",
        reason,
        message,
        observed_generation=resource.metadata.generation,
        now=now,
    )
    return next(one for one in conditions if one.type == ConditionType.READY)


def _judged(resource: Resource, waits: tuple[str, ...], waiting: Reason) -> tuple[Reason, str]:
    """Returns reason and message: what is wrong first, then what is missing, then what is not."""
    problems: tuple[str, ...] = ()
    if isinstance(resource, ConfigurationGroup | DeploymentPipeline):
        problems = resource.problems()
    elif isinstance(resource, ComponentClass):
        problems = class_problems(resource)
    if problems:
        return Reason.INVALID, "; ".join((*problems, *waits))
    if waits:
        return waiting, "; ".join(waits)
    if type(resource) in _NOT_IMPLEMENTED:
        return Reason.NOT_IMPLEMENTED, _NOT_IMPLEMENTED[type(resource)]
    return Reason.ACCEPTED, ""


def _says_so_already(resource: Resource, conditions: list[Condition], told: _Told) -> bool:
    status = _status(resource)
    own = [status.condition(one) for one in (ConditionType.CYCLIC, ConditionType.READY)]
    return (
        [one for one in own if one is not None] == conditions
        and status.observed_generation == resource.metadata.generation
        and (
            not isinstance(status, ConnectionStatus)
            or (status.target, status.port)
            == (told.fields.get("target", ""), told.fields.get("port", 0))
        )
    )


def _status(resource: Resource) -> Status:
    status: Status = getattr(resource, "status")  # noqa: B009 - each kind declares its own
    return status
