"""What enforces the network policies of the local stack, where Cilium would on a user's plane.

The program writes the packet filter of the node; what it wrote stays when it ends, and goes with
the namespaces of the node. Where the kernel cannot enforce, it says so and the stack goes on.
"""

from collections.abc import Sequence

from devstack.certificates import Request
from devstack.component import Component, FileProbe, Part
from devstack.context import StackContext
from devstack.enforced import ENFORCER, STATUS
from devstack.node.layout import NODE_FOLDER, NodeFolders
from devstack.node.names import NODE
from devstack.node.namespaces import Node, node_of
from devstack.node.runtime import BRIDGE, POD_ADDRESSES, SANDBOXES
from devstack.pki import write_kubeconfig
from devstack.services.cluster import API_SERVER, api_server_from_node
from devstack.services.gateway import NAMESPACE
from devstack.services.objects import CLUSTER_OBJECTS

_SETTING = "policies"
_DEFAULT = "on"


def is_enforced(context: StackContext) -> bool:
    """Tells whether policies are to be enforced: PAVANE_STACK_POLICIES, `on` or `off`."""
    return context.settings.get(_SETTING, _DEFAULT) != "off"


def parts(context: StackContext) -> Sequence[Part]:
    """The enforcer, unless it is not wanted; ready once it knows everything there is."""
    if not is_enforced(context):
        return []
    node, inside = node_of(context), NodeFolders(NODE_FOLDER)
    network = context.network
    return [
        Component(
            name=ENFORCER,
            argv=node.inside(
                str(context.programs.path(ENFORCER)),
                f"--kubeconfig={inside.config / 'policies.kubeconfig'}",
                f"--node={node.name}",
                f"--pods={network.pods}",
                f"--bridge={BRIDGE}",
                f"--machine={network.host}",
                f"--dns={network.node}",
                f"--gateway={NAMESPACE}",
                f"--addresses={POD_ADDRESSES / BRIDGE}",
                f"--sandboxes={SANDBOXES}",
                f"--status={inside.root / STATUS}",
            ),
            needs=(NODE, API_SERVER, CLUSTER_OBJECTS),
            ready=FileProbe(node.folders.root / STATUS),
            before_start=lambda: _configure(context, node),
            after_stop=lambda: _forget(node),
        )
    ]


async def _configure(context: StackContext, node: Node) -> None:
    await _forget(node)
    identity = context.pki.issue(ENFORCER, Request("system:policy-enforcer"))
    write_kubeconfig(
        node.folders.config / "policies.kubeconfig", api_server_from_node(context), identity
    )


async def _forget(node: Node) -> None:
    """Takes back what was told: what it wrote may still hold, but nobody keeps it up to date."""
    (node.folders.root / STATUS).unlink(missing_ok=True)
