"""What a resource's status says about its references: pure functions of what exists.

Intake writes these statuses itself instead of starting a procedure for each: a summary of what
was seen is a fact with nothing to order, wait for or undo, and the next look corrects it. Bindings
and builds are told here only what they wait for before they can be worked on; everything else
about them is written by their procedures.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.rendering.templates import class_problems
from domain.resources import (
    Binding,
    Build,
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
from domain.resources.configuration import ConfigurationGroup
from domain.resources.interfaces import Connection, Endpoint
from domain.resources.planes import ObservabilityPlane
from intake.decisions import obstacles
from intake.world import World, is_held_up

_RECORDS = (DeployableArtifact, Deployment, Release)
_NOT_IMPLEMENTED: dict[type[Resource], str] = {
    Endpoint: "it is checked, and changes neither routes nor policies yet: "
    "they are made of the endpoints of the Workload",
    Connection: "it is checked, and changes no policy yet: what goes out is open to all",
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
    condition = _ready(resource, waits, now)
    if _says_so_already(resource, condition):
        return None
    status: dict[str, Any] = {
        "observedGeneration": resource.metadata.generation,
        "conditions": [condition.model_dump(mode="json", by_alias=True)],
    }
    if isinstance(resource, DeploymentPipeline):
        status["environments"] = list(resource.environments)
    if isinstance(resource, ComponentClass):
        status["revision"] = resource.revision
    return resource.status_manifest() | {"status": status}


def _is_told(resource: Build | Binding, waits: tuple[str, ...]) -> bool:
    return bool(waits) and (not resource.is_observed or is_held_up(resource))


def _ready(resource: Resource, waits: tuple[str, ...], now: datetime) -> Condition:
    status = _status(resource)
    reason, message = _judged(resource, waits)
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


def _judged(resource: Resource, waits: tuple[str, ...]) -> tuple[Reason, str]:
    """Returns reason and message: what is wrong first, then what is missing, then what is not."""
    problems: tuple[str, ...] = ()
    if isinstance(resource, ConfigurationGroup | DeploymentPipeline):
        problems = resource.problems()
    elif isinstance(resource, ComponentClass):
        problems = class_problems(resource)
    if problems:
        return Reason.INVALID, "; ".join((*problems, *waits))
    if waits:
        return Reason.REFERENCE_MISSING, "; ".join(waits)
    if type(resource) in _NOT_IMPLEMENTED:
        return Reason.NOT_IMPLEMENTED, _NOT_IMPLEMENTED[type(resource)]
    return Reason.ACCEPTED, ""


def _says_so_already(resource: Resource, condition: Condition) -> bool:
    status = _status(resource)
    return (
        status.condition(ConditionType.READY) == condition
        and status.observed_generation == resource.metadata.generation
    )


def _status(resource: Resource) -> Status:
    status: Status = getattr(resource, "status")  # noqa: B009 - each kind declares its own
    return status
