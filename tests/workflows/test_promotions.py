from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from domain.deliveries import (
    ApprovalOutcome,
    ApprovalRule,
    ClosedBy,
    FreezeVerdict,
)
from domain.deliveries.freezes import LiftedBy
from domain.deliveries.promotions import (
    Confirmation,
    GateRule,
    GateState,
    Promotion,
    StepRules,
)
from domain.deliveries.standings import Hold, Pin, StandingChange
from domain.errors import Denied, RolloutFailed, VerificationFailed
from domain.phases import Phase
from domain.policies.promotion.rollback import KnownRelease
from domain.records import FactResult, LeadTime
from domain.resources.gates import GateCheck
from domain.resources.pipeline import OnFailure
from tests.workflows.building import until
from tests.workflows.conftest import World, a_release, workers
from tests.workflows.promoting import Line
from workflows.promotions.starting import confirm_gate, plan_promotion, stir_promotion

pytestmark = pytest.mark.workflows
APPROVAL = StepRules(approval=ApprovalRule())


async def failure(handle: Any) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    cause = failed.value.cause
    assert isinstance(cause, ApplicationError), cause
    return cause


async def told(handle: Any) -> Promotion:
    found: Promotion = await handle.query("promotion", result_type=Promotion)
    return found


async def never(_: Any) -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.05)


async def test_what_is_open_is_deployed_and_remembered_as_passed_and_verified(
    line: Line, world: World
) -> None:
    promotion = await (await line.promote()).result()

    assert (promotion.phase, promotion.release) == (Phase.SUCCEEDED, "web-web-a")
    assert world.last("prepare_release").artifact == "web-a"
    (passed,) = (await line.standing()).passes
    assert (passed.release, passed.hash, passed.by) == ("web-web-a", "hash of web-web-a", "dev")
    assert passed.verified is not None


async def test_the_pass_is_there_before_the_deployment_is_asked_for(line: Line) -> None:
    await (await line.promote()).result()

    effects = [name for name in line.names() if name != "read_promotion"]
    assert effects == ["change_standing", "ask_deployment", "change_standing"]


async def test_a_closed_gate_denies_with_all_verdicts_and_nothing_is_done(
    line: Line, world: World
) -> None:
    scan = GateRule(name="scan", check=GateCheck.SCAN)
    line.rules = StepRules(gates=(scan,))
    line.source = line.source.model_copy(update={"ready": False})
    handle = await line.promote()

    cause = await failure(handle)

    assert cause.type == Denied.__name__
    assert "source-healthy" in cause.message
    assert "scan: unknown" in cause.message
    ended = await told(handle)
    assert (ended.phase, len(ended.gates)) == (Phase.DENIED, 7)
    assert world.names() == []
    assert (await line.standing()).is_empty


async def test_what_runs_there_already_is_not_brought_again(line: Line, world: World) -> None:
    line.target = line.target.model_copy(update={"release": "web-web-a", "artifact": "web-a"})

    promotion = await (await line.promote()).result()

    assert "runs in staging already" in promotion.message
    assert world.names() == []


async def test_tests_webhooks_and_people_are_asked_and_their_words_are_evidence(
    temporal: Client, line: Line
) -> None:
    line.rules = StepRules(
        gates=(
            GateRule(
                name="smoke",
                check=GateCheck.TESTS,
                template="smoke",
                cluster_scope=True,
                parameters={"depth": "2"},
            ),
            GateRule(name="board", check=GateCheck.WEBHOOK, url="https://board.example"),
            GateRule(name="look", check=GateCheck.MANUAL),
        )
    )
    handle = await line.promote()
    await line.waits_for(handle, "gates")

    word = Confirmation(gate="look", note="fine", by="ada")
    await confirm_gate(temporal, line.organization, "web", "staging", word)
    promotion = await handle.result()

    verdicts = {one.name: one for one in promotion.gates}
    assert all(one.is_open for one in promotion.gates)
    assert verdicts["smoke"].evidence["report"] == "..."
    assert verdicts["look"].evidence["by"] == "ada"
    told = {one.message: one for one in line.facts if one.action == "gate.passed"}
    assert set(told) == {"gate smoke: ...", "gate board", "gate look"}
    assert (told["gate look"].actor, told["gate look"].reason) == ("ada", "fine")
    assert told["gate smoke: ..."].after_hash == f"hash of {promotion.release}"
    (run,) = [one for name, one in line.calls if name == "run_gate_tests"]
    assert (run.template, run.cluster_scope, run.parameters) == ("smoke", True, {"depth": "2"})
    assert [name for name in line.names() if name.startswith(("run", "call"))] == [
        "run_gate_tests",
        "call_gate",
    ]


async def test_a_system_that_does_not_answer_a_gate_holds_up_nobody_else(
    own_temporal: Client, world: World, organization: str
) -> None:
    line = Line(own_temporal, organization)
    line.rules = StepRules(
        gates=(GateRule(name="board", check=GateCheck.WEBHOOK, url="https://board.example"),)
    )
    line.board.clear()
    async with workers(own_temporal, world, line, hands=1):
        slow = await line.promote()
        await until(lambda: "call_gate" in line.names())
        line.rules = StepRules()

        other = await line.promote("two", component="api")
        assert (await other.result()).phase is Phase.SUCCEEDED

        assert (await told(slow)).phase is Phase.RUNNING
        line.board.set()
        assert (await slow.result()).phase is Phase.SUCCEEDED


async def test_a_person_cannot_open_a_gate_that_waits_for_nobody(
    temporal: Client, line: Line
) -> None:
    line.rules = StepRules(soak_seconds=86_400)
    handle = await line.promote()
    await line.waits_for(handle, "gates")

    with pytest.raises(Exception, match="Workflow update failed"):
        await confirm_gate(
            temporal, line.organization, "web", "staging", Confirmation(gate="source-soaked")
        )
    await handle.cancel()


async def test_failed_tests_deny(line: Line) -> None:
    line.tests_pass = False
    line.rules = StepRules(gates=(GateRule(name="smoke", check=GateCheck.TESTS),))

    assert "smoke: 3 tests" in (await failure(await line.promote())).message


async def test_a_soak_is_waited_for_and_the_facts_are_read_again(
    skipping: Client, world: World, organization: str
) -> None:
    line = Line(skipping, organization)
    line.rules = StepRules(soak_seconds=7_200)
    line.source = line.source.model_copy(update={"since": datetime.now(UTC)})
    async with workers(skipping, world, line):
        handle = await line.promote()
        promotion = await handle.result()
        description = await handle.describe()

    assert promotion.phase is Phase.SUCCEEDED
    assert line.names().count("read_promotion") == 2
    assert description.close_time is not None
    assert description.execution_time is not None
    assert description.close_time - description.execution_time >= timedelta(hours=2)
    soaked = world.last("record_deployment").lead_time.soak
    assert soaked is not None
    assert soaked > 7_000


async def test_a_gate_that_never_opens_ends_the_promotion_after_a_month(
    skipping: Client, world: World, organization: str
) -> None:
    line = Line(skipping, organization)
    line.rules = StepRules(gates=(GateRule(name="look", check=GateCheck.MANUAL),))
    async with workers(skipping, world, line):
        cause = await failure(await line.promote())

    assert "not open within 30 days" in cause.message


async def test_a_hold_keeps_automation_waiting_until_it_is_lifted(
    temporal: Client, line: Line
) -> None:
    place = {"organization": line.organization, "component": "web", "environment": "staging"}
    now = datetime.now(UTC)
    held = StandingChange(**place, key="h", at=now, hold=Hold(reason="sale", since=now))
    await line.change_standing(held)
    handle = await line.promote(automatic=True)
    status = await line.waits_for(handle, "gates")
    assert status.waiting_for is not None
    assert "pavane hold lift web staging" in status.waiting_for.who

    await line.change_standing(StandingChange(**place, key="l", at=now, lift_hold=True))
    assert await stir_promotion(temporal, line.organization, "web", "staging")

    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_a_pin_keeps_a_person_waiting_until_it_is_lifted(
    temporal: Client, line: Line, world: World
) -> None:
    place = {"organization": line.organization, "component": "web", "environment": "staging"}
    now = datetime.now(UTC)
    pin = Pin(artifact="web-0", reason="an audit", since=now)
    await line.change_standing(StandingChange(**place, key="p", at=now, pin=pin))
    handle = await line.promote()
    status = await line.waits_for(handle, "gates")
    assert status.waiting_for is not None
    assert status.waiting_for.what == "pin: pinned to web-0: an audit"
    assert world.names() == []

    await line.change_standing(StandingChange(**place, key="u", at=now, lift_pin=True))
    assert await stir_promotion(temporal, line.organization, "web", "staging")

    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_nothing_passes_before_people_agreed(line: Line, world: World) -> None:
    line.rules = APPROVAL
    handle = await line.promote()
    approval = await line.approval()
    await line.waits_for(handle, "approval")
    assert (await line.standing()).is_empty
    assert world.names() == []

    await approval.signal("decided", ApprovalOutcome.APPROVED)

    assert (await handle.result()).phase is Phase.SUCCEEDED


@pytest.mark.parametrize("outcome", [ApprovalOutcome.REJECTED, ApprovalOutcome.EXPIRED])
async def test_a_no_or_silence_denies(line: Line, world: World, outcome: ApprovalOutcome) -> None:
    line.rules = APPROVAL
    handle = await line.promote()
    await (await line.approval()).signal("decided", outcome)

    assert (await failure(handle)).type == Denied.__name__
    assert world.names() == []


async def test_what_was_agreed_to_counts_for_nothing_else(line: Line, world: World) -> None:
    line.rules = APPROVAL
    handle = await line.promote()
    approval = await line.approval()
    first = await approval.query("asked")
    line.release = "web-other"  # the configuration is changed at the last moment

    await approval.signal("decided", ApprovalOutcome.APPROVED)
    await line.approval_of(lambda asked: asked["facts"] != first["facts"])

    assert world.names() == []
    await handle.cancel()


async def test_those_who_decide_are_told_when_it_is_about_something_else(
    temporal: Client, line: Line
) -> None:
    line.rules = APPROVAL
    handle = await line.promote()
    await line.approval()
    line.release = "web-other"

    await stir_promotion(temporal, line.organization, "web", "staging")
    await line.approval_of(lambda asked: "hash of web-other" in str(asked))
    await handle.cancel()


async def test_a_rule_that_is_taken_away_while_people_are_asked_lets_it_go_on(
    temporal: Client, line: Line
) -> None:
    line.rules = APPROVAL
    handle = await line.promote()
    await line.approval()
    line.rules = StepRules()

    await stir_promotion(temporal, line.organization, "web", "staging")

    promotion = await handle.result()
    assert (promotion.phase, promotion.approved_by) == (Phase.SUCCEEDED, ())


async def test_a_freeze_that_begins_while_people_are_asked_is_waited_for(
    line: Line, world: World
) -> None:
    line.rules = APPROVAL
    handle = await line.promote()
    approval = await line.approval()
    until = datetime.now(UTC) + timedelta(days=2)
    shut = ClosedBy(window="weekend", reason="nobody is on call", until=until)
    line.freeze = FreezeVerdict(at=datetime.now(UTC), closed_by=(shut,), until=until)
    await approval.signal("decided", ApprovalOutcome.APPROVED)
    status = await line.waits_for(handle, "freeze")
    assert status.waiting_for is not None
    assert status.waiting_for.who == "admin with `pavane freeze override weekend`"
    assert status.waiting_for.until == until
    assert world.names() == []

    by = LiftedBy(window="weekend", by="ada", reason="the shop is down")
    line.freeze = FreezeVerdict(at=datetime.now(UTC), overridden=("weekend",), lifted=(by,))
    await handle.signal("freezes_changed")

    assert (await handle.result()).phase is Phase.SUCCEEDED
    told_of = [one for one in line.facts if one.action == "freeze.overridden"]
    assert [(one.actor, one.reason) for one in told_of] == [("ada", "the shop is down")]
    lead: LeadTime = world.last("record_deployment").lead_time
    assert lead.approval is not None
    assert lead.freeze is not None
    assert lead.soak is None
    assert lead.apply is not None
    assert min(lead.approval, lead.freeze) > 0


async def test_a_hotfix_leaves_out_the_approval_where_the_pipeline_says_so(line: Line) -> None:
    line.rules = APPROVAL.model_copy(update={"skips": ("approval",)})

    promotion = await (await line.promote(hotfix=True, reason="down")).result()

    assert promotion.hotfix
    assert (await line.standing()).passes[0].hotfix


async def test_a_newer_request_takes_the_place_of_one_that_waits(line: Line) -> None:
    line.rules = APPROVAL
    handle = await line.promote("one", artifact="web-a")
    await line.approval()
    line.rules = StepRules()
    line.source = line.source.model_copy(update={"artifact": "web-b"})
    line.release = ""

    await line.promote("two", artifact="web-b")
    promotion = await handle.result()

    assert (promotion.request_id, promotion.artifact) == ("two", "web-b")
    assert [one.artifact for one in (await line.standing()).passes] == ["web-b"]


async def test_the_same_asked_twice_is_one_promotion(line: Line, world: World) -> None:
    line.rules = APPROVAL
    handle = await line.promote("one")
    approval = await line.approval()
    await line.promote("one")
    await line.promote("again")
    await approval.signal("decided", ApprovalOutcome.APPROVED)

    await handle.result()

    assert world.names().count("prepare_release") == 1


async def test_a_rollout_that_fails_is_taken_back_and_leaves_hold_and_veto(
    line: Line, world: World
) -> None:
    async def crash(request: Any) -> None:
        if request.bundle.release == "web-web-a":
            raise RolloutFailed("pod crashes", facts={"reason": "CrashLoopBackOff"})

    world.behaviours["follow_rollout"] = crash
    handle = await line.promote()

    cause = await failure(handle)

    assert (cause.type, cause.message) == ("RolloutFailed", "pod crashes")
    standing = await line.standing()
    assert standing.passes == ()
    assert [one.artifact for one in standing.vetoes] == ["web-a"]
    assert standing.hold is not None
    ended = await told(handle)
    assert "pointed the binding back" in ended.undone
    assert "took back the pass" in ended.undone


async def test_a_failed_rollout_leaves_no_hold_where_a_person_decides(
    line: Line, world: World
) -> None:
    async def crash(request: Any) -> None:
        if request.bundle.release == "web-web-a":
            raise RolloutFailed("pod crashes")

    world.behaviours["follow_rollout"] = crash
    line.rules = StepRules(on_failure=OnFailure.KEEP)

    await failure(await line.promote())

    assert (await line.standing()).is_empty


async def test_what_is_stale_at_the_last_moment_goes_through_the_gates_again(
    line: Line, world: World
) -> None:
    tries: list[Any] = []

    async def refuse_once(request: Any) -> Any:
        tries.append(request)
        if len(tries) == 1:
            raise Denied("another configuration", facts={"reason": "GateClosed"})
        return a_release(request)

    world.behaviours["prepare_release"] = refuse_once

    promotion = await (await line.promote()).result()

    assert promotion.phase is Phase.SUCCEEDED
    assert line.names().count("read_promotion") == 2


async def test_lost_health_during_the_watch_is_rolled_back(line: Line, world: World) -> None:
    line.rules = StepRules(watch_seconds=60)
    line.health.clear()
    line.fails = VerificationFailed("it lost its health", facts={"reason": "Unhealthy"})
    line.running = "web-web-a"
    line.known = (KnownRelease(name="web-old", artifact="web-0", since=datetime.now(UTC)),)
    handle = await line.promote()

    cause = await failure(handle)

    assert (cause.type, "rolled back to web-old" in cause.message) == ("VerificationFailed", True)
    assert world.last("prepare_release").rollback == "web-old"
    standing = await line.standing()
    assert standing.passes == ()
    assert standing.hold is not None
    assert [(one.bad, one.to, one.automatic) for one in standing.rollbacks] == [
        ("web-web-a", "web-old", True)
    ]


async def test_lost_health_is_left_to_a_person_where_the_pipeline_says_so(
    line: Line, world: World
) -> None:
    line.rules = StepRules(watch_seconds=60, on_failure=OnFailure.KEEP)
    line.health.clear()
    line.fails = VerificationFailed("it lost its health")

    cause = await failure(await line.promote())

    assert "it is left as it is" in cause.message
    assert world.names().count("prepare_release") == 1


@pytest.mark.parametrize("step", ["gates", "approval", "deploy"])
async def test_a_cancel_at_any_step_leaves_the_place_as_it_was(
    line: Line, world: World, step: str
) -> None:
    if step == "gates":
        line.rules = StepRules(gates=(GateRule(name="look", check=GateCheck.MANUAL),))
    elif step == "approval":
        line.rules = APPROVAL
    else:

        async def hold(request: Any) -> None:
            if request.bundle.release == "web-web-a":
                await never(request)

        world.behaviours["follow_rollout"] = hold
    handle = await line.promote()
    await line.waits_for(handle, step)
    if step == "deploy":  # far enough that there is something to undo
        await until(lambda: "follow_rollout" in world.names())

    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, CancelledError)
    assert (await line.standing()).is_empty
    ended = await told(handle)
    assert ended.phase is Phase.CANCELLED
    assert [one.action for one in line.facts][-1] == "promotion.cancelled"
    if step == "deploy":
        assert world.last("apply_release").bundle.release == "web-old"
        assert ended.undone[0] == "stopped the deployment"


async def test_a_cancel_of_the_watch_leaves_what_does_well_and_says_so(
    line: Line, world: World
) -> None:
    line.rules = StepRules(watch_seconds=600)
    line.health.clear()
    handle = await line.promote()
    await line.waits_for(handle, "verify")

    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, CancelledError)
    assert world.names().count("prepare_release") == 1
    (passed,) = (await line.standing()).passes
    assert (passed.release, passed.verified) == ("web-web-a", None)
    ended = await told(handle)
    assert (ended.phase, ended.undone) == (Phase.CANCELLED, ())
    assert "web-web-a stays in staging and is watched no more" in ended.message
    last = line.facts[-1]
    assert (last.action, last.result, last.message) == (
        "promotion.cancelled",
        FactResult.UNDONE,
        ended.message,
    )


async def test_what_never_began_is_written_down_too(line: Line, world: World) -> None:
    async def hold(request: Any) -> None:
        if request.bundle.release == "web-web-a":
            await never(request)

    world.behaviours["follow_rollout"] = hold
    handle = await line.promote("one")
    await line.waits_for(handle, "deploy")
    await line.promote("two", artifact="web-b")
    await line.promote("three", artifact="web-c")
    await line.queued(handle, "three")

    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    never_began = [(one.action, one.after) for one in line.facts if "began" in one.message]
    assert never_began == [("promotion.superseded", "web-b"), ("promotion.cancelled", "web-c")]


async def test_it_waits_for_its_time_with_all_else_done_and_is_looked_at_anew_then(
    line: Line, world: World
) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=2)
    handle = await line.promote(not_before=soon)
    status = await line.waits_for(handle, "time")
    assert status.waiting_for is not None
    assert status.waiting_for.until == soon
    assert world.names() == []
    line.source = line.source.model_copy(update={"ready": False})

    cause = await failure(handle)

    assert "source-healthy" in cause.message
    assert world.names() == []


async def test_what_is_not_let_through_in_time_is_given_up_with_its_question(line: Line) -> None:
    line.rules = APPROVAL
    handle = await line.promote(expires=datetime.now(UTC) + timedelta(seconds=2))
    approval = await line.approval()

    cause = await failure(handle)

    assert (cause.type, "it was not let through by" in cause.message) == ("Denied", True)
    with pytest.raises(WorkflowFailureError) as asked:
        await approval.result()
    assert isinstance(asked.value.cause, CancelledError)


async def test_a_plan_judges_the_same_and_does_nothing(temporal: Client, line: Line) -> None:
    line.rules = APPROVAL.model_copy(
        update={"gates": (GateRule(name="smoke", check=GateCheck.TESTS),)}
    )

    plan = await plan_promotion(temporal, line.request())

    assert line.names() == ["read_promotion"]
    assert {one.name: one.state for one in plan.gates}["smoke"] is GateState.PENDING
    assert plan.approvals == (
        "1 person of anyone who may approve in staging",
        "not dev, who asks",
    )
    assert (await line.standing()).is_empty
