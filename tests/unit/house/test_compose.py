"""The compose file by itself: valid, closed to the network, pinned, started in a possible order."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

Services = dict[str, dict[str, Any]]

NOT_PROBED = {"temporal-ui"}
"""Its image promises no program to probe with, and nothing waits for it."""


def one_shot(service: dict[str, Any]) -> bool:
    return str(service.get("restart", "")).startswith("on-failure")


def running(services: Services) -> Services:
    return {name: one for name, one in services.items() if one["profiles"] != ["images"]}


def test_file_is_valid_by_the_compose_schema(root: Path, compose: dict[str, Any]) -> None:
    schema = json.loads((root / "tests/data/compose-spec/compose-spec.json").read_text())
    jsonschema.Draft7Validator(schema).validate(compose)


def test_schema_refuses_a_misspelt_key(root: Path, compose: dict[str, Any]) -> None:
    schema = json.loads((root / "tests/data/compose-spec/compose-spec.json").read_text())
    broken = {**compose, "services": {"api": {"image": "a", "healtcheck": {}}}}
    with pytest.raises(jsonschema.ValidationError, match="healtcheck"):
        jsonschema.Draft7Validator(schema).validate(broken)


def test_override_of_the_test_replaces_images_of_services_that_exist(
    root: Path, services: Services
) -> None:
    # The tag by which Compose replaces a list instead of adding to it is not YAML's.
    text = (root / "docker/compose.test.yml").read_text().replace("!override ", "")
    replaced = yaml.safe_load(text)["services"]
    public = {name for name, one in services.items() if one["profiles"] == ["core", "full"]}
    assert set(replaced) == public


def test_every_published_port_is_on_loopback(services: Services) -> None:
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in ports)
    published = [port.split(":")[1] for port in ports]
    assert len(published) == len(set(published))


def test_every_image_is_pinned_to_a_version(services: Services) -> None:
    tags = {name: service["image"].rpartition(":")[2] for name, service in services.items()}
    ours = {"api": "local", "worker": "local", "approval-keys": "local"}
    loose = {
        name: tag
        for name, tag in tags.items()
        if ours.get(name) != tag and not re.match(r"v?\d+(\.\d+)*", tag)
    }
    assert not loose


def test_services_of_one_program_use_one_version(services: Services) -> None:
    versions: dict[str, set[str]] = {}
    for service in services.values():
        repository, _, tag = service["image"].rpartition(":")
        versions.setdefault(repository, set()).add(tag)
    assert {repository: tags for repository, tags in versions.items() if len(tags) > 1} == {}


def test_what_stays_up_is_probed(services: Services) -> None:
    unprobed = {
        name
        for name, service in running(services).items()
        if not one_shot(service) and "healthcheck" not in service
    }
    assert unprobed == NOT_PROBED


def test_profiles_are_core_and_full_and_core_is_part_of_full(services: Services) -> None:
    profiles = {tuple(service["profiles"]) for service in running(services).values()}
    assert profiles == {("core", "full"), ("full",)}


def test_dependencies_can_be_met_in_every_profile(services: Services) -> None:
    for name, service in services.items():
        for wanted, how in service.get("depends_on", {}).items():
            other = services[wanted]
            assert set(service["profiles"]) <= set(other["profiles"]), f"{name} -> {wanted}"
            match how["condition"]:
                case "service_healthy":
                    assert "healthcheck" in other, f"{name} waits for the health of {wanted}"
                case "service_completed_successfully":
                    assert one_shot(other), f"{name} waits for the end of {wanted}"


def test_every_volume_is_named_and_declared(compose: dict[str, Any], services: Services) -> None:
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    named = {mount.split(":")[0] for mount in mounts if mount[0] not in "./$"}
    assert named == set(compose["volumes"])


def test_every_mounted_file_exists(root: Path, services: Services) -> None:
    mounts = [mount for service in services.values() for mount in service.get("volumes", [])]
    local = {mount.split(":")[0] for mount in mounts if mount.startswith("./")}
    local |= {default for mount in mounts for default in re.findall(r":-(\./[^}]+)}", mount)}
    assert len(local) > 3
    assert {path for path in local if not (root / path).exists()} == set()


def test_only_the_node_is_privileged(services: Services) -> None:
    privileged = {name for name, service in services.items() if service.get("privileged")}
    assert privileged == {"k3s"}


def test_example_of_the_environment_names_every_variable_asked_for(root: Path) -> None:
    text = (root / "docker-compose.yml").read_text()
    asked = set(re.findall(r"\$\{([A-Z_]+)", text))
    example = (root / ".env.example").read_text()
    offered = set(re.findall(r"^#?([A-Z_]+)=", example, flags=re.MULTILINE))
    assert offered == asked | {"COMPOSE_PROFILES"}


def test_no_password_is_written_in_the_file(services: Services) -> None:
    for service in services.values():
        for name, value in service.get("environment", {}).items():
            if re.search("PASSWORD|PWD|SECRET$|TOKEN", name):
                assert re.fullmatch(r"\$\{[A-Z_]+:\?set it in .env}", value), name


def test_document_lists_every_port_and_no_other(root: Path, services: Services) -> None:
    ports = {port.split(":")[1] for one in services.values() for port in one.get("ports", [])}
    text = (root / "docs/compose.md").read_text()
    assert set(re.findall(r"127\.0\.0\.1:(\d+)", text)) == ports
