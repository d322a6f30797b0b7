"""Prometheus: metrics of the gateway, of builds, of the platform and of pods that ask for it."""

import json
from collections.abc import Sequence

from devstack.certificates import Request
from devstack.component import Component, HttpProbe, Part
from devstack.context import StackContext
from devstack.files import write_atomically
from devstack.pki import write_kubeconfig
from devstack.services import argo, gateway
from devstack.services.cluster import API_SERVER, api_server

PROMETHEUS = "prometheus"
API_PORT, WORKER_PORT = "api", "worker"
_ANNOTATION = "__meta_kubernetes_pod_annotation_prometheus_io_"


def parts(context: StackContext) -> Sequence[Part]:
    """Prometheus on a loopback port; it keeps one day."""
    folder = context.state.data / PROMETHEUS
    config = context.state.config / "prometheus.yml"
    kubeconfig = context.state.config / "prometheus.kubeconfig"

    async def configure() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        identity = context.pki.issue(PROMETHEUS, Request("system:prometheus"))
        write_kubeconfig(kubeconfig, api_server(context), identity)
        write_atomically(config, json.dumps(scrapes(context, str(kubeconfig)), indent=2))

    return [
        Component(
            name=PROMETHEUS,
            argv=(
                str(context.programs.path("prometheus")),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder}",
                "--storage.tsdb.retention.time=1d",
                f"--web.listen-address={_address(context)}",
                "--log.level=warn",
            ),
            needs=(API_SERVER,),
            ready=HttpProbe(f"{prometheus_url(context)}/-/ready"),
            before_start=configure,
        )
    ]


def prometheus_url(context: StackContext) -> str:
    """Where queries are answered."""
    return f"http://{_address(context)}"


def scrapes(context: StackContext, kubeconfig: str) -> dict[str, object]:
    """The configuration of Prometheus."""
    fixed = {
        "traefik": gateway.metrics_address(context),
        "argo": argo.metrics_address(context),
        "api": f"127.0.0.1:{context.ports[API_PORT]}",
        "worker": f"127.0.0.1:{context.ports[WORKER_PORT]}",
    }
    jobs: list[dict[str, object]] = [
        {"job_name": name, "static_configs": [{"targets": [target]}]}
        for name, target in fixed.items()
    ]
    return {
        "global": {"scrape_interval": "5s", "scrape_timeout": "4s"},
        "scrape_configs": [*jobs, _pods(kubeconfig)],
    }


def _pods(kubeconfig: str) -> dict[str, object]:
    """Pods with the annotation `prometheus.io/scrape: "true"`, and `port` and `path` if given."""
    return {
        "job_name": "pods",
        "kubernetes_sd_configs": [{"role": "pod", "kubeconfig_file": kubeconfig}],
        "relabel_configs": [
            {"source_labels": [f"{_ANNOTATION}scrape"], "regex": "true", "action": "keep"},
            {
                "source_labels": [f"{_ANNOTATION}path"],
                "regex": "(.+)",
                "target_label": "__metrics_path__",
            },
            {
                "source_labels": ["__meta_kubernetes_pod_ip", f"{_ANNOTATION}port"],
                "regex": "([^;]+);(.+)",
                "replacement": "$1:$2",
                "target_label": "__address__",
            },
            {"source_labels": ["__meta_kubernetes_namespace"], "target_label": "namespace"},
            {"source_labels": ["__meta_kubernetes_pod_name"], "target_label": "pod"},
        ],
    }


def _address(context: StackContext) -> str:
    return f"127.0.0.1:{context.ports[PROMETHEUS]}"
