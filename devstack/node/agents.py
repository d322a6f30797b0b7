"""The Kubernetes agents of the node: the kubelet and kube-proxy."""

import asyncio
import json
from collections.abc import Sequence

from devstack.certificates import Request
from devstack.component import Component, HttpProbe, Part, Step
from devstack.context import StackContext
from devstack.enforced import ENFORCER
from devstack.files import write_atomically
from devstack.node.enforcement import is_enforced
from devstack.node.foundation import cgroups_of
from devstack.node.layout import CONTAINERD_SOCKET, NODE_FOLDER, NodeFolders
from devstack.node.names import CONTAINERD, KUBE_PROXY, KUBELET, NODE, NODE_READY
from devstack.node.namespaces import Node, node_of
from devstack.pki import Certificate, write_kubeconfig
from devstack.services.cluster import (
    API_SERVER,
    Manifest,
    api_server_from_node,
    connect,
    has_condition,
    path_of,
)

_UNAUTHORIZED = 401
_PAUSE = 0.1


def parts(context: StackContext) -> Sequence[Part]:
    """The agents, and the step that waits until pods can be scheduled."""
    return [
        _kubelet(context),
        _kube_proxy(context),
        Step(NODE_READY, run=lambda: _wait_for_node(context), needs=(KUBELET, KUBE_PROXY)),
    ]


def _kubelet(context: StackContext) -> Component:
    node, inside = node_of(context), NodeFolders(NODE_FOLDER)
    identity = context.pki.issue("kubelet", _node_identity(context, node))
    return Component(
        name=KUBELET,
        argv=node.inside(
            str(context.programs.path("kubelet")),
            f"--config={inside.config / 'kubelet.json'}",
            f"--kubeconfig={inside.config / 'kubelet.kubeconfig'}",
            f"--hostname-override={node.name}",
            f"--node-ip={context.network.node}",
            "--v=1",
        ),
        # No pod runs before what it may do is enforced.
        needs=(CONTAINERD, API_SERVER, *((ENFORCER,) if is_enforced(context) else ())),
        # Nobody may ask without a certificate; being refused is proof enough that it answers.
        ready=HttpProbe(
            f"https://{context.network.node}:10250/healthz",
            statuses=(200, _UNAUTHORIZED),
            ca=context.pki.authority,
        ),
        before_start=lambda: _configure_kubelet(context, node, identity),
    )


def _node_identity(context: StackContext, node: Node) -> Request:
    """Client and server in one: who the kubelet is to the API server, and where it answers."""
    return Request(
        f"system:node:{node.name}",
        organizations=("system:nodes",),
        addresses=(context.network.node,),
        names=(node.name,),
    )


async def _configure_kubelet(context: StackContext, node: Node, identity: Certificate) -> None:
    config = node.folders.config
    write_kubeconfig(config / "kubelet.kubeconfig", api_server_from_node(context), identity)
    for name, source in (
        ("kubelet.crt", identity.certificate),
        ("kubelet.key", identity.key),
        ("ca.crt", context.pki.authority),
    ):
        write_atomically(config / name, source.read_bytes(), mode=0o600)
    write_atomically(config / "kubelet.json", json.dumps(kubelet_config(context), indent=2))


def kubelet_config(context: StackContext) -> Manifest:
    """The configuration of the kubelet, with paths as it sees them."""
    inside = NodeFolders(NODE_FOLDER).config
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(inside / "ca.crt")},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroups_of(context).name}",
        "clusterDNS": [context.network.dns],
        "clusterDomain": "cluster.local",
        "containerRuntimeEndpoint": f"unix://{CONTAINERD_SOCKET}",
        "evictionHard": {},
        "failCgroupV1": False,
        "failSwapOn": False,
        "imageGCHighThresholdPercent": 100,
        "maxPods": 250,
        "registerNode": True,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "resolvConf": str(inside / "resolv.conf"),
        "rotateCertificates": False,
        "serializeImagePulls": False,
        "shutdownGracePeriod": "0s",
        "tlsCertFile": str(inside / "kubelet.crt"),
        "tlsPrivateKeyFile": str(inside / "kubelet.key"),
        "volumePluginDir": "/var/lib/kubelet/volume-plugins",
    }


def _kube_proxy(context: StackContext) -> Component:
    node, inside = node_of(context), NodeFolders(NODE_FOLDER)
    return Component(
        name=KUBE_PROXY,
        argv=node.inside(
            str(context.programs.path("kube-proxy")),
            f"--kubeconfig={inside.config / 'kube-proxy.kubeconfig'}",
            f"--hostname-override={node.name}",
            f"--cluster-cidr={context.network.pods}",
            f"--bind-address={context.network.node}",
            f"--healthz-bind-address={context.network.node}:10256",
            "--proxy-mode=iptables",
            "--conntrack-max-per-core=0",
            "--iptables-min-sync-period=100ms",
        ),
        needs=(NODE, API_SERVER),
        ready=HttpProbe(f"http://{context.network.node}:10256/livez"),
        before_start=lambda: _configure_proxy(context, node),
    )


async def _configure_proxy(context: StackContext, node: Node) -> None:
    identity = context.pki.issue(KUBE_PROXY, Request("system:kube-proxy"))
    write_kubeconfig(
        node.folders.config / "kube-proxy.kubeconfig", api_server_from_node(context), identity
    )


async def _wait_for_node(context: StackContext) -> None:
    node = node_of(context)
    path = path_of({"apiVersion": "v1", "kind": "Node", "metadata": {"name": node.name}})
    async with connect(context) as cluster:
        while True:
            found = await cluster.find(path)
            if found is not None and has_condition(found, "Ready"):
                return
            await asyncio.sleep(_PAUSE)
