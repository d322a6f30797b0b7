"""What a resource's status says about its references: pure functions of what exists.

Intake writes these statuses itself instead of starting a procedure for each: a summary of what
was seen is a fact with nothing to order, wait for or undo, and the next look corrects it. Bindings
and builds are told here only what they wait for before they can be worked on; everything else
about them is written by their procedures.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.policies import windows
from domain.policies.tenants.said import TENANT_CONDITIONS
from domain.rendering.templates import class_problems
from domain.resources import (
    Binding,
    Build,
    ComponentClass,
    DeployableArtifact,
    Deployment,
    DeploymentPipeline,
    Environment,
    FreezeWindow,
    Organization,
    Release,
    Resource,
    Status,
    set_condition,
)
from domain.resources.conditions import Condition, ConditionType, Reason
from domain.resources.configuration import ConfigurationGroup
from domain.resources.interfaces import ConnectionStatus
from intake import freezes
from intake.interfaces_told import Told, cyclic, told_of
from intake.near import obstacles
from intake.planes import silent
from intake.tenants import wanted_setup
from intake.world import World, is_held_up

_RECORDS = (DeployableArtifact, Deployment, Release)


def summary(resource: Resource, world: World, now: datetime) -> dict[str, Any] | None:
    """Returns what to apply to the status subresource, None when it says that already."""
    if resource.is_deleted or isinstance(resource, _RECORDS):
        return None
    waits = obstacles(resource, world)
    if isinstance(resource, Build | Binding) and not _is_told(resource, waits):
        return None
    told = told_of(resource, world)
    ready = _ready(resource, waits, told, world, now)
    conditions = [*cyclic(resource, told, now), *_unlooked(resource, now), ready]
    if _says_so_already(resource, conditions, told):
        is_said = not isinstance(resource, FreezeWindow) or freezes.says_so(resource, now)
        if is_said:
            return None
    status: dict[str, Any] = {
        "observedGeneration": resource.metadata.generation,
        "conditions": [one.model_dump(mode="json", by_alias=True) for one in conditions],
        **told.fields,
    }
    if isinstance(resource, FreezeWindow):
        status |= freezes.shown(resource, now).fields
    if isinstance(resource, DeploymentPipeline):
        status["environments"] = list(resource.environments)
    if isinstance(resource, ComponentClass):
        status["revision"] = resource.revision
    return resource.status_manifest() | {"status": status}


def _is_told(resource: Build | Binding, waits: tuple[str, ...]) -> bool:
    return bool(waits) and (not resource.is_observed or is_held_up(resource))


def _ready(
    resource: Resource, waits: tuple[str, ...], told: Told, world: World, now: datetime
) -> Condition:
    status = _status(resource)
    reason, message = _judged(resource, waits, told, world)
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


def _judged(
    resource: Resource, waits: tuple[str, ...], told: Told, world: World
) -> tuple[Reason, str]:
    """Returns reason and message: what is wrong first, then what is missing, then what is not."""
    problems: tuple[str, ...] = ()
    if isinstance(resource, ConfigurationGroup | DeploymentPipeline):
        problems = resource.problems()
    elif isinstance(resource, ComponentClass):
        problems = class_problems(resource)
    elif isinstance(resource, FreezeWindow):
        problems = windows.problems(resource)
    if problems:
        return Reason.INVALID, "; ".join((*problems, *waits))
    if waits:
        return Reason.REFERENCE_MISSING, "; ".join((*waits, *told.waits))
    if told.waits:
        return told.reason, "; ".join(told.waits)
    return _not_yet(resource, world) or (Reason.ACCEPTED, told.note)


def _not_yet(resource: Resource, world: World) -> tuple[Reason, str] | None:
    """Returns why a resource that names only what exists is not ready all the same."""
    if why := silent(resource):
        return Reason.PLANE_SILENT, why
    if isinstance(resource, Organization):
        return _setting_up(resource, world)
    return None


def _setting_up(organization: Organization, world: World) -> tuple[Reason, str] | None:
    """Returns why an organization is not what it says; None = it is set up."""
    told = organization.status.conditions
    for of_type in TENANT_CONDITIONS:
        one = next((each for each in told if each.type == of_type), None)
        if one is not None and not one.is_true:
            return Reason.SETTING_UP, one.message
    if organization.status.setup == wanted_setup(organization, world):
        return None
    return Reason.SETTING_UP, "waiting until namespace, rights and planes are set up"


def _unlooked(resource: Resource, now: datetime) -> list[Condition]:
    """Returns what is said of the health of an environment while no look says more."""
    if not isinstance(resource, Environment):
        return []
    known = resource.status.condition(ConditionType.HEALTHY)
    is_looked_at = resource.spec.health is not None
    if is_looked_at and known is not None and known.reason != Reason.NOT_LOOKED_AT:
        return []
    conditions = set_condition(
        resource.status.conditions,
        ConditionType.HEALTHY,
        "Unknown",
        Reason.NOT_LOOKED_AT,
        "the first look comes" if is_looked_at else "nobody looks: set spec.health",
        observed_generation=resource.metadata.generation,
        now=now,
    )
    return [one for one in conditions if one.type == ConditionType.HEALTHY]


def _says_so_already(resource: Resource, conditions: list[Condition], told: Told) -> bool:
    status = _status(resource)
    own = [status.condition(ConditionType.CYCLIC)]
    if any(one.type == ConditionType.HEALTHY for one in conditions):
        own.append(status.condition(ConditionType.HEALTHY))
    own.append(status.condition(ConditionType.READY))
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
