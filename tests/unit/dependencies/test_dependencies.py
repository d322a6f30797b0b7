"""What connections lead to, what endpoints open, and which components need each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.dependencies import (
    DependencyGraph,
    DependencyState,
    Edge,
    Interfaces,
    interfaces_of,
    offered,
)
from domain.dependencies.offers import endpoint_problem
from domain.errors import InvalidRequest
from domain.rendering.offline import Shelf, ShelfCatalogue
from domain.resources import Resource, Workload, parse
from domain.resources.interfaces import Endpoint

pytestmark = pytest.mark.unit


def made(kind: str, name: str, spec: dict[str, Any]) -> Resource:
    return parse(
        {
            "apiVersion": "choreo.dev/v1alpha1",
            "kind": kind,
            "metadata": {"name": name, "namespace": "acme"},
            "spec": spec,
        }
    )


def component(name: str, project: str = "shop") -> Resource:
    return made("Component", name, {"componentOwner": {"projectRef": project}})


def workload(owner: str, **endpoint: Any) -> Workload:
    found = made(
        "Workload",
        owner,
        {"componentRef": owner, "endpoints": [{"name": "http", "port": 8080} | endpoint]},
    )
    assert isinstance(found, Workload)
    return found


def connection(target: dict[str, Any], **more: Any) -> Resource:
    return made("Connection", "to-it", {"componentRef": "web", "target": target} | more)


def of_web(*resources: Resource) -> Interfaces:
    return interfaces_of("web", ShelfCatalogue(Shelf([component("web"), *resources])))


def test_connection_finds_the_first_endpoint_of_a_component() -> None:
    found = of_web(
        component("billing"), workload("billing"), connection({"componentRef": "billing"})
    )
    (only,) = found.dependencies
    assert (only.state, only.target, only.port) == (DependencyState.FOUND, "billing.http", 8080)
    assert found.unresolved == ()


@pytest.mark.parametrize(
    ("present", "waits"),
    [
        ([], "waiting until Component billing is created"),
        ([component("billing")], "waiting until billing has a Workload"),
        (
            [component("billing"), workload("billing", name="grpc")],
            "waiting until billing has endpoint http; it has grpc",
        ),
    ],
)
def test_what_is_missing_is_said_from_the_outside_in(present: list[Resource], waits: str) -> None:
    asked = connection({"componentRef": "billing", "endpoint": "http"})
    (only,) = of_web(*present, asked).unresolved
    assert (only.state, only.message.startswith(waits)) == (DependencyState.MISSING, True)


def test_endpoint_of_another_project_is_seen_when_an_endpoint_opens_it() -> None:
    parts = [
        component("ledger", "finance"),
        workload("ledger"),
        connection({"componentRef": "ledger"}),
    ]
    (hidden,) = of_web(*parts).dependencies
    assert hidden.state is DependencyState.NOT_VISIBLE
    assert "visibility is organization" in hidden.message
    spec = {"backendRef": {"componentRef": "ledger"}, "visibility": "organization"}
    (seen,) = of_web(*parts, made("Endpoint", "ledger", spec)).dependencies
    assert seen.is_found


def test_systems_outside_are_found_as_they_are() -> None:
    (host,) = of_web(connection({"host": "example.org"})).dependencies
    assert (host.target, host.is_found) == ("example.org:443", True)
    (block,) = of_web(connection({"cidr": "192.0.2.0/24", "port": 5432})).dependencies
    assert block.target == "192.0.2.0/24:5432"


def test_state_changes_with_what_is_called_and_is_silent_without_connections() -> None:
    parts = [component("billing"), connection({"componentRef": "billing"})]
    before = of_web(*parts, workload("billing")).state
    assert of_web(*parts, workload("billing", port=9090)).state != before
    assert (of_web().hash, of_web().state) == ("", "none")


def test_endpoint_that_contradicts_the_workload_opens_nothing() -> None:
    declared = made(
        "Endpoint",
        "web",
        {"backendRef": {"componentRef": "web"}, "visibility": "public", "protocols": ["gRPC"]},
    )
    assert isinstance(declared, Endpoint)
    (kept,) = offered(workload("web"), [declared])
    assert kept.visibility == "project"


EDGES = st.sets(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef")), max_size=14)


def graph(pairs: Iterable[tuple[str, str]]) -> DependencyGraph:
    return DependencyGraph(Edge(one, other, f"{one}{other}") for one, other in pairs)


def reached(pairs: set[tuple[str, str]], start: str) -> set[str]:
    """Reachability in the dullest way, to compare with."""
    found: set[str] = set()
    while True:
        more = {b for a, b in pairs if a == start or a in found} - found
        if not more:
            return found
        found |= more


@given(EDGES)
def test_graph_agrees_with_plain_reachability(pairs: set[tuple[str, str]]) -> None:
    made_graph = graph(pairs)
    for one in made_graph.components:
        backwards = {(b, a) for a, b in pairs}
        assert set(made_graph.broken_without(one)) == reached(backwards, one) - {one}
        for other in made_graph.components:
            way = made_graph.way(one, other)
            assert bool(way) == (other in reached(pairs, one))
    in_cycles = {one for one in made_graph.components if one in reached(pairs, one)}
    covered = {name for cycle in made_graph.cycles() for name in made_graph.together_with(cycle[0])}
    assert covered == in_cycles


def test_cycle_is_named_by_its_shortest_way() -> None:
    cycle = graph([("a", "b"), ("b", "c"), ("c", "a"), ("c", "d"), ("b", "a")])
    assert cycle.cycles() == (("a", "b"),)
    assert cycle.broken_without("d") == ("c", "b", "a")
    assert graph([("a", "a")]).cycles() == (("a",),)


def endpoint(**spec: Any) -> Endpoint:
    base = {"backendRef": {"componentRef": "orders"}, "visibility": "organization"}
    found = made("Endpoint", "door", base | spec)
    assert isinstance(found, Endpoint)
    return found


@pytest.mark.parametrize(
    ("spec", "of_workload", "why"),
    [
        ({}, None, "waiting until orders has a Workload"),
        (
            {"backendRef": {"componentRef": "orders", "endpoint": "admin"}},
            workload("orders"),
            "does not have endpoint admin: waiting until it does; it has http",
        ),
        (
            {"protocols": ["gRPC"]},
            workload("orders"),
            "speaks HTTP, and spec.protocols says gRPC: one of them has to change",
        ),
        (
            {"protocols": ["UDP"], "visibility": "public"},
            workload("orders", type="UDP"),
            "speaks UDP, which the gateway does not route",
        ),
    ],
    ids=["no workload", "no such endpoint", "another protocol", "public UDP"],
)
def test_endpoint_that_opens_nothing_says_why(
    spec: dict[str, Any], of_workload: Workload | None, why: str
) -> None:
    door = endpoint(**spec)

    assert why in endpoint_problem(door, of_workload)
    opened = [one.visibility for one in offered(of_workload, [door])]
    assert opened == ([] if of_workload is None else ["project"])


def test_a_schema_of_an_endpoint_is_for_people_and_deploys_nothing() -> None:
    def of(**more: Any) -> Interfaces:
        spec = {"backendRef": {"componentRef": "web"}, **more}
        return Interfaces(endpoints=(made("Endpoint", "web", spec),))

    told = {"type": "OpenAPI", "content": "openapi: 3.1.0"}

    assert of(schemaFile=told).hash == of().hash
    assert of(visibility="public").hash != of().hash
    with pytest.raises(InvalidRequest, match="exactly one of content and path"):
        of(schemaFile={**told, "path": "api.yaml"})
    with pytest.raises(InvalidRequest, match="65536"):
        of(schemaFile={"type": "Protobuf", "content": "x" * 65537})
