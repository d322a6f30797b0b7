"""The compose file against the code: settings, commands, addresses, names."""

from __future__ import annotations

import re
import subprocess
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.routes import health
from domain import ids
from settings import Settings, load

Services = dict[str, dict[str, Any]]
REGISTRY = "172.30.90.10:5000"


@pytest.fixture(params=["api", "worker"])
def process(request: pytest.FixtureRequest, services: Services) -> dict[str, Any]:
    found: dict[str, Any] = services[request.param]
    return found


def settings_of(process: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name, value in process["environment"].items():
        monkeypatch.setenv(name, value)
    return load()


def test_every_variable_is_a_setting(process: dict[str, Any]) -> None:
    variables = [name for name in process["environment"] if name.startswith("PAVANE_")]
    assert variables
    for variable in variables:
        area, name = variable.removeprefix("PAVANE_").lower().split("__")
        nested = Settings.model_fields[area].annotation
        assert nested is not None
        assert name in nested.model_fields, f"{variable} is not a setting"


def test_settings_accept_every_value(
    process: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of(process, monkeypatch)
    assert settings.registry.pull_host == REGISTRY
    assert str(settings.kubernetes.kubeconfig) == "/run/pavane/kube/pavane.yaml"


def test_commands_are_those_of_the_project(root: Path, process: dict[str, Any]) -> None:
    scripts = tomllib.loads((root / "pyproject.toml").read_text())["project"]["scripts"]
    (command,) = process["command"]
    module, _, function = scripts[command].partition(":")
    assert callable(getattr(import_module(module), function))


def test_processes_listen_where_they_are_published_probed_and_scraped(
    root: Path, services: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    scraped = (root / "docker/prometheus/prometheus.yml").read_text()
    for name in ("api", "worker"):
        service = services[name]
        settings = settings_of(service, monkeypatch)
        listen = settings.api.listen if name == "api" else settings.worker.listen
        host, _, port = listen.rpartition(":")
        assert host == "0.0.0.0"
        assert service["ports"] == [f"127.0.0.1:{port}:{port}"]
        assert f"http://127.0.0.1:{port}/readyz" in service["healthcheck"]["test"][-1]
        assert f'"{name}:{port}"' in scraped


def test_probed_path_is_served_by_both(root: Path) -> None:
    assert "/readyz" in {getattr(route, "path", "") for route in health.router.routes}
    assert 'Route("/readyz"' in (root / "runtime/health.py").read_text()


def test_both_reach_temporal_under_its_name(services: Services) -> None:
    for name in ("api", "worker", "temporal-namespace", "temporal-ui"):
        address = services[name]["environment"]["TEMPORAL_ADDRESS"]
        host, _, port = address.partition(":")
        assert host in services
        assert services[host]["ports"] == [f"127.0.0.1:{port}:{port}"]
    namespaces = {
        services[name]["environment"]["TEMPORAL_NAMESPACE"]
        for name in ("api", "worker", "temporal-namespace")
    }
    assert namespaces == {"default"}


def test_the_plane_worker_serves_the_planes_of_the_examples(root: Path, services: Services) -> None:
    plane = services["worker"]["environment"]["PAVANE_WORKER__PLANE"]
    documents = yaml.safe_load_all((root / "examples/platform/20-planes.yaml").read_text())
    queues = {
        one["spec"].get("taskQueue") or ids.plane_queue(one["metadata"]["name"])
        for one in documents
    }
    assert queues == {ids.plane_queue(plane)}


def test_the_worker_runs_every_role(services: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_of(services["worker"], monkeypatch)
    assert set(settings.worker.roles) == {
        "intake", "orchestration", "control", "plane", "secrets", "planes"
    }  # fmt: skip


def test_routes_find_the_gateway_of_the_cluster(root: Path, services: Services) -> None:
    documents = yaml.safe_load_all((root / "docker/k3s/manifests/gateway.yaml").read_text())
    (gateway,) = [one for one in documents if one["kind"] == "Gateway"]
    environment = services["worker"]["environment"]
    assert gateway["metadata"] == {
        "name": environment["PAVANE_GATEWAY__NAME"],
        "namespace": environment["PAVANE_GATEWAY__NAMESPACE"],
    }
    published = environment["PAVANE_GATEWAY__URL"].rpartition(":")[2]
    assert f"127.0.0.1:{published}:80" in services["k3s"]["ports"]


def test_images_are_named_by_the_address_of_the_registry(root: Path, services: Services) -> None:
    host, _, port = REGISTRY.partition(":")
    registry = services["registry"]
    assert registry["networks"]["default"]["ipv4_address"] == host
    assert registry["ports"] == [f"127.0.0.1:{port}:{port}"]
    mirrors = yaml.safe_load((root / "docker/k3s/registries.yaml").read_text())["mirrors"]
    assert mirrors == {REGISTRY: {"endpoint": [f"http://{REGISTRY}"]}}
    for service, variable in (("builder-image", "BUILDER"), ("runtime-image", "RUNTIME")):
        pushed = services[service]["image"].removeprefix(f"127.0.0.1:{port}/")
        used = services["worker"]["environment"][f"PAVANE_BUILD__{variable}_IMAGE"]
        assert used == f"{REGISTRY}/{pushed}"


def test_tokens_of_openbao_are_those_the_api_expects(root: Path, services: Services) -> None:
    environment = services["api"]["environment"]
    config = (root / "docker/openbao/openbao.hcl").read_text()
    (address,) = re.findall(r'^api_addr\s*=\s*"(.+)"', config, flags=re.MULTILINE)
    assert environment["PAVANE_OIDC__ISSUER"] == f"{address}/v1/identity/oidc"
    script = (root / "docker/openbao/initialise.sh").read_text()
    assert f"client_id={environment['PAVANE_OIDC__AUDIENCE']} " in script
    group = environment["PAVANE_API__ADMIN_GROUP"]
    assert re.search(rf"^person \w+ \w+ {group}$", script, re.MULTILINE)


def test_openbao_is_not_in_dev_mode(root: Path, services: Services) -> None:
    command = " ".join(
        [*services["openbao"]["entrypoint"], *services["openbao"].get("command", [])]
    )
    assert "-dev" not in command
    assert 'storage "raft"' in (root / "docker/openbao/openbao.hcl").read_text()


@pytest.mark.parametrize(
    "script", sorted((Path(__file__).parents[3] / "docker").glob("*/*.sh")), ids=lambda p: p.name
)
def test_scripts_can_be_parsed_and_stop_at_the_first_error(script: Path) -> None:
    subprocess.run(["sh", "-n", script], check=True)
    assert "\nset -eu\n" in script.read_text()
    assert script.stat().st_mode & 0o111
