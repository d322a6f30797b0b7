"""The Kubernetes scheduler."""

from collections.abc import Sequence

from devstack.certificates import Request
from devstack.component import Component, HttpProbe, Part
from devstack.context import StackContext
from devstack.pki import write_kubeconfig
from devstack.services.cluster import API_SERVER, api_server

SCHEDULER = "kube-scheduler"


def parts(context: StackContext) -> Sequence[Part]:
    """The scheduler, on the machine's side."""
    port = context.ports[SCHEDULER]
    serving = context.pki.issue(
        "scheduler", Request("system:kube-scheduler", addresses=("127.0.0.1",))
    )
    kubeconfig = context.state.config / "scheduler.kubeconfig"

    async def configure() -> None:
        write_kubeconfig(kubeconfig, api_server(context), serving)

    return [
        Component(
            name=SCHEDULER,
            argv=(
                str(context.programs.path(SCHEDULER)),
                f"--kubeconfig={kubeconfig}",
                f"--authentication-kubeconfig={kubeconfig}",
                f"--authorization-kubeconfig={kubeconfig}",
                "--bind-address=127.0.0.1",
                f"--secure-port={port}",
                f"--tls-cert-file={serving.certificate}",
                f"--tls-private-key-file={serving.key}",
                "--leader-elect=false",
                "--kube-api-qps=200",
                "--kube-api-burst=400",
            ),
            needs=(API_SERVER,),
            ready=HttpProbe(f"https://127.0.0.1:{port}/healthz", ca=serving.authority),
            before_start=configure,
        )
    ]
