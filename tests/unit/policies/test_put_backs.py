from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries import DriftedField, DriftMemory
from domain.policies.put_backs import (
    COUNTED,
    HELD,
    contested,
    described,
    judge_drift,
    put_backs_of,
    remembered_until,
)
from tests.unit.policies.live import NOW

pytestmark = pytest.mark.unit

REPLICAS = DriftedField(
    object="Deployment/web", field="spec.replicas", wanted="2", live="5", manager="kubectl"
)
POLICY = DriftedField(object="NetworkPolicy/web")


def test_nothing_is_put_back_where_drift_is_only_reported() -> None:
    verdict = judge_drift([REPLICAS], DriftMemory(), restore=False, limit=3, now=NOW)

    assert (verdict.put_back, verdict.contests) == ((), ())


def test_each_drifted_object_is_put_back_once() -> None:
    image = REPLICAS.model_copy(update={"field": "spec.image"})

    verdict = judge_drift([REPLICAS, image, POLICY], DriftMemory(), restore=True, limit=3, now=NOW)

    assert verdict.put_back == ("Deployment/web", "NetworkPolicy/web")


@given(st.integers(1, 6), st.lists(st.integers(0, 59), min_size=12, max_size=12))
def test_one_field_is_never_put_back_more_often_than_the_limit_within_an_hour(
    limit: int, minutes: list[int]
) -> None:
    memory, done = DriftMemory(), 0
    for minute in sorted(minutes):
        now = NOW + timedelta(minutes=minute)
        verdict = judge_drift([REPLICAS], memory, restore=True, limit=limit, now=now)
        memory, done = verdict.memory, done + len(verdict.put_back)

    assert done == min(limit, len(minutes))


def test_a_contested_object_is_left_alone_and_the_others_are_put_back() -> None:
    memory = DriftMemory()
    for _ in range(3):
        memory = judge_drift([REPLICAS], memory, restore=True, limit=3, now=NOW).memory

    verdict = judge_drift([REPLICAS, POLICY], memory, restore=True, limit=3, now=NOW)

    assert verdict.put_back == ("NetworkPolicy/web",)
    assert [(one.field, one.manager) for one in verdict.contests] == [("spec.replicas", "kubectl")]


def contested_memory() -> DriftMemory:
    memory = DriftMemory()
    for _ in range(2):
        memory = judge_drift([REPLICAS], memory, restore=True, limit=1, now=NOW).memory
    return memory


def test_a_contest_ends_when_the_field_is_as_wanted() -> None:
    verdict = judge_drift([], contested_memory(), restore=True, limit=1, now=NOW)

    assert verdict.memory.contests == ()


def test_a_contest_ends_after_a_day_and_it_is_tried_again() -> None:
    memory = contested_memory()
    almost = NOW + HELD - timedelta(seconds=1)

    early = judge_drift([REPLICAS], memory, restore=True, limit=1, now=almost)
    late = judge_drift([REPLICAS], early.memory, restore=True, limit=1, now=NOW + HELD)

    assert (early.put_back, late.put_back) == ((), ("Deployment/web",))


def test_a_put_back_is_remembered_for_an_hour() -> None:
    memory = judge_drift([REPLICAS], DriftMemory(), restore=True, limit=3, now=NOW).memory

    assert remembered_until(memory) == NOW + COUNTED
    assert judge_drift([], memory, restore=True, limit=3, now=NOW + COUNTED).memory.notes == ()
    assert remembered_until(DriftMemory()) is None


def test_put_backs_of_the_most_disputed_field_are_counted() -> None:
    memory = judge_drift([REPLICAS, POLICY], DriftMemory(), restore=True, limit=3, now=NOW).memory
    memory = judge_drift([REPLICAS], memory, restore=True, limit=3, now=NOW).memory

    assert put_backs_of([REPLICAS, POLICY], memory) == 2
    assert put_backs_of([POLICY], memory) == 1
    assert put_backs_of([], memory) == 0


def test_drift_is_told_by_field_with_the_manager() -> None:
    assert described([REPLICAS, POLICY]) == (
        "Deployment/web spec.replicas is 5, wanted 2 (kubectl); NetworkPolicy/web is gone"
    )


def test_much_drift_is_told_shortly() -> None:
    many = [POLICY.model_copy(update={"object": f"Service/{n}"}) for n in range(13)]

    assert described(many).endswith("and 3 more")


def test_a_contest_says_who_it_is_and_who_can_end_it() -> None:
    text = contested(contested_memory().contests, "web", "prod", 1)

    assert "kubectl changed Deployment/web spec.replicas again" in text
    assert "pavane deploy web -e prod --force" in text
    assert "spec.drift of Environment prod" in text
