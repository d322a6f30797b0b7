"""What lies near a resource: what it leads to, and what of that is missing."""

from __future__ import annotations

from collections.abc import Iterator

from domain import ids
from domain.rendering.configuration.groups import named_groups
from domain.resources import (
    Binding,
    Build,
    BuildPlane,
    Component,
    DataPlane,
    Environment,
    Organization,
    Project,
    Resource,
    Workload,
)
from domain.resources.configuration import ConfigurationGroup
from domain.resources.families import family_of, family_of_binding
from domain.resources.references import missing_references
from intake.interfaces import interfaces_in
from intake.world import World

_UID_LENGTH = 8


def missing_groups(component: Component, world: World) -> Iterator[str]:
    """Yields what is missing of what organization and project name, in words.

    What the component names itself is among its own references.
    """
    where = component.organization
    project = world.find(Project, where, component.project)
    organization = world.find(Organization, where, where)
    known = world.existing(where).get(ConfigurationGroup.kind, ())
    for level, name in named_groups(component, project, organization):
        if level != "component" and name not in known:
            yield f"waiting until ConfigurationGroup {name}, which the {level} names, is created"


def workload_of(binding: Binding, world: World) -> str:
    """Returns the name of the Workload of a binding's component."""
    model = family_of_binding(binding.kind).instance
    instance = world.find(model, binding.organization, binding.component)
    return instance.workload if instance else binding.component


def surroundings(binding: Binding, world: World) -> str:
    """Returns a short hash of which objects the binding leads to now."""
    where = binding.organization
    environment = world.find(Environment, where, binding.environment)
    plane = environment.spec.data_plane_ref if environment else ""
    near = [
        environment,
        world.find(DataPlane, where, plane),
        world.find(Component, where, binding.component),
        world.find(Workload, where, workload_of(binding, world)),
        *_groups(binding, world),
    ]
    seen = [(one.kind, one.metadata.uid, one.metadata.generation) for one in near if one]
    interfaces = interfaces_in(world, where, binding.component).hash
    content = [seen, binding.spec.class_ref, *([interfaces] if interfaces else [])]
    return ids.content_hash(content)[:_UID_LENGTH]


def plane_to_move_to(binding: Binding, world: World) -> str:
    """Returns the plane of its environment when what runs is on another one; empty = it is not."""
    environment = world.find(Environment, binding.organization, binding.environment)
    plane = environment.spec.data_plane_ref if environment else ""
    if binding.status.plane_ref in {"", plane} or binding.is_deleted:
        return ""
    return plane if world.find(DataPlane, binding.organization, plane) else ""


def _groups(binding: Binding, world: World) -> list[ConfigurationGroup | None]:
    where = binding.organization
    component = world.find(Component, where, binding.component)
    if component is None:
        return []
    project = world.find(Project, where, component.project)
    named = named_groups(component, project, world.find(Organization, where, where))
    return [world.find(ConfigurationGroup, where, name) for _, name in named]


def missing(resource: Resource, world: World) -> tuple[str, ...]:
    """Returns what a resource names that is not there, in words."""
    existing = world.existing(resource.organization)
    return tuple(one.message for one in missing_references(resource, existing))


def without_build_plane(organization: str, world: World) -> tuple[str, ...]:
    """Returns what must appear before an organization can build, in words."""
    found = world.find(Organization, organization, organization)
    if found is None:
        return (f"waiting until Organization {organization} is created",)
    if found.spec.builds.build_plane_ref:
        return missing(found, world)
    if not world.existing(organization).get(BuildPlane.kind):
        return (f"waiting until a BuildPlane is created in {organization}",)
    return ()


def behind(binding: Binding, world: World) -> tuple[str, ...]:
    """Looks at what the named things need themselves."""
    where = binding.organization
    environment = world.find(Environment, where, binding.environment)
    component = world.find(Component, where, binding.component)
    found = [one for one in (environment, component) if one is not None]
    waits = tuple(message for one in found for message in missing(one, world))
    if component is not None and family_of(component).binding.kind != binding.kind:
        waits += (
            (
                f"component {component.name} is a {component.spec.component_type}: waiting until "
                f"this {binding.kind} is replaced by a {family_of(component).binding.kind}"
            ),
        )
    if component is not None:
        waits += tuple(missing_groups(component, world))
    workload = workload_of(binding, world)
    if workload not in world.existing(where).get(Workload.kind, ()):
        waits += (f"waiting until Workload {workload} is created in {where} (a build makes it)",)
    unresolved = interfaces_in(world, where, binding.component).unresolved
    return waits + tuple(f"Connection {one.connection}: {one.message}" for one in unresolved)


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
