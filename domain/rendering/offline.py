"""Renders a component in an environment from resources at hand, wherever they come from.

The same rendering as that of a deployment: from files before anything is applied, or from what an
API server has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Sequence
from functools import cached_property
from typing import Any, TypeVar

from domain import ids
from domain.dependencies import interfaces_of
from domain.errors import InvalidRequest, NotFound
from domain.gateways.hosts import HostRights, rights_of
from domain.rendering.configuration.groups import used_groups
from domain.rendering.facts import GatewayDefaults, GroupUse, ReleaseFacts
from domain.resources.base import Resource
from domain.resources.binding import Binding
from domain.resources.build import DeployableArtifact
from domain.resources.classes import ClassRevision
from domain.resources.component import Component, Project
from domain.resources.configuration import ConfigurationGroup, ConfigurationRevision
from domain.resources.environment import Environment
from domain.resources.families import BINDINGS, CLASSES, INSTANCES, class_name, family_of
from domain.resources.instances import Instance
from domain.resources.interfaces import Connection, Endpoint
from domain.resources.organization import Organization
from domain.resources.pipeline import DeploymentPipeline
from domain.resources.planes import DataPlane
from domain.resources.revisions import as_in
from domain.resources.workload import Workload

R = TypeVar("R", bound=Resource)
UNBUILT = "not-built.invalid/image@sha256:" + "0" * 64
"""Stands for the image of a component that was not built yet."""


class _All:
    """Holds everything there is."""

    def __contains__(self, _name: object) -> bool:
        return True


ALL_GROUPS: Container[str] = _All()
SHELVED: tuple[type[Resource], ...] = (
    Project,
    DeploymentPipeline,
    Component,
    Workload,
    Environment,
    DataPlane,
    DeployableArtifact,
    ClassRevision,
    ConfigurationGroup,
    ConfigurationRevision,
    Connection,
    Endpoint,
    *BINDINGS,
    *CLASSES,
    *INSTANCES,
)
"""Kinds of an organization that releases are rendered from, besides the Organization itself."""


class Shelf:
    """Resources by kind and name, of one organization."""

    def __init__(self, resources: Iterable[Resource], organization: str = "") -> None:
        """``organization`` limits it to one; empty = whatever there is."""
        self._found = {
            (one.kind, one.name): one
            for one in resources
            if not organization or one.organization in {"", organization}
        }

    @cached_property
    def catalogue(self) -> ShelfCatalogue:
        """The same resources as connections look them up."""
        return ShelfCatalogue(self)

    def find(self, model: type[R], name: str) -> R | None:
        """Returns a resource by name, None when there is none."""
        found = self._found.get((model.kind, name))
        return found if isinstance(found, model) else None

    def needed(self, model: type[R], name: str, wanted_by: str) -> R:
        """Returns a resource by name.

        Raises:
            NotFound: There is none; says who names it.
        """
        found = self.find(model, name)
        if found is None:
            raise NotFound(f"{wanted_by} needs {model.kind} {name}, which is not there")
        return found

    def all(self, model: type[R]) -> list[R]:
        """Returns all of a kind, by name."""
        found = [one for one in self._found.values() if isinstance(one, model)]
        return sorted(found, key=lambda one: one.name)


def assemble(
    shelf: Shelf,
    component_name: str,
    environment_name: str,
    *,
    gateway: GatewayDefaults | None = None,
    present_class: bool = False,
    present_groups: Container[str] = (),
) -> ReleaseFacts:
    """Returns what a release would be rendered from.

    A component that is not bound yet is rendered with the binding it would get; one that was not
    built yet with an image that says so.

    Args:
        shelf: What there is.
        component_name: The component.
        environment_name: Where it would run.
        gateway: The installation's gateway; None = its defaults.
        present_class: Render with the present content of the class instead of the revision that
            the binding was given.
        present_groups: Configuration groups to render with as they are now, by name; all others as
            they were given. ``ALL_GROUPS`` = all of them.

    Raises:
        NotFound: Something that is named is not there.
    """
    component = shelf.needed(Component, component_name, "the rendering")
    family = family_of(component)
    binding = _binding(shelf, component, environment_name)
    who = f"{binding.kind} {binding.name}"
    environment = shelf.needed(Environment, environment_name, who)
    by = f"Environment {environment.name}"
    present = shelf.needed(family.component_class, binding.spec.class_ref, who)
    instance = shelf.find(family.instance, component.name)
    return ReleaseFacts(
        component=component,
        environment=environment,
        data_plane=shelf.needed(DataPlane, environment.spec.data_plane_ref, by),
        component_class=present if present_class else _given(shelf, present, binding),
        workload=_workload(shelf, component, instance),
        binding=binding,
        artifact=_artifact(shelf, binding, component),
        instance=instance,
        interfaces=interfaces_of(component.name, shelf.catalogue),
        hosts=_hosts(shelf, component.organization),
        gateway=gateway or GatewayDefaults(),
        configuration=_configuration(shelf, component, binding, present_groups),
    )


def _hosts(shelf: Shelf, organization: str) -> HostRights:
    """Domains of other organizations are told when it is deployed: they are not on the shelf."""
    endpoints = shelf.all(Endpoint)
    if not any(one.spec.hosts for one in endpoints):
        return HostRights()
    found = rights_of(organization, shelf.all(Organization), endpoints)
    known = shelf.find(Organization, organization) is not None
    return found.model_copy(update={"is_known": known})


def _configuration(
    shelf: Shelf, component: Component, binding: Binding, present: Container[str]
) -> tuple[GroupUse, ...]:
    return used_groups(
        component,
        shelf.find(Project, component.project),
        shelf.find(Organization, component.organization),
        lambda name: _group(shelf, name, component, binding, present=name in present),
    )


def _workload(shelf: Shelf, component: Component, instance: Instance | None) -> Workload:
    """The workload of a component; an empty one where nobody wrote one yet."""
    name = instance.workload if instance else component.name
    return shelf.find(Workload, name) or _written(
        Workload, name, component.organization, {"component_ref": component.name}
    )


class ShelfCatalogue:
    """The resources of a shelf as connections look them up."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._connections: defaultdict[str, list[Connection]] = defaultdict(list)
        for one in shelf.all(Connection):
            self._connections[one.component].append(one)
        self._endpoints: defaultdict[str, list[Endpoint]] = defaultdict(list)
        for endpoint in shelf.all(Endpoint):
            self._endpoints[endpoint.spec.backend_ref.component_ref].append(endpoint)

    def component(self, name: str) -> Component | None:
        """Returns a component, None when there is none."""
        return self._shelf.find(Component, name)

    def workload(self, component: Component) -> Workload | None:
        """Returns the Workload that a component runs, None when there is none."""
        instance = self._shelf.find(family_of(component).instance, component.name)
        return self._shelf.find(Workload, instance.workload if instance else component.name)

    def endpoints(self, component: str) -> Sequence[Endpoint]:
        """Returns the Endpoints of a component."""
        return self._endpoints.get(component, ())

    def connections(self, component: str) -> Sequence[Connection]:
        """Returns the Connections by which a component calls others."""
        return self._connections.get(component, ())


def _group(
    shelf: Shelf, name: str, component: Component, binding: Binding, *, present: bool
) -> ConfigurationGroup:
    group = shelf.needed(ConfigurationGroup, name, f"Component {component.name}")
    given = {one.group_ref: one.revision_ref for one in binding.status.configuration}
    wanted = given.get(name, "")
    if present or not wanted or wanted == group.revision:
        return group
    revision = shelf.find(ConfigurationRevision, wanted)
    return group if revision is None else revision.of(group)


def _binding(shelf: Shelf, component: Component, environment: str) -> Binding:
    model = family_of(component).binding
    for one in shelf.all(model):
        if (one.component, one.environment) == (component.name, environment):
            return one
    spec = {
        **model.class_named(class_name(component)),
        "component_ref": component.name,
        "environment_ref": environment,
    }
    name = ids.binding_name(component.name, environment)
    return _written(model, name, component.organization, spec)


def _given(shelf: Shelf, present: Any, binding: Binding) -> Any:
    wanted = binding.spec.class_revision_ref or binding.status.class_revision_ref
    if not wanted or wanted == present.revision:
        return present
    revision = shelf.find(ClassRevision, wanted)
    is_held = bool(binding.spec.class_revision_ref)
    if revision is None or revision.spec.class_name != present.name:
        if is_held:
            raise InvalidRequest(
                f"{binding.kind} {binding.name}: spec.classRevisionRef names ClassRevision "
                f"{wanted}, which is not there or none of {present.kind} {present.name}"
            )
        return present
    return as_in(present, revision)


def _artifact(shelf: Shelf, binding: Binding, component: Component) -> DeployableArtifact:
    if binding.artifact:
        found = shelf.find(DeployableArtifact, binding.artifact)
        if found is not None:
            return found
    spec = {"component_ref": component.name, "image": UNBUILT}
    return _written(DeployableArtifact, "not-built", component.organization, spec)


def _written(model: type[R], name: str, organization: str, spec: dict[str, Any]) -> R:
    metadata = {"name": name, "namespace": organization}
    return model.model_validate({"metadata": metadata, "spec": spec})
