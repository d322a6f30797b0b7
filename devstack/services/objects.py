"""The objects that the services of the stack need in the cluster."""

import base64
from collections.abc import Sequence
from pathlib import Path

from devstack.component import Part, Step
from devstack.context import StackContext
from devstack.services import middlewares
from devstack.services.cluster import (
    API_SERVER,
    Cluster,
    Manifest,
    connect,
    read_manifests,
)
from devstack.together import together

DEFINITIONS = "resource-definitions"
CLUSTER_OBJECTS = "cluster-objects"
GATEWAY_PORT = "gateway"
GATEWAY_TLS_PORT = "gateway-tls"
GATEWAY_HTTPS_PORT = "gateway-https"
_FOLDER = Path(__file__).parent / "manifests"
_DEFINITIONS = (
    "argoproj.io_workflows.yaml",
    "ciliumnetworkpolicies.yaml",
    "gateway.networking.k8s.io_httproutes.yaml",
)
"""One file of each set of definitions; the others lie beside it."""


def parts(context: StackContext) -> Sequence[Part]:
    """The steps that write definitions first, then the objects."""
    return [
        Step(DEFINITIONS, run=lambda: _define(context), needs=(API_SERVER,)),
        Step(CLUSTER_OBJECTS, run=lambda: _create(context), needs=(API_SERVER, DEFINITIONS)),
    ]


def objects(context: StackContext) -> list[Manifest]:
    """Every object, in no particular order but with namespaces among them."""
    authority = base64.b64encode(context.pki.authority.read_bytes()).decode()
    values = {
        "authority": authority,
        "dns_address": context.network.dns,
        "node_address": context.network.node,
        "gateway_port": str(context.ports[GATEWAY_PORT]),
        "gateway_tls_port": str(context.ports[GATEWAY_TLS_PORT]),
        "gateway_https_port": str(context.ports[GATEWAY_HTTPS_PORT]),
    }
    files = sorted(_FOLDER.glob("*.yaml"))
    return [manifest for file in files for manifest in read_manifests(file, values)]


async def _define(context: StackContext) -> None:
    definitions = [
        manifest
        for name in _DEFINITIONS
        for file in sorted(context.programs.path(name).parent.glob("*.yaml"))
        for manifest in read_manifests(file)
        if manifest["kind"] == "CustomResourceDefinition"
    ] + middlewares.definitions()
    async with connect(context) as cluster:
        await cluster.apply(definitions)
        await together(*(cluster.wait_for_condition(item, "Established") for item in definitions))


async def _create(context: StackContext) -> None:
    wanted = objects(context)
    async with connect(context) as cluster:
        await _apply_in_order(cluster, wanted)


async def _apply_in_order(cluster: Cluster, wanted: Sequence[Manifest]) -> None:
    """Namespaces first; nothing else depends on being written in order."""
    await cluster.apply(item for item in wanted if item["kind"] == "Namespace")
    await cluster.apply(item for item in wanted if item["kind"] != "Namespace")
