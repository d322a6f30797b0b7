from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from domain.deliveries import ApprovalRule, OperationStatus, Step, Waiting
from domain.deliveries.promotions import (
    ChangedObject,
    PlaceFacts,
    PromotionPlan,
    PromotionRequest,
    StepRules,
)
from domain.deliveries.standings import Hold
from domain.phases import StepPhase
from domain.policies.promotion.gates import evaluate
from domain.policies.promotion.plan import described_plan, plan, runs_already
from domain.policies.promotion.why import obstacles, stage_before
from domain.records.stops import Place, Stop
from domain.resources.gates import GateCheck
from tests.unit.promotion.cases import NOW, case, facts, request, rule, standing

pytestmark = pytest.mark.unit
TWO = ApprovalRule(quorum=2, groups=("dev", "ops"), required_groups=("sre",))


def planned(asked: PromotionRequest | None = None, **changes: Any) -> PromotionPlan:
    judged = case(asked, **changes)
    return plan(judged.request, judged.facts, evaluate(judged))


def test_a_plan_names_who_must_agree_and_what_is_waited_for() -> None:
    rules = StepRules(
        approval=TWO,
        soak_seconds=7200,
        watch_seconds=60,
        gates=(rule("smoke", GateCheck.TESTS), rule("look", GateCheck.MANUAL)),
    )
    made = planned(rules=rules)
    assert made.approvals == (
        "2 people of dev or ops",
        "1 person of sre",
        "not dev, who asks",
    )
    assert made.waits == (
        "source-soaked: until 2026-11-24 13:00 UTC",
        "smoke: asked on the way",
        "look: until lifted",
        "watched for 60 s after it is ready",
    )


def test_a_hotfix_may_need_nobody() -> None:
    rules = StepRules(approval=TWO, skips=("approval",))
    assert planned(request(hotfix=True), rules=rules).approvals == (
        "nobody: a hotfix leaves it out",
    )


def test_a_step_without_approval_needs_nobody() -> None:
    assert planned().approvals == ()
    own = ApprovalRule(allow_requester=True)
    assert planned(rules=StepRules(approval=own)).approvals == (
        "1 person of anyone who may approve in staging",
    )


def test_what_runs_exactly_so_already_is_nothing_to_do() -> None:
    there = PlaceFacts(environment="staging", release="web-staging-1", ready=True)
    assert runs_already(facts(target=there))
    assert not runs_already(facts(target=there.model_copy(update={"ready": False})))
    assert not runs_already(facts(target=there, release=""))


def test_a_long_list_of_changes_is_cut_for_those_who_decide() -> None:
    changes = tuple(ChangedObject(name=f"Service/{n}", change="added") for n in range(25))
    told = described_plan(facts(changes=changes))
    assert "- and 5 more objects" in told
    assert "nothing changes" in described_plan(facts(artifact=None))


def test_the_hash_is_of_the_objects_and_of_the_rules() -> None:
    assert facts().bound != facts(hash="other").bound
    assert facts().bound != facts(rules=StepRules(watch_seconds=1)).bound
    assert facts().bound == facts(at=NOW + timedelta(days=1)).bound


def whats(made: PromotionPlan, running: OperationStatus | None = None) -> list[str]:
    return [one.what for one in obstacles(made, running)]


def test_everything_that_stands_between_is_listed_and_not_the_first_alone() -> None:
    rules = StepRules(approval=TWO, gates=(rule("scan", GateCheck.SCAN),))
    broken = facts().source.model_copy(update={"ready": False})
    made = planned(rules=rules, source=broken, problem="no such class")
    assert whats(made) == [
        "gate source-healthy",
        "gate scan",
        "rendering",
        "promotion",
        "approval",
    ]


def test_a_promotion_that_waits_says_for_what_and_who_can_end_it() -> None:
    waiting = Waiting(what="2 approvals", since=NOW, until=NOW + timedelta(days=1), who="sre")
    steps = (Step(name="approval", phase=StepPhase.RUNNING),)
    (one,) = obstacles(planned(), OperationStatus(steps=steps, waiting_for=waiting))
    assert (one.what, one.who, one.since) == ("approval", "sre", NOW)
    assert one.reason == "waiting for 2 approvals"


def test_what_is_under_way_is_not_there_although_nothing_is_waited_for() -> None:
    waiting = Waiting(what="a gate that has opened by now", since=NOW, who="ops")
    gates = (Step(name="gates", phase=StepPhase.RUNNING),)
    running = OperationStatus(summary="promote web", steps=gates, waiting_for=waiting)
    (one,) = obstacles(planned(), running)
    assert (one.what, one.reason) == ("promotion", "under way: promote web")


def test_what_its_deployment_would_be_refused_for_is_told_before_anybody_asks() -> None:
    made = planned(refused="web does not fit into staging")
    told = {one.what: one.reason for one in obstacles(made, None)}
    assert told["limits"] == "web does not fit into staging"


def test_an_artifact_must_come_to_the_environment_before_first() -> None:
    assert not stage_before(planned())
    other = facts().source.model_copy(update={"artifact": "web-b"})
    assert stage_before(planned(source=other)) == "dev"
    assert not stage_before(planned(source=other, artifact=None))


def test_another_version_in_the_first_environment_is_told() -> None:
    runs = PlaceFacts(environment="dev", artifact="web-b", ready=True, since=NOW)
    (one,) = obstacles(planned(environment="dev", target=runs), None)
    assert (one.what, one.reason) == ("deployment", "dev runs web-b")
    assert one.who.endswith("pavane deploy web -e dev -a web-a")
    assert not obstacles(planned(environment="dev", target=runs, artifact=None), None)


def test_what_comes_later_on_the_way_is_listed_before_it_is_come_to() -> None:
    steps = (
        Step(name="gates", phase=StepPhase.RUNNING),
        Step(name="approval", phase=StepPhase.WAITING),
    )
    soaking = planned(rules=StepRules(approval=TWO, soak_seconds=7200))
    told = obstacles(soaking, OperationStatus(steps=steps))
    assert [one.what for one in told] == ["gate source-soaked", "approval"]
    assert told[1].reason.startswith("needs 2 people of dev or ops; 1 person of sre")


def test_an_emergency_stop_and_what_the_queue_waits_for_are_told() -> None:
    place = Place(organization="acme", environment="staging")
    stop = Stop(place=place, actor="ann", reason="a fire", since=NOW)
    parked = Waiting(what="a person: the plane does not answer", since=NOW, who="ops")
    queue = OperationStatus(waiting_for=parked, queue=("two",))
    step = OperationStatus(steps=(Step(name="deploy", phase=StepPhase.RUNNING),))
    told = obstacles(planned(), step, queue, [stop])
    assert [(one.what, one.reason, one.who) for one in told] == [
        (
            "emergency stop",
            "environment staging of acme was stopped by ann: a fire",
            "who may administer environment staging of acme: pavane resume",
        ),
        ("deployment", "waiting for a person: the plane does not answer; 1 wait behind it", "ops"),
    ]


def test_what_is_being_rolled_out_in_the_first_environment_is_told_and_a_freeze_once() -> None:
    made = planned(environment="dev", target=PlaceFacts(environment="dev"))
    (one,) = obstacles(made, None, OperationStatus(summary="deploy web-a"))
    assert (one.what, one.reason) == ("deployment", "under way: deploy web-a")
    waiting = Waiting(what="freeze weekend: off call", since=NOW)
    frozen = OperationStatus(
        steps=(Step(name="freeze", phase=StepPhase.RUNNING),), waiting_for=waiting
    )
    assert not obstacles(made, None, frozen)


def test_nothing_stands_between_what_is_there() -> None:
    there = PlaceFacts(environment="staging", release="web-staging-1", ready=True)
    assert whats(planned(target=there)) == []


def test_an_automatic_step_waits_for_the_platform_not_for_a_person() -> None:
    (one,) = obstacles(planned(rules=StepRules(auto=True)), None)
    assert one.who == "the platform, once the source is ready"


def test_in_the_first_environment_no_promotion_stands_between() -> None:
    failed = PlaceFacts(environment="dev", reason="CrashLoopBackOff", message="boom", since=NOW)
    held = standing(hold=Hold(reason="rolled back", since=NOW))
    made = planned(environment="dev", target=failed, standing=held)
    told = obstacles(made, None)
    assert [one.what for one in told] == ["hold", "deployment"]
    assert told[1].reason == "CrashLoopBackOff: boom"
    ready = failed.model_copy(update={"ready": True})
    assert not obstacles(planned(environment="dev", target=ready), None)
