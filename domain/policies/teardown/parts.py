"""What is part of a resource and goes with it, and what only uses it and so keeps it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from domain.resources.base import Resource
from domain.resources.binding import Binding
from domain.resources.build import Build, DeployableArtifact
from domain.resources.classes import ClassRevision, ComponentClass
from domain.resources.component import Component, Project
from domain.resources.configuration import ConfigurationGroup, ConfigurationRevision
from domain.resources.deployment import Deployment, Release
from domain.resources.environment import Environment
from domain.resources.families import BINDINGS, CLASSES, INSTANCES
from domain.resources.instances import Instance
from domain.resources.interfaces import Connection, Endpoint
from domain.resources.organization import Organization
from domain.resources.pipeline import DeploymentPipeline
from domain.resources.planes import BuildPlane, DataPlane
from domain.resources.references import references
from domain.resources.registry import KINDS
from domain.resources.rotation import SecretRotation
from domain.resources.workload import Workload

Waves = tuple[tuple[Resource, ...], ...]
_RECORDS = (Deployment, Release)
_OWN: tuple[type[Resource], ...] = (
    Build,
    DeployableArtifact,
    Workload,
    *INSTANCES,
    Endpoint,
    Connection,
    *_RECORDS,
)

_PLACES: tuple[type[Resource], ...] = (Project, Environment, DataPlane, BuildPlane)
"""What tells in which namespaces of which planes something may be."""
_NEEDED: Mapping[type[Resource], tuple[type[Resource], ...]] = MappingProxyType(
    {
        Component: (*BINDINGS, *_OWN, SecretRotation),
        Project: (ConfigurationGroup,),
        Environment: (*BINDINGS, *_RECORDS, DeploymentPipeline, ConfigurationGroup),
        DataPlane: BINDINGS,
        ConfigurationGroup: (ConfigurationRevision,),
        ClassRevision: BINDINGS,
        DeployableArtifact: BINDINGS,
        **dict.fromkeys(CLASSES, (ClassRevision, *BINDINGS, *INSTANCES)),
    }
)


def kinds_needed(kind: str) -> tuple[str, ...]:
    """Returns the kinds among which parts and users of a resource of a kind are found.

    Components are always needed: they tell what is about to go anyway.
    """
    model = KINDS[kind]
    if model is Organization:
        return tuple(name for name in KINDS if name != kind)
    found: tuple[type[Resource], ...] = (*_NEEDED.get(model, ()), *_PLACES, Component)
    return tuple(dict.fromkeys(one.kind for one in found))


def component_of(resource: Resource) -> str:
    """Returns the component of which a resource is a part; empty = of none."""
    match resource:
        case Binding() | Build() | DeployableArtifact() | Workload() | Instance() | Connection():
            return resource.component
        case Endpoint():
            return resource.spec.backend_ref.component_ref
        case Deployment() | Release():
            return resource.spec.component_ref
        case _:
            return ""


def parts_of(target: Resource, resources: Iterable[Resource]) -> Waves:
    """Returns what goes with a resource: each wave when the one before is gone.

    Bindings go first, as their objects are taken down by what stays until then.
    """
    rest = [one for one in resources if not _is_same(one, target)]
    if isinstance(target, Organization):
        return _of_organization(rest)
    parts = tuple(one for one in rest if _is_part(one, target))
    first = (Binding, Component)
    return (
        tuple(one for one in parts if isinstance(one, first)),
        tuple(one for one in parts if not isinstance(one, first)),
    )


def _is_part(one: Resource, of: Resource) -> bool:
    """Tells whether a resource goes with another one that is no Organization."""
    match of:
        case Component():
            return component_of(one) == of.name
        case Project():
            return _project_of(one) == of.name
        case Environment():
            return _environment_of(one) == of.name
        case ComponentClass() | ConfigurationGroup():
            return _revised_by(one) == (of.kind, of.name)
        case _:
            return False


def _project_of(one: Resource) -> str:
    match one:
        case Component():
            return one.project
        case ConfigurationGroup():
            return one.spec.project_ref
        case _:
            return ""


def _environment_of(one: Resource) -> str:
    match one:
        case Binding():
            return one.environment
        case Deployment() | Release():
            return one.spec.environment_ref
        case _:
            return ""


def _revised_by(one: Resource) -> tuple[str, str]:
    """Returns kind and name of that of which a resource is a revision."""
    match one:
        case ClassRevision():
            return one.spec.class_kind, one.spec.class_name
        case ConfigurationRevision():
            return ConfigurationGroup.kind, one.spec.group_ref
        case _:
            return "", ""


def users_of(target: Resource, resources: Iterable[Resource]) -> tuple[str, ...]:
    """Returns what keeps a resource, in words: what names it and neither is part of it nor goes.

    An environment keeps its plane to the end, as its objects are taken down there.
    """
    known = list(resources)
    goes = _Going(target, known)
    naming = tuple(
        f"{one.kind} {one.name} ({reference.field})"
        for one in known
        if not goes(one)
        for reference in references(one)
        if (reference.kind, reference.name) == (target.kind, target.name)
        # What people may do says nothing about what there is.
        if not reference.field.startswith("spec.access")
    )
    return naming + tuple(why for one in known if (why := _uses(one, target)))


def _uses(one: Resource, target: Resource) -> str:
    """Returns how a resource uses another one without naming it in its spec; empty = it does not.

    Of an environment that was moved, something may still be where it was.
    """
    match target, one:
        case Component(), Build() if _runs(one, target):
            return f"Build {one.name}, which runs: wait for its end or cancel it"
        case DataPlane(), Binding() if one.status.plane_ref == target.name:
            return f"{one.kind} {one.name}, which runs there"
        case _:
            return ""


class _Going:
    """Tells what is part of a resource or is about to go anyway."""

    def __init__(self, target: Resource, resources: Iterable[Resource]) -> None:
        known = list(resources)
        self._target = target
        self._parts = {(one.kind, one.name) for wave in parts_of(target, known) for one in wave}
        self._components = {
            one.name for one in known if isinstance(one, Component) and one.is_deleted
        }
        self._all = any(isinstance(one, Organization) and one.is_deleted for one in known)

    def __call__(self, one: Resource) -> bool:
        if _is_same(one, self._target) or (one.kind, one.name) in self._parts:
            return True
        if isinstance(one, Environment):
            return False
        return self._all or one.is_deleted or component_of(one) in self._components


def _of_organization(rest: list[Resource]) -> Waves:
    first = (Project, Component, Binding)
    planes = (DataPlane, BuildPlane)
    return (
        tuple(one for one in rest if isinstance(one, first)),
        tuple(one for one in rest if not isinstance(one, (*first, *planes))),
        tuple(one for one in rest if isinstance(one, planes)),
    )


def _runs(build: Build, component: Component) -> bool:
    phase = build.status.phase
    return build.component == component.name and phase is not None and not phase.is_terminal


def _is_same(one: Resource, other: Resource) -> bool:
    return (one.kind, one.name, one.namespace) == (other.kind, other.name, other.namespace)
