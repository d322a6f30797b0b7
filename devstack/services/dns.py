"""The cluster DNS: CoreDNS in the node's network, behind the usual service address."""

from collections.abc import Sequence

from devstack.certificates import Request
from devstack.component import Component, HttpProbe, Part
from devstack.context import StackContext
from devstack.files import write_atomically
from devstack.node.foundation import RESOLVER, has_egress
from devstack.node.names import NODE
from devstack.node.namespaces import node_of
from devstack.pki import write_kubeconfig
from devstack.services.cluster import API_SERVER, api_server_from_node
from devstack.services.objects import CLUSTER_OBJECTS

DNS = "coredns"
_READY_PORT = 8181


def parts(context: StackContext) -> Sequence[Part]:
    """CoreDNS; ready once it knows the services of the cluster."""
    corefile = context.state.config / "Corefile"
    return [
        Component(
            name=DNS,
            argv=node_of(context).in_network(
                str(context.programs.path("coredns")), "-conf", str(corefile)
            ),
            needs=(NODE, API_SERVER, CLUSTER_OBJECTS),
            ready=HttpProbe(f"http://{context.network.node}:{_READY_PORT}/ready"),
            before_start=lambda: _configure(context),
        )
    ]


async def _configure(context: StackContext) -> None:
    identity = context.pki.issue(DNS, Request("system:coredns"))
    kubeconfig = context.state.config / "coredns.kubeconfig"
    write_kubeconfig(kubeconfig, api_server_from_node(context), identity)
    write_atomically(context.state.config / "Corefile", corefile(context, str(kubeconfig)))


def corefile(context: StackContext, kubeconfig: str) -> str:
    """The configuration of CoreDNS."""
    node = context.network.node
    forward = f"    forward . {RESOLVER}\n" if has_egress() else ""
    return f""".:53 {{
    bind {node}
    errors
    ready {node}:{_READY_PORT}
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
        kubeconfig {kubeconfig}
        pods insecure
        fallthrough in-addr.arpa ip6.arpa
        ttl 5
    }}
{forward}    cache 5
}}
"""
