"""Which resources a resource names, and which of those are missing."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import singledispatch

from pydantic.alias_generators import to_camel

from domain.resources.base import Resource
from domain.resources.binding import Binding
from domain.resources.build import Build, DeployableArtifact
from domain.resources.classes import ServiceClass
from domain.resources.component import Component, Project
from domain.resources.configuration import ConfigurationGroup
from domain.resources.environment import Environment
from domain.resources.families import class_name, family_of
from domain.resources.instances import Instance
from domain.resources.interfaces import Connection, Endpoint
from domain.resources.organization import Organization
from domain.resources.pipeline import DeploymentPipeline
from domain.resources.planes import DataPlane
from domain.resources.rotation import SecretRotation
from domain.resources.workload import Workload

_SHOWN = 5


@dataclass(frozen=True)
class Reference:
    """One field that names another resource of the same organization."""

    kind: str
    name: str
    """Empty = the field must be filled and is not."""
    field: str
    """Path of the field, such as ``spec.environmentRef``."""


@dataclass(frozen=True)
class MissingReference:
    """A reference that leads nowhere."""

    reference: Reference
    message: str
    """What is missing, where, and what ends the wait."""


def references(resource: Resource) -> tuple[Reference, ...]:
    """Returns what a resource names, in the order of its fields.

    Records of what happened (DeployableArtifact's build, Deployment, Release) name things that may
    be gone by now; those are not references.
    """
    return tuple(_named(resource))


def missing_references(
    resource: Resource, existing: Mapping[str, Collection[str]]
) -> tuple[MissingReference, ...]:
    """Returns the references that lead nowhere.

    Args:
        resource: The resource whose fields are looked at.
        existing: Kind -> names of what the organization has; an absent kind has none.
    """
    return tuple(
        MissingReference(one, _message(resource, one, existing.get(one.kind, ())))
        for one in references(resource)
        if one.name not in existing.get(one.kind, ())
    )


def _message(resource: Resource, missing: Reference, candidates: Collection[str]) -> str:
    if not missing.name:
        return f"{missing.field} is empty: waiting for the name of a {missing.kind}"
    waiting = (
        f"{missing.field} names {missing.kind} {missing.name}, which does not exist in "
        f"{resource.organization}: waiting until it is created or the name is corrected"
    )
    close = difflib.get_close_matches(missing.name, candidates, n=1)
    if close:
        return f"{waiting}; did you mean {close[0]}?"
    if not candidates:
        return f"{waiting}; there is no {missing.kind} yet"
    names = sorted(candidates)
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{waiting}; there is {', '.join(names[:_SHOWN])}{more}"


@singledispatch
def _named(_resource: Resource) -> Iterator[Reference]:
    """Yields nothing for kinds that name no other."""
    yield from ()


@_named.register
def _of_organization(resource: Organization) -> Iterator[Reference]:
    plane = resource.spec.builds.build_plane_ref
    if plane:
        yield Reference("BuildPlane", plane, "spec.builds.buildPlaneRef")
    for index, rule in enumerate(resource.spec.access):
        if rule.project:
            yield Reference("Project", rule.project, f"spec.access[{index}].project")
        if rule.environment:
            yield Reference("Environment", rule.environment, f"spec.access[{index}].environment")
    yield from _groups(resource)


@_named.register
def _of_environment(resource: Environment) -> Iterator[Reference]:
    yield Reference("DataPlane", resource.spec.data_plane_ref, "spec.dataPlaneRef")


@_named.register
def _of_data_plane(resource: DataPlane) -> Iterator[Reference]:
    plane = resource.spec.observability_plane_ref
    if plane:
        yield Reference("ObservabilityPlane", plane, "spec.observabilityPlaneRef")


@_named.register
def _of_pipeline(resource: DeploymentPipeline) -> Iterator[Reference]:
    for index, path in enumerate(resource.spec.promotion_paths):
        at = f"spec.promotionPaths[{index}]"
        yield Reference("Environment", path.source_environment_ref, f"{at}.sourceEnvironmentRef")
        for number, target in enumerate(path.target_environment_refs):
            field = f"{at}.targetEnvironmentRefs[{number}].name"
            yield Reference("Environment", target.name, field)


@_named.register
def _of_project(resource: Project) -> Iterator[Reference]:
    pipeline = resource.spec.deployment_pipeline_ref
    yield Reference("DeploymentPipeline", pipeline, "spec.deploymentPipelineRef")
    yield from _groups(resource)


@_named.register
def _of_component(resource: Component) -> Iterator[Reference]:
    yield Reference("Project", resource.project, "spec.componentOwner.projectRef")
    family = family_of(resource)
    named = "spec.classRef" if resource.spec.class_ref else "spec.serviceClassRef"
    field = named if family.component_class is ServiceClass else "spec.classRef"
    yield Reference(family.component_class.kind, class_name(resource), field)
    yield from _groups(resource)


@_named.register
def _of_workload(resource: Workload) -> Iterator[Reference]:
    yield Reference("Component", resource.component, "spec.componentRef")


@_named.register
def _of_instance(resource: Instance) -> Iterator[Reference]:
    yield Reference("Component", resource.component, "spec.componentRef")
    yield Reference(resource.class_kind, resource.spec.class_ref, _class_field(resource))
    yield Reference("Workload", resource.workload, "spec.workloadRef")


@_named.register
def _of_build(resource: Build) -> Iterator[Reference]:
    yield Reference("Component", resource.component, "spec.componentRef")


@_named.register
def _of_artifact(resource: DeployableArtifact) -> Iterator[Reference]:
    yield Reference("Component", resource.component, "spec.componentRef")


@_named.register
def _of_binding(resource: Binding) -> Iterator[Reference]:
    yield Reference(resource.class_kind, resource.spec.class_ref, _class_field(resource))
    yield Reference("Environment", resource.environment, "spec.environmentRef")
    yield Reference("Component", resource.component, "spec.componentRef")
    if resource.artifact:
        yield Reference("DeployableArtifact", resource.artifact, "spec.artifactRef")
    if resource.spec.class_revision_ref:
        yield Reference("ClassRevision", resource.spec.class_revision_ref, "spec.classRevisionRef")


@_named.register
def _of_configuration(resource: ConfigurationGroup) -> Iterator[Reference]:
    if resource.spec.project_ref:
        yield Reference("Project", resource.spec.project_ref, "spec.projectRef")
    for index, group in enumerate(resource.spec.environment_groups):
        for number, name in enumerate(group.environments):
            field = f"spec.environmentGroups[{index}].environments[{number}]"
            yield Reference("Environment", name, field)
    for index, one in enumerate(resource.spec.configurations):
        for number, value in enumerate(one.values):
            if value.environment_ref:
                field = f"spec.configurations[{index}].values[{number}].environmentRef"
                yield Reference("Environment", value.environment_ref, field)


@_named.register
def _of_rotation(resource: SecretRotation) -> Iterator[Reference]:
    for index, name in enumerate(resource.spec.consumer_refs):
        yield Reference("Component", name, f"spec.consumerRefs[{index}]")


@_named.register
def _of_endpoint(resource: Endpoint) -> Iterator[Reference]:
    component = resource.spec.backend_ref.component_ref
    yield Reference("Component", component, "spec.backendRef.componentRef")


@_named.register
def _of_connection(resource: Connection) -> Iterator[Reference]:
    yield Reference("Component", resource.component, "spec.componentRef")
    target = resource.spec.target.component_ref
    if target:
        yield Reference("Component", target, "spec.target.componentRef")


def _groups(resource: Organization | Project | Component) -> Iterator[Reference]:
    for index, name in enumerate(resource.spec.configuration_group_refs):
        yield Reference("ConfigurationGroup", name, f"spec.configurationGroupRefs[{index}]")


def _class_field(resource: Binding | Instance) -> str:
    return f"spec.{to_camel(resource.spec.class_field)}"
