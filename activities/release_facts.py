"""Gathers what a release is rendered from, and says well what is missing."""

from __future__ import annotations

import asyncio

from activities.reading import find, required
from clients.kubernetes.cluster import Cluster
from domain.errors import InvalidRequest
from domain.rendering.facts import GatewayDefaults, ReleaseFacts
from domain.resources import (
    Component,
    DataPlane,
    DeployableArtifact,
    Environment,
    Service,
    ServiceBinding,
    ServiceClass,
    Workload,
)


async def plane_of(cluster: Cluster, binding: ServiceBinding) -> DataPlane:
    """Reads the data plane on which the environment of a binding lies.

    Raises:
        InvalidRequest: The environment or its plane does not exist.
    """
    where, who = binding.namespace, f"ServiceBinding {binding.name}"
    environment = await required(cluster, Environment, binding.environment, where, who)
    return await _plane(cluster, environment)


async def _plane(cluster: Cluster, environment: Environment) -> DataPlane:
    name, who = environment.spec.data_plane_ref, f"Environment {environment.name}"
    return await required(cluster, DataPlane, name, environment.namespace, who)


async def gather(
    cluster: Cluster, binding: ServiceBinding, gateway: GatewayDefaults
) -> ReleaseFacts:
    """Reads everything that decides the objects of a binding.

    Raises:
        InvalidRequest: Something that is named does not exist; the message says who names it.
    """
    where, who = binding.namespace, f"ServiceBinding {binding.name}"
    if not binding.component:
        message = f"{who} names no component: set spec.componentRef"
        raise InvalidRequest(message, facts={"reason": "ReferenceMissing"})
    if not binding.artifact:
        message = f"{who} waits for the first artifact of {binding.component}: build it"
        raise InvalidRequest(message, facts={"reason": "WaitingForArtifact"})
    needed = f"Component {binding.component}"

    async def workload() -> Workload:
        instance = await find(cluster, Service, binding.component, where)
        name = instance.workload if instance else binding.component
        return await required(cluster, Workload, name, where, needed)

    async def place() -> tuple[Environment, DataPlane]:
        environment = await required(cluster, Environment, binding.environment, where, who)
        return environment, await _plane(cluster, environment)

    component, (environment, plane), service_class, work, artifact = await asyncio.gather(
        required(cluster, Component, binding.component, where, who),
        place(),
        required(cluster, ServiceClass, binding.spec.service_class_ref, where, who),
        workload(),
        required(cluster, DeployableArtifact, binding.artifact, where, who),
    )
    return ReleaseFacts(
        component=component,
        environment=environment,
        data_plane=plane,
        service_class=service_class,
        workload=work,
        binding=binding,
        artifact=artifact,
        gateway=gateway,
    )
