"""Who may call whom by the objects of releases: what is declared, and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rendering import RenderedRelease
from domain.rendering.network import held_open
from domain.rendering.network.judging import (
    Call,
    Party,
    changed_openings,
    judge_call,
    openings,
    party_of,
)
from domain.rendering.network.reading import policies_of
from domain.resources.interfaces import AllowedRequest
from tests.topologies import Topology, topologies
from tests.unit.rendering.samples import rendered
from tests.unit.rendering.test_policies import (
    BILLING,
    CILIUM,
    ENVOY,
    LEDGER,
    MAIL,
    calling,
)

pytestmark = pytest.mark.unit


def party(release: RenderedRelease) -> Party:
    found = party_of(release.objects)
    assert found is not None
    return found


@settings(max_examples=30, deadline=None)
@given(topologies())
def test_declared_pairs_may_talk_and_no_others(topology: Topology) -> None:
    for source, target, port, declared in topology.pairs():
        said = judge_call(topology.party(source), topology.party(target), Call(port=port))
        assert said.allowed is declared, (source, target, port, said.reasons)


@settings(max_examples=15, deadline=None)
@given(topologies(), st.data())
def test_a_connection_more_or_less_changes_exactly_its_own_pair(
    topology: Topology, data: st.DataObject
) -> None:
    before = topology.allowed()
    if topology.calls:
        gone = data.draw(st.sampled_from(sorted(topology.calls)))
        without = topology.without(gone)
        assert before - without.allowed() == topology.opened_by(gone)
        assert without.allowed() <= before
        untouched = [name for name in topology.components if name != gone[0]]
        assert all(without.release(name) == topology.release(name) for name in untouched)


@pytest.mark.parametrize("plane", [{}, CILIUM])
def test_the_rule_that_decides_is_named(plane: dict[str, object]) -> None:
    web = party(calling(BILLING, plane=plane))
    kind = "CiliumNetworkPolicy" if plane else "NetworkPolicy"
    billing = party(
        rendered(
            name="billing",
            workload={"endpoints": [{"name": "http", "port": 8081}]},
            plane=plane,
        )
    )
    out, into = judge_call(web, billing, Call(port=8081)).reasons
    assert out == f"{kind}/web, rule 2 out, opens the way out of web"
    assert into.startswith(f"{kind}/billing, rule ")
    refused = judge_call(billing, web, Call(port=8080))
    assert refused.allowed is False
    assert refused.reasons[0].startswith("no rule of NetworkPolicy/pavane-default-deny")


def test_outside_is_reached_by_name_or_address_only_as_declared() -> None:
    by_name = party(calling(MAIL, plane=CILIUM))
    mail = Party(name="mail", host="mail.example.org")
    assert judge_call(by_name, mail, Call(port=443)).allowed
    assert not judge_call(by_name, Party(name="x", host="example.com"), Call(port=443)).allowed
    widened = party(calling(MAIL))
    anywhere = Party(name="anywhere", address="198.51.100.7")
    credentials = Party(name="metadata", address="169.254.169.254")
    assert judge_call(widened, anywhere, Call(port=443)).allowed
    assert not judge_call(widened, credentials, Call(port=443)).allowed
    assert not judge_call(widened, anywhere, Call(port=80)).allowed


def test_only_declared_requests_are_let_through() -> None:
    asked = (AllowedRequest(method="GET", path="/invoices"),)
    narrow = BILLING.model_copy(update={"requests": asked})
    web = party(calling(narrow, plane=ENVOY))
    workload = {"endpoints": [{"name": "http", "port": 8081}]}
    billing = party(rendered(name="billing", workload=workload, plane=ENVOY))
    allowed = {
        (method, path): judge_call(web, billing, Call(port=8081, method=method, path=path)).allowed
        for method in ("GET", "POST")
        for path in ("/invoices", "/invoices/7", "/invoices?of=7", "/invoicesx", "/")
    }
    assert [one for one, said in allowed.items() if said] == [
        ("GET", "/invoices"),
        ("GET", "/invoices/7"),
        ("GET", "/invoices?of=7"),
    ]


def test_difference_is_told_as_what_may_talk() -> None:
    before, after = calling(BILLING), calling(LEDGER)
    assert changed_openings(before.objects, after.objects) == (
        "+ out to ledger in acme-finance-development at TCP 8081",
        "- out to billing at TCP 8081",
    )
    assert changed_openings(after.objects, after.objects) == ()
    assert "in from pavane-system" not in " ".join(openings(before.objects))
    assert "in from pods in pavane-system at TCP 8080" in openings(before.objects)


@settings(max_examples=15, deadline=None)
@given(topologies(), st.data())
def test_while_a_connection_goes_each_version_may_call_exactly_what_it_declares(
    topology: Topology, data: st.DataObject
) -> None:
    """The policy holds open what the old pods need; the new ones have no right to it."""
    if not topology.calls:
        return
    gone = data.draw(st.sampled_from(sorted(topology.calls)))
    without, caller = topology.without(gone), gone[0]
    after = without.release(caller).objects
    held = held_open(topology.release(caller).objects, after)
    meanwhile = policies_of(held) or without.party(caller).policies
    closed = policies_of(one for one in after if one["metadata"]["name"] != caller)
    old, new = (
        one.party(caller).model_copy(update={"policies": (*closed, *meanwhile)})
        for one in (topology, without)
    )
    for version, declared in ((old, topology), (new, without)):
        for source, target, port, allowed in declared.pairs():
            if source == caller and target != caller:
                said = judge_call(version, without.party(target), Call(port=port))
                assert said.allowed is allowed, (source, target, port, said.reasons)


@settings(max_examples=15, deadline=None)
@given(topologies())
def test_a_canary_may_call_and_be_called_as_what_is_stable_may(topology: Topology) -> None:
    canaries = {
        name: (one := topology.party(name)).model_copy(
            update={"labels": {**one.labels, "app.kubernetes.io/version": "next"}}
        )
        for name in topology.components
    }
    for source, target, port, declared in topology.pairs():
        call = Call(port=port)
        assert judge_call(canaries[source], topology.party(target), call).allowed is declared
        assert judge_call(topology.party(source), canaries[target], call).allowed is declared


@settings(max_examples=10, deadline=None)
@given(topologies())
def test_organizations_of_one_plane_never_talk(topology: Topology) -> None:
    other = replace(topology, organization="rival")
    for source, target, port, _ in topology.pairs():
        call = Call(port=port)
        assert not judge_call(topology.party(source), other.party(target), call).allowed
        assert not judge_call(other.party(source), topology.party(target), call).allowed
