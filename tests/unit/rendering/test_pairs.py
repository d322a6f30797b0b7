"""What a release opens and closes, as pairs that may talk: judged by both ends."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.rendering.network.judging import Party, party_of
from domain.rendering.network.pairs import (
    MOST_NEIGHBOURS,
    changed_pairs,
    left_out_said,
    neighbours,
)
from tests.topologies import Topology, topologies
from tests.unit.rendering.samples import rendered
from tests.unit.rendering.test_policies import BILLING, CILIUM, LEDGER, calling

pytestmark = pytest.mark.unit


def billing(plane: dict[str, object]) -> Party:
    workload = {"endpoints": [{"name": "http", "port": 8081}]}
    found = party_of(rendered(name="billing", workload=workload, plane=plane).objects)
    assert found is not None
    return found


@settings(max_examples=25, deadline=None)
@given(topologies(), st.data())
def test_a_release_changes_exactly_the_pairs_that_its_connection_opened(
    topology: Topology, data: st.DataObject
) -> None:
    if not topology.calls:
        return
    gone = data.draw(st.sampled_from(sorted(topology.calls)))
    caller, without = gone[0], topology.without(gone)
    before, after = topology.release(caller).objects, without.release(caller).objects
    callers = {source for source, target, _ in topology.calls if target == caller}
    around = neighbours(before, after, callers)
    told = changed_pairs(before, after, (topology.party(one) for one in around.read))
    expected = topology.allowed() - without.allowed()
    closed = {(source, target, port) for source, target, port in expected if source != target}
    assert set(told) == {
        f"- {source} may call {target} at TCP {port}" for source, target, port in closed
    }
    back = changed_pairs(after, before, (topology.party(one) for one in around.read))
    assert {one[2:] for one in back} == {one[2:] for one in told}


@pytest.mark.parametrize("plane", [{}, CILIUM])
def test_what_does_not_let_a_caller_in_is_no_pair_that_opens(plane: dict[str, object]) -> None:
    before, after = rendered(plane=plane).objects, calling(BILLING, plane=plane).objects
    assert neighbours(before, after, ["ops"]).read == ("billing",)
    closed = billing(plane).model_copy(update={"policies": billing(plane).policies[:1]})
    assert changed_pairs(before, after, [billing(plane)]) == ("+ web may call billing at TCP 8081",)
    assert changed_pairs(before, after, [closed]) == ()


def test_nobody_is_looked_at_where_no_way_changes() -> None:
    before = calling(BILLING, LEDGER).objects
    assert neighbours(before, calling(LEDGER, BILLING).objects, ["ops"]).read == ()
    assert changed_pairs(before, before, [billing({})]) == ()


def test_callers_are_looked_at_when_an_endpoint_comes_or_goes_and_many_are_counted() -> None:
    moved = rendered(workload={"endpoints": [{"name": "http", "port": 8090}]}).objects
    callers = [f"c{number}" for number in range(MOST_NEIGHBOURS + 7)]
    around = neighbours(rendered().objects, moved, callers)
    assert (len(around.read), around.left_out) == (MOST_NEIGHBOURS, 7)
    assert left_out_said(around) == ("7 more components were not looked at: see the ways",)
