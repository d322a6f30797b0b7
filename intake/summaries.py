"""What a resource's status says about its references: pure functions of what exists.

Intake writes these statuses itself instead of starting a procedure for each: a summary of what
was seen is a fact with nothing to order, wait for or undo, and the next look corrects it. Bindings
and builds are told here only what they wait for before they can be worked on; everything else
about them is written by their procedures.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.resources import (
    Build,
    DeployableArtifact,
    Deployment,
    DeploymentPipeline,
    Release,
    Resource,
    ServiceBinding,
    Status,
    set_condition,
)
from domain.resources.conditions import Condition, ConditionType, Reason
from intake.decisions import obstacles
from intake.world import World, is_held_up

_RECORDS = (DeployableArtifact, Deployment, Release)


def summary(resource: Resource, world: World, now: datetime) -> dict[str, Any] | None:
    """Returns what to apply to the status subresource, None when it says that already."""
    if resource.is_deleted or isinstance(resource, _RECORDS):
        return None
    waits = obstacles(resource, world)
    if isinstance(resource, Build | ServiceBinding) and not _is_told(resource, waits):
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
    return resource.status_manifest() | {"status": status}


def _is_told(resource: Build | ServiceBinding, waits: tuple[str, ...]) -> bool:
    return bool(waits) and (not resource.is_observed or is_held_up(resource))


def _ready(resource: Resource, waits: tuple[str, ...], now: datetime) -> Condition:
    status = _status(resource)
    problems = resource.problems() if isinstance(resource, DeploymentPipeline) else ()
    reason = Reason.INVALID if problems else Reason.REFERENCE_MISSING
    conditions = set_condition(
        status.conditions,
        ConditionType.READY,
        "False" if waits or problems else "True",
        reason if waits or problems else Reason.ACCEPTED,
        "; ".join((*problems, *waits)),
        observed_generation=resource.metadata.generation,
        now=now,
    )
    return next(one for one in conditions if one.type == ConditionType.READY)


def _says_so_already(resource: Resource, condition: Condition) -> bool:
    status = _status(resource)
    return (
        status.condition(ConditionType.READY) == condition
        and status.observed_generation == resource.metadata.generation
    )


def _status(resource: Resource) -> Status:
    status: Status = getattr(resource, "status")  # noqa: B009 - each kind declares its own
    return status
