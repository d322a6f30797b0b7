"""The gateway of the stack: Traefik on the machine, steered by Gateway API resources."""

import json
from collections.abc import Sequence

from devstack.certificates import Request
from devstack.component import Component, HttpProbe, Part
from devstack.context import StackContext
from devstack.files import write_atomically
from devstack.pki import write_kubeconfig
from devstack.services.cluster import API_SERVER, api_server
from devstack.services.objects import (
    CLUSTER_OBJECTS,
    GATEWAY_HTTPS_PORT,
    GATEWAY_PORT,
    GATEWAY_TLS_PORT,
)

GATEWAY = "traefik"
NAME = "pavane"
NAMESPACE = "pavane-system"
METRICS_PORT = "traefik-metrics"


def parts(context: StackContext) -> Sequence[Part]:
    """Traefik: routes on loopback ports, health and metrics on another one, no dashboard."""
    config = context.state.config / "traefik.json"
    kubeconfig = context.state.config / "traefik.kubeconfig"

    async def configure() -> None:
        identity = context.pki.issue(GATEWAY, Request("system:traefik"))
        write_kubeconfig(kubeconfig, api_server(context), identity)
        write_atomically(config, json.dumps(traefik_config(context), indent=2))

    return [
        Component(
            name=GATEWAY,
            argv=(str(context.programs.path("traefik")), f"--configFile={config}"),
            env={"KUBECONFIG": str(kubeconfig)},
            needs=(API_SERVER, CLUSTER_OBJECTS),
            ready=HttpProbe(f"http://{metrics_address(context)}/ping"),
            before_start=configure,
        )
    ]


def gateway_url(context: StackContext) -> str:
    """Where routes of the cluster are reached from the machine."""
    return f"http://127.0.0.1:{context.ports[GATEWAY_PORT]}"


def metrics_address(context: StackContext) -> str:
    """Where Traefik tells its health and its metrics."""
    return f"127.0.0.1:{context.ports[METRICS_PORT]}"


def traefik_config(context: StackContext) -> dict[str, object]:
    """The static configuration of Traefik."""
    return {
        "global": {"checkNewVersion": False, "sendAnonymousUsage": False},
        "log": {"level": "WARN"},
        "entryPoints": {
            "web": _entry(context.ports[GATEWAY_PORT]),
            "tls": _entry(context.ports[GATEWAY_TLS_PORT]),
            "https": _entry(context.ports[GATEWAY_HTTPS_PORT]),
            "internal": {"address": metrics_address(context)},
        },
        "ping": {"entryPoint": "internal"},
        "metrics": {
            "prometheus": {
                "entryPoint": "internal",
                "addEntryPointsLabels": True,
                "addRoutersLabels": True,
                "addServicesLabels": True,
            }
        },
        "providers": {
            "kubernetesGateway": {
                "throttleDuration": "100ms",
                "statusAddress": {"ip": "127.0.0.1"},
            },
            # For Middlewares that routes name; routes of Traefik's own kinds are none of ours.
            "kubernetesCRD": {"throttleDuration": "100ms", "ingressClass": "none"},
        },
    }


def _entry(port: int) -> dict[str, object]:
    return {
        "address": f"127.0.0.1:{port}",
        "transport": {"lifeCycle": {"graceTimeOut": "1s"}},
    }
