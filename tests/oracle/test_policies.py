"""Generated policies judged by Cilium's own code: what is declared talks, and nothing else does.

Our own judgement (`pavane net can`) has to agree with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.rendering import RenderedRelease, render_release
from domain.rendering.network.judging import Call, Party, judge_call, party_of
from domain.rendering.network.neighbours import neighbour_of
from domain.rendering.offline import Shelf, assemble
from domain.resources import Resource, parse
from tests.oracle.oracle import Flow, Oracle, pod, pods
from tests.topologies import ENVIRONMENT, Topology, topologies
from tests.unit.rendering.samples import rendered
from tests.unit.rendering.test_policies import BILLING, CILIUM, MAIL, RANGE, calling

pytestmark = [pytest.mark.oracle, pytest.mark.timeout(1800)]
SLOWLY = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def objects(topology: Topology) -> list[dict[str, Any]]:
    return [obj for name in topology.components for obj in topology.release(name).objects]


def parties(topology: Topology) -> list[dict[str, Any]]:
    return [pods(topology.party(name)) for name in topology.components]


@SLOWLY
@given(topology=topologies(largest=30))
def test_exactly_the_declared_pairs_talk(oracle: Oracle, topology: Topology) -> None:
    pairs = list(topology.pairs())
    flows = [Flow(source, target, port) for source, target, port, _ in pairs]
    told = oracle.ask(objects(topology), parties(topology), flows)
    assert told.refused == ()
    # A pod reaches itself without leaving its node's loopback; Cilium lets it, and so be it.
    assert [
        one
        for one, said in zip(pairs, told.allowed, strict=True)
        if said is not one[3] and one[0] != one[1]
    ] == []
    ours = [
        judge_call(topology.party(source), topology.party(target), Call(port=port)).allowed
        for source, target, port, _ in pairs
    ]
    assert ours == [declared for *_, declared in pairs]


@SLOWLY
@given(topology=topologies(), data=st.data())
def test_one_connection_more_or_less_changes_its_own_pair_only(
    oracle: Oracle, topology: Topology, data: st.DataObject
) -> None:
    if not topology.calls:
        return
    gone = data.draw(st.sampled_from(sorted(topology.calls)))
    flows = [Flow(*one[:3]) for one in topology.pairs()]
    before = oracle.ask(objects(topology), parties(topology), flows).allowed
    without = topology.without(gone)
    after = oracle.ask(objects(without), parties(without), flows).allowed
    changed = {
        (one.source, one.target, one.port)
        for one, was, now in zip(flows, before, after, strict=True)
        if was is not now
    }
    assert changed == {one for one in topology.opened_by(gone) if one[0] != one[1]} or (
        gone[0] == gone[1]
    )


@SLOWLY
@given(topology=topologies())
def test_tenants_of_one_plane_stay_apart(oracle: Oracle, topology: Topology) -> None:
    other = replace(topology, organization="rival")
    theirs = [pods(other.party(name), name=f"rival-{name}") for name in other.components]
    flows = [
        Flow(source, target, port)
        for ours, _, port, _ in topology.pairs()
        for one in topology.components
        for source, target in ((ours, f"rival-{one}"), (f"rival-{one}", ours))
    ]
    told = oracle.ask([*objects(topology), *objects(other)], [*parties(topology), *theirs], flows)
    assert not any(told.allowed)


@SLOWLY
@given(topology=topologies())
def test_both_versions_of_a_canary_may_call_and_be_called(
    oracle: Oracle, topology: Topology
) -> None:
    canaries = [
        pods(topology.party(name), f"{name}-canary", **{"app.kubernetes.io/version": "next"})
        for name in topology.components
    ]
    declared = [
        Flow(f"{source}{suffix}", f"{target}{other}", port)
        for source, target, port, allowed in topology.pairs()
        if allowed
        for suffix in ("", "-canary")
        for other in ("", "-canary")
    ]
    told = oracle.ask(objects(topology), [*parties(topology), *canaries], declared)
    assert all(told.allowed)


@pytest.mark.parametrize("plane", [{}, CILIUM], ids=["Kubernetes", "Cilium"])
def test_name_server_gateway_and_node_reach_what_they_must_and_nothing_else(
    oracle: Oracle, plane: dict[str, Any]
) -> None:
    release = rendered(plane=plane)
    web = pods(_party(release))
    others = [
        pod("dns", "kube-system", k8s_app="kube-dns"),
        pod("other", "kube-system", k8s_app="other"),
        pod("gateway", "pavane-system", app="traefik"),
        pod("stranger", "somewhere"),
        {"name": "node", "entity": "host"},
        {"name": "api", "entity": "kube-apiserver"},
        {"name": "metadata", "address": "169.254.169.254"},
        {"name": "internet", "address": "198.51.100.7"},
    ]
    flows = {
        Flow("web", "dns", 53, "UDP"): True,
        Flow("web", "dns", 53): True,
        Flow("web", "dns", 443): False,
        Flow("web", "other", 53, "UDP"): False,
        Flow("gateway", "web", 8080): True,
        Flow("gateway", "web", 9090): False,
        Flow("stranger", "web", 8080): False,
        Flow("web", "api", 443): False,
        Flow("web", "metadata", 80): False,
        Flow("web", "internet", 443): False,
    }
    if plane:
        flows[Flow("node", "web", 8080)] = True  # an agent lets its node in of itself, too
    told = oracle.ask(release.objects, [web, *others], list(flows))
    assert dict(zip(flows, told.allowed, strict=True)) == flows
    assert told.refused == ()


@pytest.mark.parametrize("plane", [{}, CILIUM], ids=["Kubernetes", "Cilium"])
def test_tests_of_a_gate_call_what_they_test_and_nobody_else(
    oracle: Oracle, plane: dict[str, Any]
) -> None:
    release = rendered(plane=plane)
    (policy,) = (
        one
        for one in release.objects
        if one["kind"].endswith("NetworkPolicy") and one["metadata"]["name"] == "web"
    )
    tested = _party(release)
    neighbour = neighbour_of(policy, "gate-smoke-1", {"choreo.dev/gate-run": "gate-smoke-1"})
    labels = {**neighbour.labels, "choreo.dev/gate-run": "gate-smoke-1"}
    smoke = {**pods(tested, "smoke"), "labels": labels}
    other = {**pods(tested, "other"), "labels": {"choreo.dev/component": "other"}}
    dns = pod("dns", "kube-system", k8s_app="kube-dns")
    flows = {
        Flow("smoke", "web", 8080): True,
        Flow("smoke", "web", 9090): False,
        Flow("smoke", "dns", 53, "UDP"): True,
        Flow("smoke", "other", 8080): False,
        Flow("other", "smoke", 8080): False,
        Flow("web", "smoke", 8080): False,
    }
    told = oracle.ask(
        [*release.objects, neighbour.policy], [pods(tested), smoke, other, dns], list(flows)
    )
    assert told.refused == ()
    assert dict(zip(flows, told.allowed, strict=True)) == flows


def test_outside_is_reached_as_declared(oracle: Oracle) -> None:
    release = calling(MAIL, RANGE, plane=CILIUM)
    people = [
        pods(_party(release)),
        {"name": "mail", "host": "mail.example.org"},
        {"name": "example", "host": "example.com"},
        {"name": "inside", "address": "192.0.2.7"},
        {"name": "beside", "address": "192.0.3.7"},
    ]
    flows = {
        Flow("web", "mail", 443): True,
        Flow("web", "mail", 80): False,
        Flow("web", "example", 443): False,
        Flow("web", "inside", 5432): True,
        Flow("web", "inside", 443): False,
        Flow("web", "beside", 5432): False,
    }
    told = oracle.ask(release.objects, people, list(flows))
    assert dict(zip(flows, told.allowed, strict=True)) == flows

    widened = calling(MAIL)
    flows = {
        Flow("web", "beside", 443): True,
        Flow("web", "beside", 80): False,
        Flow("web", "metadata", 443): False,
    }
    people = [people[0], people[-1], {"name": "metadata", "address": "169.254.169.254"}]
    told = oracle.ask(widened.objects, people, list(flows))
    assert dict(zip(flows, told.allowed, strict=True)) == flows


def test_the_judge_refuses_what_an_agent_refuses(oracle: Oracle) -> None:
    """The table above would say nothing if it took everything."""
    release = calling(BILLING, plane=CILIUM)
    (policy,) = (one for one in release.objects if one["kind"] == "CiliumNetworkPolicy")
    broken = {**policy, "spec": {**policy["spec"], "egress": [{"toPorts": [BAD_PORTS]}]}}
    assert oracle.ask([policy], [], []).refused == ()
    assert len(oracle.ask([broken], [], []).refused) == 1


BAD_PORTS = {"ports": [{"port": "70000", "protocol": "TCP"}]}


def test_an_endpoint_opened_to_the_organization_lets_another_project_in(oracle: Oracle) -> None:
    topology = Topology(
        {"web": "shop", "ledger": "finance"},
        {"web": (), "ledger": (("e1024", 1024, "project"),)},
        frozenset(),
    )
    opened = {"backendRef": {"componentRef": "ledger"}, "visibility": "organization"}
    target = {"componentRef": "ledger"}
    more = [
        _resource("Endpoint", "ledger", opened),
        _resource("Connection", "ledger", {"componentRef": "web", "target": target}),
    ]
    shelf = Shelf([*topology.resources(), *more])
    releases = [render_release(assemble(shelf, name, ENVIRONMENT)) for name in ("web", "ledger")]
    people = [pods(_party(one)) for one in releases]
    flows = [Flow("web", "ledger", 1024), Flow("ledger", "web", 1024)]
    told = oracle.ask([obj for one in releases for obj in one.objects], people, flows)
    assert told.allowed == (True, False)


def _resource(kind: str, name: str, spec: dict[str, Any]) -> Resource:
    metadata = {"name": name, "namespace": "acme"}
    return parse(
        {"apiVersion": "choreo.dev/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}
    )


def _party(release: RenderedRelease) -> Party:
    found = party_of(release.objects)
    assert found is not None
    return found
