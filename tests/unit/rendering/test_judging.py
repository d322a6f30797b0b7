"""Who may call whom by the objects of releases: what is declared, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rendering import RenderedRelease
from domain.rendering.network.judging import (
    Call,
    Party,
    changed_openings,
    judge_call,
    openings,
    party_of,
)
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
