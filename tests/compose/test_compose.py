"""docker-compose.yml, started: order, health, the README's session, a kill of each container."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.compose import standins
from tests.compose.composed import API, Composed, eventually, ready
from tests.compose.engine import CommandFailed

pytestmark = [pytest.mark.compose, pytest.mark.timeout(2400)]
ROOT = Path(__file__).parents[2]
WORKER = "http://127.0.0.1:8091"
ONCE = {"approval-keys", "k3s-setup", "openbao-init", "openbao-key", "records-database",
        "temporal-namespace", "temporal-schema"}  # fmt: skip
STAYS = {"api", "k3s", "openbao", "postgres", "temporal", "worker"}


def declared(folder: Path, digest: str, mark: str = "") -> Path:
    """A component whose image is prebuilt; another mark is another thing to roll out."""
    project = {
        "kind": "Project",
        "metadata": {"name": "shop"},
        "spec": {"deploymentPipelineRef": "standard-pipeline"},
    }
    component = {
        "kind": "Component",
        "metadata": {"name": "web"},
        "spec": {"componentOwner": {"projectRef": "shop"}, "componentType": "Service"},
    }
    workload = {
        "kind": "Workload",
        "metadata": {"name": "web"},
        "spec": {
            "componentRef": "web",
            "containers": [
                {
                    "name": "main",
                    "image": digest,
                    "command": ["python3", "-m", "http.server", "8080", "--directory", "/usr"],
                    "readiness": {"path": "/", "periodSeconds": 1},
                    "env": [{"name": "MARK", "value": mark or "none"}],
                }
            ],
            "endpoints": [{"name": "http", "port": 8080}],
        },
    }
    artifact = {
        "kind": "DeployableArtifact",
        "metadata": {"name": "web-1"},
        "spec": {"componentRef": "web", "image": digest},
    }
    file = folder / "web.yaml"
    documents = [
        {"apiVersion": "choreo.dev/v1alpha1", **one}
        for one in (project, component, workload, artifact)
    ]
    for document in documents:
        document["metadata"] = {**document["metadata"], "namespace": "acme"}  # type: ignore[dict-item]
    file.write_text(yaml.safe_dump_all(documents))
    return file


def history(installation: Composed) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(
        installation.pavane("history", "web", "-o", "json", "--limit", "100")
    )
    return found


def runs(installation: Composed, mark: str) -> bool:
    """Whether every replica is ready and has the mark."""
    found = json.loads(
        installation.kubectl(
            *("get", "deployment", "web", "--namespace=acme-shop-development", "--output=json")
        )
    )
    (container,) = found["spec"]["template"]["spec"]["containers"]
    marked = {"name": "MARK", "value": mark} in container["env"]
    status = found["status"]
    return marked and status.get("updatedReplicas") == status.get("readyReplicas") == 2


def healthy(installation: Composed) -> bool:
    states = [installation.state(name) for name in STAYS]
    return all(one["Health"]["Status"] == "healthy" for one in states) and all(
        ready(address) for address in (API, WORKER)
    )


def order(installation: Composed, folder: Path, image: str, mark: str) -> None:
    installation.pavane("apply", "-f", str(declared(folder, image, mark)))
    installation.pavane("deploy", "web", "-e", "development", "-a", "web-1", "--no-wait")


@pytest.fixture(scope="session")
def image(installation: Composed, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The README's session, as far as core goes: log in, declare, look, deploy."""
    (found,) = [
        line
        for line in installation.compose(
            *("exec", "--no-TTY", "k3s", "ctr", "--address=/run/k3s/containerd.sock"),
            *("--namespace=k8s.io", "images", "ls", "--quiet"),
        ).split()
        if line.startswith(f"{standins.APPLICATION}@sha256:")
    ]
    installation.pavane(
        *("login", "--username", "ada", "--password-stdin"), stdin=f"{installation.password}\n"
    )
    installation.pavane("apply", "-f", str(ROOT / "examples/platform"))
    installation.pavane("apply", "-f", str(declared(tmp_path_factory.mktemp("web"), found)))
    assert "web" in installation.pavane("get", "components")
    installation.pavane("deploy", "web", "-e", "development", "-a", "web-1")
    assert runs(installation, "none")
    return found


def test_every_service_comes_up_in_order_and_healthy(installation: Composed) -> None:
    services = installation.services()
    assert set(services) == ONCE | STAYS
    assert {name for name in ONCE if services[name]["ExitCode"] != 0} == set()
    assert {name for name in STAYS if services[name]["Health"] != "healthy"} == set()


@pytest.mark.parametrize("service", sorted(STAYS))
def test_a_delivery_goes_on_and_nothing_is_lost_when_the_container_is_killed(
    installation: Composed, image: str, tmp_path: Path, service: str
) -> None:
    before, restarts = history(installation), installation.restarts(service)

    order(installation, tmp_path, image, f"killed-{service}")
    installation.kill(service)

    eventually(lambda: installation.restarts(service) > restarts, f"{service} is restarted")
    eventually(lambda: healthy(installation), f"all are healthy after {service} was killed")
    eventually(lambda: len(history(installation)) > len(before), "the delivery has ended")
    newest, *older = history(installation)
    assert newest["phase"] == "Succeeded"
    assert older[-len(before) :] == before
    assert runs(installation, f"killed-{service}")
    installation.pavane("audit", "verify")


def test_a_worker_that_is_stopped_drains_and_its_delivery_goes_on_with_the_next(
    installation: Composed, image: str, tmp_path: Path
) -> None:
    before = history(installation)

    order(installation, tmp_path, image, "drained")
    installation.compose("stop", "worker")
    stopped = installation.state("worker")
    installation.compose("start", "worker")

    assert stopped["ExitCode"] == 0
    eventually(lambda: len(history(installation)) > len(before), "the delivery has ended")
    assert history(installation)[0]["phase"] == "Succeeded"
    assert runs(installation, "drained")


def test_what_the_services_may_not_do_is_refused_by_the_engine(installation: Composed) -> None:
    for service in ("api", "worker"):
        run = ("exec", "--no-TTY", service)
        assert installation.compose(*run, "id", "--user").strip() == "10001"
        with pytest.raises(CommandFailed, match="Read-only file system"):
            installation.compose(*run, "touch", "/opt/pavane/new")
        capabilities = installation.compose(*run, "grep", "CapEff", "/proc/self/status")
        assert int(capabilities.split()[1], 16) == 0
    with pytest.raises(CommandFailed, match="cannot access"):
        installation.compose(
            "exec", "--no-TTY", "worker", "ls", "/run/pavane/approvals/approvals.pem"
        )
