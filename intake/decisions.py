"""Which procedure a resource asks for, if any: pure functions of what exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from domain import ids
from domain.deliveries import (
    BuildRequest,
    ClassUpgradeRequest,
    TriggerKind,
)
from domain.policies.class_waves import consumers_of
from domain.rendering.templates import class_problems
from domain.resources import (
    Binding,
    BuildPlane,
    Component,
    ComponentClass,
    DataPlane,
    Environment,
    FreezeWindow,
    ObservabilityPlane,
    Organization,
    Resource,
)
from domain.resources.build import Build
from domain.resources.class_parts import UpgradeMode
from domain.resources.configuration import ConfigurationGroup
from domain.resources.rotation import SecretRotation
from intake.bindings import Deploy, Promote, trigger_of, wanted_deployment
from intake.configurations import ReleaseConfiguration, wanted_release
from intake.near import missing, obstacles, without_build_plane
from intake.planes import CheckObservability, CheckPlane
from intake.rotations import (
    ForgetTimetable,
    KeepSweeps,
    KeepTimetable,
    wanted_sweeps,
    wanted_timetable,
)
from intake.teardown import TearDown, wanted_teardown
from intake.tenants import SetUpTenant, wanted_tenant
from intake.world import Key, World, is_held_up, wants_first_build


@dataclass(frozen=True)
class StartBuild:
    """The build of a known commit that the platform wrote down; normally it runs already."""

    request: BuildRequest


@dataclass(frozen=True)
class RequestBuild:
    """The build of a revision; equal keys are the same request."""

    request: BuildRequest
    key: str


@dataclass(frozen=True)
class TellLane:
    """How many builds an organization may run may have changed while some wait."""

    organization: str
    concurrency: int


@dataclass(frozen=True)
class TellFreezes:
    """A freeze window changed: what waits for it may go on."""

    organization: str
    generation: int
    overrides: tuple[str, ...]


@dataclass(frozen=True)
class UpgradeClass:
    """A class changed whose policy brings changes to its components by itself."""

    request: ClassUpgradeRequest
    revision: str
    """The content it has now: another one is another decision."""


Decision: TypeAlias = (
    CheckPlane
    | CheckObservability
    | StartBuild
    | RequestBuild
    | Deploy
    | ForgetTimetable
    | KeepSweeps
    | KeepTimetable
    | Promote
    | ReleaseConfiguration
    | SetUpTenant
    | TearDown
    | TellFreezes
    | TellLane
    | UpgradeClass
)


def decide(resource: Resource, world: World) -> Decision | None:
    """Returns what to ask for because of the present state of a resource.

    The answer is the same for the same state, and carries ids made of it, so asking twice asks
    for one thing.
    """
    if teardown := wanted_teardown(resource, world, trigger_of(resource)):
        return teardown
    match resource:
        case Build():
            return _of_build(resource, world)
        case Binding():
            return wanted_deployment(resource, world)
        case Component():
            return _of_component(resource, world)
        case _:
            return _of_the_platform(resource, world)


def decide_gone(key: Key) -> Decision | None:
    """Returns what to ask for because a resource is no longer there."""
    if key.kind == SecretRotation.kind:
        return ForgetTimetable(key.namespace, key.name)
    if key.kind == FreezeWindow.kind:
        return TellFreezes(key.namespace, generation=0, overrides=())
    return None


def _of_the_platform(resource: Resource, world: World) -> Decision | None:
    """What platform engineers write."""
    match resource:
        case ComponentClass():
            return _of_class(resource, world)
        case Environment():
            return wanted_sweeps(resource)
        case DataPlane() | BuildPlane():
            return CheckPlane.of(resource, trigger_of(resource))
        case ObservabilityPlane():
            return CheckObservability.of(resource, trigger_of(resource))
        case ConfigurationGroup() | FreezeWindow() | Organization() | SecretRotation():
            return _of_rules(resource, world)
        case _:
            return None


def _of_rules(
    resource: ConfigurationGroup | FreezeWindow | Organization | SecretRotation, world: World
) -> Decision | None:
    """Whoever waits by these rules looks at them again; a group releases each content once."""
    if isinstance(resource, SecretRotation):
        return wanted_timetable(resource)
    if isinstance(resource, ConfigurationGroup):
        return wanted_release(resource, trigger_of(resource, TriggerKind.AUTOMATIC))
    if isinstance(resource, Organization):
        lane = TellLane(resource.name, resource.spec.builds.concurrency)
        trigger = trigger_of(resource, TriggerKind.RESOURCE)
        setup = wanted_tenant(resource, world, trigger)
        return SetUpTenant(setup, lane.concurrency) if setup else lane
    lifted = tuple(one.id for one in resource.status.overrides)
    return TellFreezes(resource.organization, resource.metadata.generation, lifted)


def _of_build(build: Build, world: World) -> Decision | None:
    if build.is_deleted or (build.is_observed and not is_held_up(build)):
        return None
    if obstacles(build, world):
        return None
    request = BuildRequest(
        organization=build.organization,
        component=build.component,
        revision=build.revision,
        trigger=trigger_of(build),
    )
    commit = build.revision
    if ids.is_commit(commit) and build.name == ids.build_name(build.component, commit):
        return StartBuild(request.model_copy(update={"commit": commit}))
    key = ids.fitted(f"{build.name}-{build.metadata.generation}")
    return RequestBuild(request.model_copy(update={"build": build.name}), key)


def _of_component(component: Component, world: World) -> Decision | None:
    source = component.build
    if source is None or component.is_deleted or not wants_first_build(component):
        return None
    if world.has_build(component) or missing(component, world):
        return None
    if without_build_plane(component.organization, world):
        return None
    digest = ids.content_hash(source.model_dump(mode="json"))[:10]
    return RequestBuild(
        BuildRequest(
            organization=component.organization,
            component=component.name,
            revision=source.branch,
            branch=source.branch,
            trigger=trigger_of(component, TriggerKind.AUTOMATIC),
        ),
        ids.fitted(f"{component.name}-{digest}"),
    )


def _of_class(component_class: ComponentClass, world: World) -> Decision | None:
    """Upgrades by itself only what runs with another revision, so looking twice starts nothing."""
    if component_class.is_deleted or component_class.spec.upgrade.mode is not UpgradeMode.AUTO:
        return None
    if class_problems(component_class):
        return None
    bindings = world.naming(component_class, Binding)
    if not any(one.needs for one in consumers_of(component_class, bindings, ())):
        return None
    return UpgradeClass(
        ClassUpgradeRequest(
            organization=component_class.organization,
            class_kind=component_class.kind,
            class_name=component_class.name,
            trigger=trigger_of(component_class, TriggerKind.AUTOMATIC),
        ),
        component_class.revision,
    )
