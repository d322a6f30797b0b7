"""What the intake tells of Endpoints and Connections, and when it asks for a deployment."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.resources import Resource
from intake.bindings import Deploy
from intake.decisions import decide
from intake.interfaces import interfaces_in
from intake.near import obstacles
from intake.summaries import summary
from intake.world import Key, World
from tests.unit.intake import resources as given
from tests.unit.intake.resources import ORG, world

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def component(name: str) -> Resource:
    return given.resource("Component", name, {"componentOwner": {"projectRef": "shop"}})


def workload(name: str, generation: int = 1, port: int = 8080) -> Resource:
    endpoints = [{"name": "http", "port": port}]
    spec = {"componentRef": name, "endpoints": endpoints}
    return given.resource("Workload", name, spec, generation=generation)


def connection(source: str = "web", target: str = "api", **more: Any) -> Resource:
    spec = {"componentRef": source, "target": {"componentRef": target}}
    return given.resource("Connection", f"{source}-{target}", spec, **more)


def running(interfaces: str = "", reason: str = "Deployed") -> Resource:
    status = given.told("True", reason) | {"releaseRef": "web-dev-1", "artifactRef": "web-1"}
    if interfaces:
        status["interfaces"] = interfaces
    return given.binding(status=status)


def conditions(resource: Resource, made: World) -> dict[str, tuple[str, str]]:
    said = summary(resource, made, NOW)
    assert said is not None
    return {one["type"]: (one["status"], one["reason"]) for one in said["status"]["conditions"]}


def test_connection_is_ready_once_it_leads_to_an_endpoint() -> None:
    made = world(connection(), component("api"))
    assert conditions(connection(), made)["Ready"] == ("False", "ReferenceMissing")

    concerned = made.put(workload("api"))

    assert Key("Connection", ORG, "web-api") in concerned
    said = summary(connection(), made, NOW)
    assert said is not None
    assert said["status"]["target"] == "api.http"
    assert conditions(connection(), made)["Ready"] == ("True", "Accepted")


def test_components_that_need_each_other_are_told_on_each_connection_of_the_cycle() -> None:
    chain = [connection("web", "api"), connection("api", "db"), connection("db", "mail")]
    parts = [component(name) for name in ("api", "db", "mail")]
    made = world(*parts, *(workload(name) for name in ("api", "db", "mail")), *chain)
    assert "Cyclic" not in conditions(chain[1], made)

    back = connection("mail", "web")
    concerned = made.put(back)

    assert {Key.of(one) for one in chain} <= concerned
    assert conditions(chain[1], made)["Cyclic"] == ("True", "NeedEachOther")
    assert {Key.of(one) for one in chain} <= made.remove(Key.of(back))
    assert "Cyclic" not in conditions(chain[1], made)


def test_binding_waits_for_what_its_component_calls() -> None:
    binding = given.binding()
    made = world(binding, connection())

    (waits,) = obstacles(binding, made)

    assert waits.startswith("Connection web-api: waiting until Component api is created")
    assert decide(binding, made) is None


def test_what_runs_is_deployed_with_a_changed_address_in_the_first_environment_only() -> None:
    made = world(running(), connection(), component("api"), workload("api"))
    asked = decide(running(), made)
    assert isinstance(asked, Deploy)
    now = interfaces_in(made, ORG, "web").hash
    assert asked.request.interfaces == now

    assert decide(running(now), made) is None
    concerned = made.put(workload("api", generation=2, port=9090))
    assert Key.of(running()) in concerned
    assert isinstance(decide(running(now), made), Deploy)

    assert decide(running(reason="RolledBack"), made) is None
    made.put(given.resource("DeploymentPipeline", "default", TWO, generation=2))
    assert decide(running(now), made) is None


TWO = {
    "promotionPaths": [
        {"sourceEnvironmentRef": "qa", "targetEnvironmentRefs": [{"name": "dev", "mode": "Manual"}]}
    ]
}


def test_a_connection_that_was_taken_away_is_taken_out_of_what_runs() -> None:
    made = world(running("gone"))
    asked = decide(running("gone"), made)
    assert isinstance(asked, Deploy)
    assert asked.request.interfaces == "none"
    assert decide(running(), made) is None


def test_endpoint_that_names_a_port_nobody_listens_on_waits() -> None:
    backend = {"componentRef": "web", "endpoint": "grpc"}
    endpoint = given.resource("Endpoint", "web", {"backendRef": backend})
    assert conditions(endpoint, world(endpoint))["Ready"] == ("False", "ReferenceMissing")
    opened = given.resource("Endpoint", "api", {"backendRef": {"componentRef": "api"}})
    made = world(component("api"), workload("api"))
    assert conditions(opened, made)["Ready"] == ("True", "Accepted")
