"""The organization the benchmarks deploy in: small resources, many components."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from clients.kubernetes import Cluster, Kind, Object
from domain import ids
from domain.errors import Conflict
from domain.resources import KINDS
from domain.resources.base import API_VERSION

ORGANIZATION = "bench"
CROWD = "bench-crowd"
"""Another organization, which deploys without pause while the first one is measured."""
PROJECT = "load"
ENVIRONMENT = "development"
PROTECTED = "production"
"""Where what runs in the first one comes only by approval."""
PLANE = "local"
GROUP = "platform-engineers"
"""Whose members may ask the API about it."""
CLASS = "bench-service"
NAMESPACE = ids.namespace(ORGANIZATION, PROJECT, ENVIRONMENT)
CROWD_NAMESPACE = ids.namespace(CROWD, PROJECT, ENVIRONMENT)
PROTECTED_NAMESPACE = ids.namespace(ORGANIZATION, PROJECT, PROTECTED)
VARIABLE = "BENCH"
_REGISTRY = "127.0.0.1:5000"
NONE = "none@sha256:" + "0" * 64
"""An image that is never pulled, as no pod is started."""
_AT_ONCE = 32


def kind(name: str) -> Kind:
    """Returns one of Pavane's kinds."""
    model = KINDS[name]
    return Kind(model.api_version, name, model.plural, namespaced=model.scope == "Namespaced")


def foundation(organization: str = ORGANIZATION) -> list[Object]:
    """Returns what a tenant has before its first component."""
    template: dict[str, Any] = {"replicas": 1, "minReadySeconds": 0}
    step: dict[str, Any] = {"name": PROTECTED, "approval": {"quorum": 1}}
    path: dict[str, Any] = {"sourceEnvironmentRef": ENVIRONMENT, "targetEnvironmentRefs": [step]}
    own = partial(_resource, organization=organization)
    return [
        own("Organization", organization, {"access": [{"group": GROUP, "role": "admin"}]}),
        own("DataPlane", PLANE, {"gateway": {"domain": "localhost"}}),
        own("Environment", ENVIRONMENT, {"dataPlaneRef": PLANE}),
        own("Environment", PROTECTED, {"dataPlaneRef": PLANE}),
        own(
            "DeploymentPipeline",
            "bench-pipeline",
            {"promotionPaths": [path]},
        ),
        own("Project", PROJECT, {"deploymentPipelineRef": "bench-pipeline"}),
        own("ServiceClass", CLASS, {"deploymentTemplate": template}),
    ]


def component(name: str, image: str = NONE, organization: str = ORGANIZATION) -> list[Object]:
    """Returns everything a developer and a build write for one component.

    ``image`` is a repository of the organization's own, with a digest.
    """
    own = partial(_resource, organization=organization)
    return [
        own(
            "Component",
            name,
            {
                "componentOwner": {"projectRef": PROJECT},
                "componentType": "Service",
                "serviceClassRef": CLASS,
            },
        ),
        own(
            "Workload",
            name,
            {
                "componentRef": name,
                "containers": [{"name": "main"}],
                "endpoints": [{"name": "http", "port": 8080, "visibility": "project"}],
            },
        ),
        own(
            "DeployableArtifact",
            name,
            {"componentRef": name, "image": f"{_REGISTRY}/{organization}/{image}"},
        ),
        own(
            "ServiceBinding",
            binding_of(name),
            {
                "serviceClassRef": CLASS,
                "environmentRef": ENVIRONMENT,
                "componentRef": name,
                "artifactRef": name,
            },
        ),
    ]


def build_plane() -> Object:
    """Returns where builds run."""
    return _resource("BuildPlane", PLANE, {})


def source(name: str, repository: str) -> Object:
    """Returns a component that is built and not deployed."""
    spec = {
        "componentOwner": {"projectRef": PROJECT},
        "autoDeploy": False,
        # Not by a push: only what is asked for is to be built.
        "autoBuild": False,
        "buildSpecInComponent": {"repository": repository, "branch": "main"},
    }
    return _resource("Component", name, spec)


def binding_of(name: str) -> str:
    """Returns the name of a component's binding."""
    return ids.binding_name(name, ENVIRONMENT)


def wish(value: str) -> dict[str, Any]:
    """Returns the merge patch that makes a binding want another value of the variable."""
    return {"spec": {"workload": {"env": [{"name": VARIABLE, "value": value}]}}}


async def lay_foundation(cluster: Cluster, organization: str = ORGANIZATION) -> None:
    """Creates the tenant; safe to repeat."""
    namespace: Object = {
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": organization},
    }  # fmt: skip
    for one in [namespace, *foundation(organization)]:
        await _create(cluster, one)


async def create(
    cluster: Cluster, names: Iterable[str], image: str = NONE, organization: str = ORGANIZATION
) -> None:
    """Creates components, many at once, each in the order in which a person would."""
    hands = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> None:
        async with hands:
            for resource in component(name, image, organization):
                await _create(cluster, resource)

    await asyncio.gather(*(one(name) for name in names))


async def change(
    cluster: Cluster, names: Iterable[str], value: str, organization: str = ORGANIZATION
) -> None:
    """Makes the bindings of components want another value, many at once."""
    hands = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> None:
        async with hands:
            await cluster.patch(kind("ServiceBinding"), binding_of(name), organization, wish(value))

    await asyncio.gather(*(one(name) for name in names))


async def remove(cluster: Cluster, names: Sequence[str]) -> None:
    """Deletes components; their bindings first, whose objects the platform takes down."""
    hands = asyncio.Semaphore(_AT_ONCE)

    async def one(name: str) -> None:
        async with hands:
            await cluster.delete(kind("ServiceBinding"), binding_of(name), ORGANIZATION)
            await _gone(cluster, "ServiceBinding", binding_of(name))
            for other in ("DeployableArtifact", "Workload", "Component"):
                await cluster.delete(kind(other), name, ORGANIZATION)
            await _gone(cluster, "Component", name)  # it is held until its teardown has ended

    await asyncio.gather(*(one(name) for name in names))


async def _gone(cluster: Cluster, of_kind: str, name: str) -> None:
    events = cluster.watch(kind(of_kind), ORGANIZATION, fields=f"metadata.name={name}")
    if await cluster.find(kind(of_kind), name, ORGANIZATION) is None:
        return
    async for event in events:
        if event.type == "DELETED":
            return


async def _create(cluster: Cluster, resource: Object) -> None:
    try:
        await cluster.create(resource, manager="pavane-benchmarks")
    except Conflict:
        return


def _resource(
    kind_name: str, name: str, spec: dict[str, Any], organization: str = ORGANIZATION
) -> Object:
    metadata = {"name": name}
    if KINDS[kind_name].scope == "Namespaced":
        metadata["namespace"] = organization
    return {"apiVersion": API_VERSION, "kind": kind_name, "metadata": metadata, "spec": spec}
