"""No sequence of calls, by whatever callers, gets objects into a gated place that did not pass."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from domain.deliveries.standings import Hold, Pin, Standing, StandingChange, Veto
from domain.policies.promotion.enforcement import Admission, Wish, admit, admit_rollback
from domain.policies.promotion.standing import changed
from tests.unit.promotion.cases import IMAGE, NOW, a_pass, pipeline, standing

pytestmark = pytest.mark.unit
LINE = pipeline(("dev", "staging"), ("staging", "production"))


def wish(**changes: Any) -> Wish:
    return Wish(
        **{
            "component": "web",
            "environment": "staging",
            "artifact": "web-a",
            "image": IMAGE,
            "release": "web-staging-1",
            "hash": "hash of web-staging-1",
            "changes": True,
            "by_person": False,
            **changes,
        }
    )


def judged(known: Standing | None = None, **changes: Any) -> Admission:
    return admit(wish(**changes), LINE, known or standing(), NOW)


@pytest.mark.parametrize("by_person", [True, False])
def test_what_did_not_pass_is_not_rolled_out_whoever_asks(by_person: bool) -> None:
    told = judged(by_person=by_person)
    assert (told.allowed, told.gate) == (False, "promotion")
    assert "pavane promote web staging" in told.message


def test_what_passed_is_rolled_out() -> None:
    assert judged(standing(passes=(a_pass(),))).allowed


def test_the_first_environment_is_open() -> None:
    assert judged(environment="dev").allowed


def test_the_same_artifact_with_another_configuration_did_not_pass() -> None:
    told = judged(standing(passes=(a_pass(),)), hash="of another configuration")
    assert (told.allowed, told.gate) == (False, "configuration")


def test_an_environment_outside_of_the_pipeline_is_closed() -> None:
    assert judged(environment="elsewhere").gate == "order"


def test_a_broken_pipeline_closes_everything_but_what_runs() -> None:
    circle = pipeline(("a", "b"), ("b", "a"))
    assert not admit(wish(environment="a"), circle, standing(), NOW).allowed
    assert admit(wish(environment="a", changes=False), circle, standing(), NOW).allowed


def test_what_runs_already_needs_no_pass() -> None:
    assert judged(changes=False).allowed


def test_a_veto_closes_although_it_passed() -> None:
    veto = Veto(artifact="web-a", image=IMAGE, reason="leaks", since=NOW)
    known = standing(passes=(a_pass(),), vetoes=(veto,))
    assert judged(known, by_person=True).gate == "veto"


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_a_hold_stops_edits_and_not_an_order_of_a_person(environment: str) -> None:
    known = standing(passes=(a_pass(),), hold=Hold(reason="rolled back", since=NOW))
    assert judged(known, environment=environment).gate == "hold"
    assert judged(known, environment=environment, by_person=True).allowed


def test_a_hold_that_ended_stops_nobody() -> None:
    ended = Hold(reason="sale", since=NOW - timedelta(days=2), until=NOW - timedelta(days=1))
    assert judged(standing(passes=(a_pass(),), hold=ended)).allowed


@pytest.mark.parametrize("environment", ["dev", "staging"])
@pytest.mark.parametrize("by_person", [True, False])
def test_a_pin_closes_to_all_but_its_artifact_rollbacks_and_a_hotfix_let_past_it(
    environment: str, by_person: bool
) -> None:
    pin = Pin(artifact="web-0", reason="an audit", since=NOW)
    known = standing(passes=(a_pass(),), pin=pin)
    asked = {"environment": environment, "by_person": by_person}
    told = judged(known, **asked)
    assert (told.gate, "pavane unpin web" in told.message) == ("pin", True)
    assert judged(known, **asked, changes=False).allowed
    itself = known.model_copy(update={"pin": pin.model_copy(update={"artifact": "web-a"})})
    assert judged(itself, **asked).allowed
    assert admit_rollback(wish(), LINE, known, is_intact=True).allowed
    hotfix = standing(passes=(a_pass(hotfix=True),), pin=pin)
    assert judged(hotfix, **asked).allowed
    later = pin.model_copy(update={"since": NOW + timedelta(hours=1)})
    assert judged(hotfix.model_copy(update={"pin": later}), **asked).gate == "pin"


def test_only_a_release_that_passed_is_brought_back() -> None:
    known = standing(passes=(a_pass(),))
    assert admit_rollback(wish(), LINE, known, is_intact=True).allowed
    assert not admit_rollback(wish(), LINE, known, is_intact=False).allowed
    assert not admit_rollback(wish(hash="other"), LINE, known, is_intact=True).allowed
    assert admit_rollback(wish(environment="dev"), LINE, standing(), is_intact=True).allowed


def test_a_change_that_is_sent_twice_counts_once() -> None:
    change = StandingChange(
        organization="acme",
        component="web",
        environment="staging",
        key="k",
        passed=a_pass(),
        at=NOW,
    )
    once = changed(standing(), change)
    revoked = changed(once, change.model_copy(update={"key": "r", "revoked": "web-staging-1"}))
    assert changed(once, change) == once
    assert changed(revoked, change) == revoked


ARTIFACTS = st.sampled_from(["web-a", "web-b", "web-c"])
CONFIGURATIONS = st.sampled_from(["x", "y"])


class Callers(RuleBasedStateMachine):
    """Edits, orders, promotions, vetoes and rollbacks in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.standing = standing()
        self.keys = 0
        self.approved: set[str] = set()
        """Hashes of objects that a promotion let pass and nobody took back."""
        self.runs = ""

    def change(self, **what: Any) -> None:
        self.keys += 1
        self.standing = changed(
            self.standing,
            StandingChange(
                organization="acme",
                component="web",
                environment="staging",
                key=str(self.keys),
                at=NOW,
                **what,
            ),
        )

    @rule(artifact=ARTIFACTS, configuration=CONFIGURATIONS, by_person=st.booleans())
    def ask(self, artifact: str, configuration: str, by_person: bool) -> None:
        objects = f"{artifact} {configuration}"
        told = judged(
            self.standing,
            artifact=artifact,
            image=artifact,
            release=objects,
            hash=objects,
            changes=objects != self.runs,
            by_person=by_person,
        )
        if told.allowed and objects != self.runs:
            assert objects in self.approved
            assert self.standing.pin is None or self.standing.pin.artifact == artifact
            self.runs = objects

    @rule(artifact=ARTIFACTS, configuration=CONFIGURATIONS)
    def promote(self, artifact: str, configuration: str) -> None:
        objects = f"{artifact} {configuration}"
        self.change(passed=a_pass(objects, hash=objects, artifact=artifact, image=artifact))
        self.approved.add(objects)

    @rule(artifact=ARTIFACTS, configuration=CONFIGURATIONS)
    def take_back(self, artifact: str, configuration: str) -> None:
        objects = f"{artifact} {configuration}"
        self.change(revoked=objects)
        self.approved.discard(objects)

    @rule(artifact=ARTIFACTS)
    def veto(self, artifact: str) -> None:
        self.change(veto=Veto(artifact=artifact, image=artifact, reason="bad", since=NOW))
        self.approved = {one for one in self.approved if not one.startswith(artifact)}

    @rule(artifact=ARTIFACTS)
    def pin(self, artifact: str) -> None:
        self.change(pin=Pin(artifact=artifact, reason="an audit", since=NOW))

    @rule()
    def unpin(self) -> None:
        self.change(lift_pin=True)

    @rule(artifact=ARTIFACTS)
    def lift(self, artifact: str) -> None:
        self.change(lift_veto=artifact)

    @rule(artifact=ARTIFACTS, configuration=CONFIGURATIONS, is_intact=st.booleans())
    def roll_back(self, artifact: str, configuration: str, is_intact: bool) -> None:
        objects = f"{artifact} {configuration}"
        asked = wish(artifact=artifact, image=artifact, release=objects, hash=objects)
        if admit_rollback(asked, LINE, self.standing, is_intact=is_intact).allowed:
            assert objects in self.approved
            assert is_intact
            self.runs = objects

    @invariant()
    def passes_are_what_was_approved(self) -> None:
        assert {one.hash for one in self.standing.passes} <= self.approved


TestCallers = Callers.TestCase
TestCallers.settings = settings(max_examples=100, stateful_step_count=30, deadline=None)
