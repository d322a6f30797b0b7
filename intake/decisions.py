"""Which procedure a resource asks for, if any: pure functions of what exists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from domain import ids
from domain.deliveries import (
    BuildRequest,
    ClassUpgradeRequest,
    DeployRequest,
    Trigger,
    TriggerKind,
)
from domain.deliveries.promotions import PromotionRequest
from domain.policies.class_waves import consumers_of
from domain.rendering.templates import class_problems
from domain.resources import (
    Binding,
    BuildPlane,
    Component,
    ComponentClass,
    DataPlane,
    FreezeWindow,
    Organization,
    Resource,
)
from domain.resources.build import Build
from domain.resources.class_parts import UpgradeMode
from domain.resources.configuration import ConfigurationGroup
from domain.resources.rotation import SecretRotation
from intake.configurations import ReleaseConfiguration, wanted_release
from intake.interfaces import interfaces_in, interfaces_seen, outdated_interfaces
from intake.near import behind, missing, surroundings, without_build_plane
from intake.planes import CheckPlane
from intake.promotions import automatic_promotions
from intake.rotations import KeepTimetable, wanted_timetable
from intake.teardown import TearDown, wanted_teardown
from intake.tenants import SetUpTenant, wanted_tenant
from intake.world import World, is_held_up, wants_first_build

_UID_LENGTH = 8


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
class Deploy:
    """A deployment of what a binding wants."""

    request: DeployRequest


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
class Promote:
    """Promotions to the environments that come next and ask for none."""

    requests: tuple[PromotionRequest, ...]


@dataclass(frozen=True)
class UpgradeClass:
    """A class changed whose policy brings changes to its components by itself."""

    request: ClassUpgradeRequest
    revision: str
    """The content it has now: another one is another decision."""


Decision: TypeAlias = (
    CheckPlane
    | StartBuild
    | RequestBuild
    | Deploy
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
    if teardown := wanted_teardown(resource, world, _trigger(resource)):
        return teardown
    match resource:
        case Build():
            return _of_build(resource, world)
        case Binding():
            return _of_binding(resource, world)
        case Component():
            return _of_component(resource, world)
        case _:
            return _of_the_platform(resource, world)


def _of_the_platform(resource: Resource, world: World) -> Decision | None:
    """What platform engineers write."""
    match resource:
        case ComponentClass():
            return _of_class(resource, world)
        case DataPlane() | BuildPlane():
            return CheckPlane.of(resource, _trigger(resource))
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
        return wanted_release(resource, _trigger(resource, TriggerKind.AUTOMATIC))
    if isinstance(resource, Organization):
        lane = TellLane(resource.name, resource.spec.builds.concurrency)
        trigger = _trigger(resource, TriggerKind.RESOURCE)
        setup = wanted_tenant(resource, world, trigger)
        return SetUpTenant(setup, lane.concurrency) if setup else lane
    lifted = tuple(one.id for one in resource.status.overrides)
    return TellFreezes(resource.organization, resource.metadata.generation, lifted)


def obstacles(resource: Resource, world: World) -> tuple[str, ...]:
    """Returns what must appear before the resource can be worked on, in words."""
    named = missing(resource, world)
    match resource:
        case Build():
            return named + without_build_plane(resource.organization, world)
        case Binding() if not named:
            return behind(resource, world)
        case _:
            return named


def _of_build(build: Build, world: World) -> Decision | None:
    if build.is_deleted or (build.is_observed and not is_held_up(build)):
        return None
    if obstacles(build, world):
        return None
    request = BuildRequest(
        organization=build.organization,
        component=build.component,
        revision=build.revision,
        trigger=_trigger(build),
    )
    commit = build.revision
    if ids.is_commit(commit) and build.name == ids.build_name(build.component, commit):
        return StartBuild(request.model_copy(update={"commit": commit}))
    key = ids.fitted(f"{build.name}-{build.metadata.generation}")
    return RequestBuild(request.model_copy(update={"build": build.name}), key)


def _of_binding(binding: Binding, world: World) -> Decision | None:
    if not binding.component:
        return None
    generation = binding.metadata.generation
    request_id = f"binding-{binding.metadata.uid[:_UID_LENGTH]}-{generation}"
    interfaces = interfaces_in(world, binding.organization, binding.component).state
    if binding.is_observed:
        if not is_held_up(binding):
            return _of_running(binding, world)
        # The world is another one than when it was looked at, so this is another request.
        request_id, generation = f"{request_id}-{surroundings(binding, world)}", 0
    if not binding.is_deleted and obstacles(binding, world):
        return None
    return Deploy(
        DeployRequest(
            organization=binding.organization,
            component=binding.component,
            environment=binding.environment,
            request_id=request_id,
            binding=binding.name,
            binding_kind=binding.kind,
            first=not binding.status.release_ref,
            generation=generation,
            interfaces=interfaces,
            trigger=_trigger(binding),
        )
    )


def _of_running(binding: Binding, world: World) -> Decision | None:
    """What was looked at runs: with what is declared now, and then it may go on."""
    changed = outdated_interfaces(binding, world)
    if not changed:
        following = automatic_promotions(binding, world)
        return Promote(following) if following else None
    return Deploy(
        DeployRequest(
            organization=binding.organization,
            component=binding.component,
            environment=binding.environment,
            request_id=f"interfaces-{binding.metadata.uid[:_UID_LENGTH]}-"
            f"{interfaces_seen(binding, world)}-{changed}",
            binding=binding.name,
            binding_kind=binding.kind,
            interfaces=changed,
            trigger=Trigger(
                kind=TriggerKind.AUTOMATIC,
                reference=f"Endpoints and Connections of {binding.component}",
            ),
        )
    )


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
            trigger=_trigger(component, TriggerKind.AUTOMATIC),
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
            trigger=_trigger(component_class, TriggerKind.AUTOMATIC),
        ),
        component_class.revision,
    )


def _trigger(resource: Resource, kind: TriggerKind = TriggerKind.RESOURCE) -> Trigger:
    generation = resource.metadata.generation
    return Trigger(kind=kind, reference=f"{resource.kind} {resource.name} generation {generation}")
