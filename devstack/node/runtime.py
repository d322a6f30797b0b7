"""The container runtime of the node, and the network it gives to pods."""

import json
from collections.abc import Sequence
from pathlib import Path

from devstack.component import Component, Part
from devstack.context import StackContext
from devstack.files import write_atomically
from devstack.images.names import pause_image, registry_host
from devstack.node.layout import CONTAINERD_SOCKET, NODE_FOLDER, NodeFolders
from devstack.node.names import CONTAINERD, NODE
from devstack.node.namespaces import node_of

PLUGINS = "/usr/lib/cni"
BRIDGE = "pods"
"""The bridge all pods are at, and the name of their network."""

POD_ADDRESSES = Path("/run/pod-addresses")
"""Keeps a file for each address that a pod has, which names its sandbox; seen inside the node."""

SANDBOXES = Path("/run/containerd/io.containerd.runtime.v2.task/k8s.io")
"""Where containerd describes sandboxes and containers; seen inside the node."""

_SYS_RESOURCE = 24


def parts(context: StackContext) -> Sequence[Part]:
    """containerd, inside the node."""
    node = node_of(context)
    program = str(context.programs.path("containerd"))
    config = NodeFolders(NODE_FOLDER).config / "containerd.toml"
    return [
        Component(
            name=CONTAINERD,
            argv=node.inside(program, "--config", str(config)),
            needs=(NODE,),
            ready=node.listens(CONTAINERD_SOCKET),
            before_start=lambda: _configure(context),
        )
    ]


def may_raise_own_limits(status: Path = Path("/proc/self/status")) -> bool:
    """Tells whether this process has CAP_SYS_RESOURCE; runc needs it to lower OOM scores."""
    effective = next(
        line.split()[1] for line in status.read_text().splitlines() if line.startswith("CapEff:")
    )
    return bool(int(effective, 16) >> _SYS_RESOURCE & 1)


async def _configure(context: StackContext) -> None:
    folders = node_of(context).folders
    write_atomically(folders.config / "containerd.toml", containerd_config(context))
    write_atomically(folders.networks / "10-pods.conflist", pod_network(context))
    host = registry_host(context)
    # Without this file containerd would insist on TLS for an address that is not loopback.
    write_atomically(
        folders.registries / host / "hosts.toml",
        f'server = "http://{host}"\n\n[host."http://{host}"]\ncapabilities = ["pull", "resolve"]\n',
    )


def containerd_config(context: StackContext) -> str:
    """The configuration of containerd."""
    inside = NodeFolders(NODE_FOLDER)
    restricted = "false" if may_raise_own_limits() else "true"
    return f"""version = 2
disabled_plugins = [
  "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs",
]

[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{pause_image(context)}"
restrict_oom_score_adj = {restricted}
max_concurrent_downloads = 6

[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{PLUGINS}"
conf_dir = "{inside.networks}"

[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{inside.registries}"
"""


def pod_network(context: StackContext) -> str:
    """One bridge for all pods; addresses are kept where they vanish with the node's processes."""
    network = {
        "cniVersion": "0.4.0",
        "name": BRIDGE,
        "plugins": [
            {
                "type": "bridge",
                "bridge": BRIDGE,
                "isGateway": True,
                "hairpinMode": True,
                "ipam": {
                    "type": "host-local",
                    "ranges": [[{"subnet": context.network.pods}]],
                    "routes": [{"dst": "0.0.0.0/0"}],
                    "dataDir": str(POD_ADDRESSES),
                },
            },
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    }
    return json.dumps(network, indent=2)
