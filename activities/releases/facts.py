"""Gathers what a release is rendered from, and says well what is missing."""

from __future__ import annotations

import asyncio

from activities.classes.revisions import ClassRevisions
from activities.common.reading import find, required
from activities.releases.interfaces import InterfaceReader
from clients.kubernetes.cluster import Cluster
from domain.errors import InvalidRequest
from domain.rendering.facts import GatewayDefaults, ReleaseFacts
from domain.resources import (
    Component,
    DataPlane,
    DeployableArtifact,
    Environment,
    Workload,
)
from domain.resources.binding import Binding
from domain.resources.families import Family, family_of_binding
from domain.resources.instances import Instance


async def plane_of(cluster: Cluster, binding: Binding) -> DataPlane:
    """Reads the data plane on which the environment of a binding lies.

    Raises:
        InvalidRequest: The environment or its plane does not exist.
    """
    where, who = binding.namespace, f"{binding.kind} {binding.name}"
    environment = await required(cluster, Environment, binding.environment, where, who)
    return await _plane(cluster, environment)


async def _plane(cluster: Cluster, environment: Environment) -> DataPlane:
    name, who = environment.spec.data_plane_ref, f"Environment {environment.name}"
    return await required(cluster, DataPlane, name, environment.namespace, who)


async def gather(
    cluster: Cluster,
    binding: Binding,
    gateway: GatewayDefaults,
    revisions: ClassRevisions,
    interfaces: InterfaceReader,
    *,
    class_revision: str = "",
    awaited: str = "",
) -> ReleaseFacts:
    """Reads everything that decides the objects of a binding.

    ``class_revision`` is the revision of its class that is asked for; empty = the one it has.
    ``awaited`` is the hash of the Endpoints and Connections because of which it is rendered.

    Raises:
        InvalidRequest: Something that is named does not exist; the message says who names it.
    """
    where, who = binding.namespace, f"{binding.kind} {binding.name}"
    if not binding.component:
        message = f"{who} names no component: set spec.componentRef"
        raise InvalidRequest(message, facts={"reason": "ReferenceMissing"})
    if not binding.artifact:
        message = f"{who} waits for the first artifact of {binding.component}: build it"
        raise InvalidRequest(message, facts={"reason": "WaitingForArtifact"})
    needed = f"Component {binding.component}"

    family = family_of_binding(binding.kind)

    async def workload() -> tuple[Instance | None, Workload]:
        instance = await _instance(cluster, family, binding)
        name = instance.workload if instance else binding.component
        return instance, await required(cluster, Workload, name, where, needed)

    async def place() -> tuple[Environment, DataPlane]:
        environment = await required(cluster, Environment, binding.environment, where, who)
        return environment, await _plane(cluster, environment)

    (
        component,
        (environment, plane),
        component_class,
        (instance, work),
        artifact,
        known,
    ) = await asyncio.gather(
        required(cluster, Component, binding.component, where, who),
        place(),
        required(cluster, family.component_class, binding.spec.class_ref, where, who),
        workload(),
        required(cluster, DeployableArtifact, binding.artifact, where, who),
        interfaces.of(where, binding.component, awaited),
    )
    return ReleaseFacts(
        component=component,
        environment=environment,
        data_plane=plane,
        component_class=await revisions.given(component_class, binding, class_revision),
        instance=instance,
        workload=work,
        binding=binding,
        artifact=artifact,
        interfaces=known,
        gateway=gateway,
    )


async def _instance(cluster: Cluster, family: Family, binding: Binding) -> Instance | None:
    """Reads the instance of the component's name; one of another name counts for nothing."""
    return await find(cluster, family.instance, binding.component, binding.namespace)
