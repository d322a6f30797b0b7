"""metrics-server: what pods and the node use, for `kubectl top` and autoscaling."""

from collections.abc import Sequence

from devstack.certificates import Request
from devstack.component import Component, HttpProbe, Part
from devstack.context import StackContext
from devstack.node.names import NODE
from devstack.node.namespaces import node_of
from devstack.pki import write_kubeconfig
from devstack.services.cluster import API_SERVER, api_server_from_node
from devstack.services.objects import CLUSTER_OBJECTS

METRICS = "metrics-server"
PORT = 4443


def parts(context: StackContext) -> Sequence[Part]:
    """metrics-server in the node's network, where the API server and it reach each other."""
    node = context.network.node
    identity = context.pki.issue(
        METRICS,
        Request(
            "system:metrics-server",
            addresses=(node,),
            names=("metrics-server.kube-system.svc",),
        ),
    )
    kubeconfig = context.state.config / "metrics-server.kubeconfig"

    async def configure() -> None:
        write_kubeconfig(kubeconfig, api_server_from_node(context), identity)

    return [
        Component(
            name=METRICS,
            argv=node_of(context).in_network(
                str(context.programs.path(METRICS)),
                f"--kubeconfig={kubeconfig}",
                f"--authentication-kubeconfig={kubeconfig}",
                f"--authorization-kubeconfig={kubeconfig}",
                f"--bind-address={node}",
                f"--secure-port={PORT}",
                f"--tls-cert-file={identity.certificate}",
                f"--tls-private-key-file={identity.key}",
                f"--kubelet-certificate-authority={identity.authority}",
                "--kubelet-preferred-address-types=InternalIP",
                "--metric-resolution=10s",
                "--kubelet-request-timeout=5s",
            ),
            needs=(NODE, API_SERVER, CLUSTER_OBJECTS),
            ready=HttpProbe(f"https://{node}:{PORT}/livez", ca=identity.authority),
            before_start=configure,
        )
    ]
