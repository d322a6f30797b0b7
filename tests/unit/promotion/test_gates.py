from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries.promotions import GateOutcome, GateState, PlaceFacts, StepRules
from domain.deliveries.standings import Hold, Pin, Veto
from domain.policies.promotion.gates import ALWAYS, closed, evaluate, pending, waiting
from domain.resources.gates import GateCheck, WhenUnknown
from tests.unit.promotion.cases import IMAGE, NOW, case, facts, request, rule, standing

pytestmark = pytest.mark.unit


def state(name: str, **changes: Any) -> GateState:
    return next(one.state for one in evaluate(case(**changes)) if one.name == name)


def test_nothing_stands_against_a_plain_promotion() -> None:
    assert all(one.is_open for one in evaluate(case()))


def test_an_artifact_that_does_not_run_in_the_source_is_out_of_order() -> None:
    skipped = facts().source.model_copy(update={"artifact": "web-b"})
    told = evaluate(case(source=skipped))[0]
    assert (told.state, told.reason) == (GateState.CLOSED, "dev runs web-b, not web-a")


def test_an_artifact_that_came_to_the_source_past_its_gates_is_out_of_order() -> None:
    assert state("order", source_passed=False) is GateState.CLOSED


def test_the_first_environment_is_no_target() -> None:
    assert state("order", environment="dev") is GateState.CLOSED


def test_a_source_the_pipeline_does_not_name_is_out_of_order() -> None:
    elsewhere = facts().source.model_copy(update={"environment": "preview"})
    assert state("order", source=elsewhere) is GateState.CLOSED


def test_several_sources_and_none_named_asks_for_the_name() -> None:
    nowhere = facts().source.model_copy(update={"environment": ""})
    told = evaluate(case(source=nowhere, sources=("eu", "us")))[0]
    assert "eu, us: name one" in told.reason


def test_a_source_that_is_not_ready_closes() -> None:
    broken = facts().source.model_copy(update={"ready": False, "reason": "CrashLoopBackOff"})
    told = evaluate(case(source=broken))
    assert [one.name for one in closed(told)] == ["source-healthy"]
    assert "CrashLoopBackOff" in closed(told)[0].reason


def test_a_source_that_did_not_soak_is_waited_for_until_it_has() -> None:
    rules = StepRules(soak_seconds=7200)
    (told,) = waiting(evaluate(case(rules=rules)))
    assert (told.name, told.until) == ("source-soaked", NOW + timedelta(hours=1))
    assert not waiting(evaluate(case(rules=rules, now=NOW + timedelta(hours=1))))


def test_a_veto_closes_for_everybody_also_under_another_name_of_the_image() -> None:
    vetoed = standing(vetoes=(Veto(artifact="web-x", image=IMAGE, reason="leaks", since=NOW),))
    (told,) = closed(evaluate(case(standing=vetoed)))
    assert told.name == "veto"
    assert "pavane veto lift web staging" in told.who


def test_a_hold_stops_automation_and_not_a_person() -> None:
    held = standing(hold=Hold(reason="rolled back", since=NOW))
    (told,) = waiting(evaluate(case(request(automatic=True), standing=held)))
    assert (told.name, told.until) == ("hold", None)
    assert not waiting(evaluate(case(request(), standing=held)))


def test_a_hold_ends_by_itself_when_it_says_so() -> None:
    held = standing(hold=Hold(reason="sale", since=NOW, until=NOW + timedelta(hours=1)))
    asked = request(automatic=True)
    assert waiting(evaluate(case(asked, standing=held)))
    assert not waiting(evaluate(case(asked, standing=held, now=NOW + timedelta(hours=1))))


@pytest.mark.parametrize("automatic", [True, False])
def test_a_pin_keeps_everything_else_away_from_everybody_until_it_ends(automatic: bool) -> None:
    until = NOW + timedelta(days=7)
    pin = Pin(artifact="web-0", reason="an audit", by="ada", since=NOW, until=until)
    pinned, asked = standing(pin=pin), request(automatic=automatic)
    (told,) = waiting(evaluate(case(asked, standing=pinned)))
    assert (told.name, told.until, told.reason) == (
        "pin",
        until,
        "pinned to web-0 by ada: an audit",
    )
    assert "pavane unpin web staging" in told.who
    assert not waiting(evaluate(case(asked, standing=pinned, now=until)))
    itself = standing(pin=pin.model_copy(update={"artifact": "web-a"}))
    assert not waiting(evaluate(case(asked, standing=itself)))


@pytest.mark.parametrize(
    "check",
    [GateCheck.SCAN, GateCheck.CONFIGURATION, GateCheck.DEPENDENCIES, GateCheck.QUOTA],
)
def test_what_nobody_knows_is_called_unknown_and_the_pipeline_decides(check: GateCheck) -> None:
    strict = StepRules(gates=(rule("it", check),))
    lax = StepRules(gates=(rule("it", check, when_unknown=WhenUnknown.PASS),))
    assert state("it", rules=strict) is GateState.UNKNOWN
    (told,) = [one for one in evaluate(case(rules=lax)) if one.name == "it"]
    assert told.is_open
    assert told.reason.startswith("unknown: ")
    assert told.evidence == {"known": "no"}


def test_tests_and_webhooks_are_pending_until_they_were_asked() -> None:
    rules = StepRules(gates=(rule("t", GateCheck.TESTS), rule("w", GateCheck.WEBHOOK)))
    assert [one.name for one in pending(evaluate(case(rules=rules)))] == ["t", "w"]


def test_what_came_of_a_test_says_nothing_about_other_objects() -> None:
    rules = StepRules(gates=(rule("t", GateCheck.TESTS),))
    passed = GateOutcome(name="t", passed=True, reason="12 passed", hash="hash of web-staging-1")
    assert state("t", rules=rules, outcomes={"t": passed}) is GateState.OPEN
    assert state("t", rules=rules, outcomes={"t": passed}, hash="of others") is GateState.PENDING


def test_a_failed_gate_says_what_to_do() -> None:
    rules = StepRules(gates=(rule("t", GateCheck.TESTS, message="ask team shop"),))
    failed = GateOutcome(name="t", passed=False, reason="3 failed", report="assert 1 == 2")
    (told,) = closed(evaluate(case(rules=rules, outcomes={"t": failed})))
    assert told.reason == "3 failed; ask team shop"
    assert told.evidence["report"] == "assert 1 == 2"


def test_a_manual_gate_waits_for_a_person_and_says_how() -> None:
    (told,) = waiting(evaluate(case(rules=StepRules(gates=(rule("look", GateCheck.MANUAL),)))))
    assert "--confirm look" in told.who


def test_a_hotfix_leaves_out_what_is_named_and_nothing_else() -> None:
    rules = StepRules(
        soak_seconds=7200, gates=(rule("scan", GateCheck.SCAN),), skips=("source-soaked",)
    )
    told = evaluate(case(request(hotfix=True, reason="down"), rules=rules))
    states = {one.name: one.state for one in told}
    assert states["source-soaked"] is GateState.SKIPPED
    assert states["scan"] is GateState.UNKNOWN
    assert "down" in next(one.reason for one in told if one.name == "source-soaked")


def test_what_is_open_is_not_called_skipped() -> None:
    told = evaluate(case(request(hotfix=True), rules=StepRules(skips=("order",))))
    assert told[0].state is GateState.OPEN


CHECKS = st.sampled_from(list(GateCheck))
RULES = st.lists(
    st.builds(
        rule,
        st.sampled_from(["a", "b", "c", "d"]),
        CHECKS,
        when_unknown=st.sampled_from(list(WhenUnknown)),
    ),
    max_size=4,
    unique_by=lambda one: one.name,
)
OUTCOMES = st.dictionaries(
    st.sampled_from(["a", "b", "c", "d"]),
    st.builds(
        GateOutcome,
        name=st.just("x"),
        passed=st.sampled_from([True, False, None]),
        reason=st.just("because"),
    ),
)


@given(RULES, OUTCOMES, st.booleans(), st.booleans(), st.sets(st.sampled_from(["a", "b", "order"])))
def test_every_gate_has_a_verdict_with_a_reason_whatever_is_closed(
    gates: list[object],
    outcomes: dict[str, GateOutcome],
    hotfix: bool,
    ready: bool,
    skips: set[str],
) -> None:
    rules = StepRules(gates=tuple(gates), skips=tuple(sorted(skips)))
    source = facts().source.model_copy(update={"ready": ready})
    told = evaluate(case(request(hotfix=hotfix), rules=rules, outcomes=outcomes, source=source))
    assert len(told) == len(ALWAYS) + len(gates)
    assert all(one.reason for one in told)
    skipped = {one.name for one in told if one.state is GateState.SKIPPED}
    assert skipped <= (skips if hotfix else set())


@given(RULES, OUTCOMES)
def test_a_hotfix_never_closes_a_gate_that_was_open(
    gates: list[object], outcomes: dict[str, GateOutcome]
) -> None:
    rules = StepRules(gates=tuple(gates), skips=("a", "b"))
    plain = evaluate(case(rules=rules, outcomes=outcomes))
    quick = evaluate(case(request(hotfix=True), rules=rules, outcomes=outcomes))
    for before, after in zip(plain, quick, strict=True):
        assert after.is_open or after.state is before.state
        assert not before.is_open or after.is_open


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"source": PlaceFacts(environment="dev"), "artifact": None}, "nothing runs in dev"),
        ({"sources": ()}, "pipeline standard has no way to staging"),
    ],
    ids=["nothing runs", "no way"],
)
def test_what_leads_nowhere_is_out_of_order_and_says_why(changes: dict[str, Any], why: str) -> None:
    verdict = evaluate(case(**changes))[0]
    assert verdict.state is not GateState.OPEN
    assert verdict.reason == why
