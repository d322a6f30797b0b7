"""Argo Workflows: the controller in the node's network; its pods run like all others."""

from collections.abc import Sequence

from devstack.certificates import Request
from devstack.component import Component, HttpProbe, Part
from devstack.context import StackContext
from devstack.images.names import executor_image
from devstack.node.names import NODE
from devstack.node.namespaces import node_of
from devstack.pki import write_kubeconfig
from devstack.services.cluster import API_SERVER, api_server_from_node
from devstack.services.objects import CLUSTER_OBJECTS

ARGO = "argo"
_HEALTH_PORT = 6060
_METRICS_PORT = 9090


def parts(context: StackContext) -> Sequence[Part]:
    """The controller.

    It listens on fixed ports of all addresses, which are the node's own: nothing of it is reachable
    from outside the machine, and a second stack does not collide.
    """
    kubeconfig = context.state.config / "argo.kubeconfig"

    async def configure() -> None:
        identity = context.pki.issue(ARGO, Request("system:argo"))
        write_kubeconfig(kubeconfig, api_server_from_node(context), identity)

    return [
        Component(
            name=ARGO,
            argv=node_of(context).in_network(
                str(context.programs.path("workflow-controller")),
                f"--kubeconfig={kubeconfig}",
                "--namespace=argo",
                "--configmap=workflow-controller-configmap",
                f"--executor-image={executor_image(context)}",
                "--executor-image-pull-policy=IfNotPresent",
                "--qps=100",
                "--burst=200",
                "--loglevel=info",
            ),
            env={
                "LEADER_ELECTION_DISABLE": "true",
                # By default a workflow waits ten seconds after each look at it, the last included.
                "DEFAULT_REQUEUE_TIME": "500ms",
            },
            needs=(NODE, API_SERVER, CLUSTER_OBJECTS),
            ready=HttpProbe(f"http://{context.network.node}:{_HEALTH_PORT}/healthz"),
            before_start=configure,
        )
    ]


def metrics_address(context: StackContext) -> str:
    """Where the controller tells its metrics."""
    return f"{context.network.node}:{_METRICS_PORT}"
