"""Prometheus: metrics of the gateway, of builds, of the platform and of pods that ask for it."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from devstack.certificates import Request
from devstack.component import Component, FileProbe, HttpProbe, Part
from devstack.context import StackContext
from devstack.files import write_atomically
from devstack.services import argo, gateway
from devstack.services.cluster import API_SERVER, api_server
from devstack.services.objects import CLUSTER_OBJECTS

PROMETHEUS = "prometheus"
ALERTS = Path(__file__).parents[2] / "charts/pavane/monitoring/alerts.yaml"
"""What is to be told about Pavane itself: the same rules in every way to install it."""
POD_TARGETS = "pod-targets"
_SOURCES = Path(__file__).resolve().parents[2]


def parts(context: StackContext) -> Sequence[Part]:
    """Prometheus on a loopback port, and the program that tells it about pods."""
    return [_pod_targets(context), _prometheus(context)]


def prometheus_url(context: StackContext) -> str:
    """Where queries are answered."""
    return f"http://127.0.0.1:{context.ports[PROMETHEUS]}"


def scrapes(context: StackContext) -> dict[str, object]:
    """The configuration of Prometheus."""
    fixed = {
        "traefik": gateway.metrics_address(context),
        "argo": argo.metrics_address(context),
        "api": f"127.0.0.1:{context.ports['api']}",
        "worker": f"127.0.0.1:{context.ports['worker']}",
    }
    jobs: list[dict[str, object]] = [
        {"job_name": name, "static_configs": [{"targets": [target]}]}
        for name, target in fixed.items()
    ]
    pods: dict[str, object] = {
        "job_name": "pods",
        "file_sd_configs": [{"files": [str(_targets_file(context))]}],
    }
    return {
        "global": {"scrape_interval": "5s", "scrape_timeout": "4s", "evaluation_interval": "15s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [*jobs, pods],
    }


def _prometheus(context: StackContext) -> Component:
    folder = context.state.data / PROMETHEUS
    config = context.state.config / "prometheus.yml"

    async def configure() -> None:
        folder.mkdir(parents=True, exist_ok=True)
        # JSON is YAML too.
        write_atomically(config, json.dumps(scrapes(context), indent=2))

    return Component(
        name=PROMETHEUS,
        argv=(
            str(context.programs.path("prometheus")),
            f"--config.file={config}",
            f"--storage.tsdb.path={folder}",
            "--storage.tsdb.retention.time=1d",
            f"--web.listen-address=127.0.0.1:{context.ports[PROMETHEUS]}",
            "--log.level=warn",
        ),
        ready=HttpProbe(f"{prometheus_url(context)}/-/ready"),
        before_start=configure,
    )


def _pod_targets(context: StackContext) -> Component:
    file = _targets_file(context)
    identity = context.pki.issue(PROMETHEUS, Request("system:prometheus"))

    async def forget() -> None:
        file.unlink(missing_ok=True)

    return Component(
        name=POD_TARGETS,
        argv=(
            sys.executable,
            "-m",
            "devstack.services.pod_targets",
            f"--file={file}",
            f"--server={api_server(context)}",
            f"--authority={identity.authority}",
            f"--certificate={identity.certificate}",
            f"--key={identity.key}",
        ),
        cwd=_SOURCES,
        needs=(API_SERVER, CLUSTER_OBJECTS),
        ready=FileProbe(file),
        before_start=forget,
    )


def _targets_file(context: StackContext) -> Path:
    return context.state.run / "pod-targets.json"
