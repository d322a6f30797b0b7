"""Gathers what a release is rendered from, and says well what is missing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from urllib.parse import urlsplit

from activities.classes.revisions import ClassRevisions
from activities.common.reading import find, required
from activities.configurations.groups import ConfigurationGroups
from activities.releases.interfaces import InterfaceReader
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from domain.errors import InvalidRequest
from domain.rendering.facts import GatewayDefaults, GroupUse, ReleaseFacts
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
from settings import Settings

_NOTHING: Mapping[str, str] = {}


def gateway_defaults(settings: Settings) -> GatewayDefaults:
    """Returns the installation's gateway as renderings need it."""
    address = urlsplit(settings.gateway.url)
    return GatewayDefaults(
        name=settings.gateway.name,
        namespace=settings.gateway.namespace,
        port=address.port or (443 if address.scheme == "https" else 80),
    )


async def plane_of(cluster: Cluster, binding: Binding) -> DataPlane:
    """Reads the data plane on which a binding runs, else that on which its environment lies.

    Raises:
        InvalidRequest: The environment or its plane does not exist.
    """
    runs_on = await find(cluster, DataPlane, binding.status.plane_ref, binding.namespace)
    if runs_on is not None:
        return runs_on
    _, plane = await _place(cluster, binding)
    return plane


async def place_of(
    cluster: Cluster, organization: str, name: str, wanted_by: str
) -> tuple[Environment, DataPlane]:
    """Reads an environment and the data plane on which it lies now.

    Raises:
        InvalidRequest: One of them does not exist; says who wants it.
    """
    environment = await required(cluster, Environment, name, organization, wanted_by)
    plane, named_by = environment.spec.data_plane_ref, f"Environment {environment.name}"
    return environment, await required(cluster, DataPlane, plane, organization, named_by)


async def plane_before(cluster: Cluster, binding: Binding, present: DataPlane) -> DataPlane | None:
    """Reads the plane on which a binding runs; None = it is the present one, or is not known."""
    name = binding.status.plane_ref
    if name in {"", present.name}:
        return None
    return await find(cluster, DataPlane, name, binding.namespace)


class FactsReader:
    """Reads everything that decides the objects of a binding."""

    def __init__(self, cluster: Cluster, watches: SharedWatches, gateway: GatewayDefaults) -> None:
        """``watches`` are those of the control plane, ``gateway`` the installation's own."""
        self._cluster = cluster
        self._gateway = gateway
        self._classes = ClassRevisions(cluster)
        self._configuration = ConfigurationGroups(cluster, watches)
        self._interfaces = InterfaceReader(watches)

    async def gather(
        self,
        binding: Binding,
        class_revision: str = "",
        configuration: Mapping[str, str] = _NOTHING,
        interfaces: str = "",
    ) -> ReleaseFacts:
        """Reads the facts as they are now.

        ``class_revision`` is the revision of its class that is asked for, ``configuration`` those
        of its configuration groups by name; what is not named is as it was given. ``interfaces``
        is the state of Endpoints and Connections because of which it is rendered.

        Raises:
            InvalidRequest: Something that is named does not exist; the message says who names it.
        """
        _check_named(binding)
        where, who = binding.namespace, f"{binding.kind} {binding.name}"
        family = family_of_binding(binding.kind)
        (
            (component, uses),
            (environment, plane),
            component_class,
            (instance, work),
            artifact,
            known,
        ) = await asyncio.gather(
            self._component(binding, who, configuration),
            _place(self._cluster, binding),
            required(self._cluster, family.component_class, binding.spec.class_ref, where, who),
            self._workload(family, binding),
            required(self._cluster, DeployableArtifact, binding.artifact, where, who),
            self._interfaces.of(where, binding.component, interfaces),
        )
        return ReleaseFacts(
            component=component,
            environment=environment,
            data_plane=plane,
            component_class=await self._classes.given(component_class, binding, class_revision),
            instance=instance,
            workload=work,
            binding=binding,
            artifact=artifact,
            gateway=self._gateway,
            configuration=uses,
            interfaces=known,
            hosts=await self._interfaces.hosts(where, known),
        )

    async def _component(
        self, binding: Binding, who: str, configuration: Mapping[str, str]
    ) -> tuple[Component, tuple[GroupUse, ...]]:
        name, where = binding.component, binding.namespace
        component = await required(self._cluster, Component, name, where, who)
        return component, await self._configuration.used(component, binding, configuration)

    async def _workload(self, family: Family, binding: Binding) -> tuple[Instance | None, Workload]:
        """Reads the instance of the component's name, one of another name counts for nothing."""
        where = binding.namespace
        instance = await find(self._cluster, family.instance, binding.component, where)
        name = instance.workload if instance else binding.component
        needed = f"Component {binding.component}"
        return instance, await required(self._cluster, Workload, name, where, needed)


def _check_named(binding: Binding) -> None:
    who = f"{binding.kind} {binding.name}"
    if not binding.component:
        message = f"{who} names no component: set spec.componentRef"
        raise InvalidRequest(message, facts={"reason": "ReferenceMissing"})
    if not binding.artifact:
        message = f"{who} waits for the first artifact of {binding.component}: build it"
        raise InvalidRequest(message, facts={"reason": "WaitingForArtifact"})


async def _place(cluster: Cluster, binding: Binding) -> tuple[Environment, DataPlane]:
    wanted_by = f"{binding.kind} {binding.name}"
    return await place_of(cluster, binding.namespace, binding.environment, wanted_by)
