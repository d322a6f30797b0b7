"""A watch that takes long holds up no newer promotion, and sees what happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle, WorkflowUpdateFailedError

from domain.deliveries import ApprovalOutcome, DeployRequest
from domain.deliveries.promotions import Confirmation, Promotion, StepRules
from domain.errors import Errored, VerificationFailed
from domain.phases import Phase
from domain.policies.promotion.rollback import KnownRelease
from domain.resources.pipeline import OnFailure
from tests.workflows.conftest import World
from tests.workflows.promoting import Line
from tests.workflows.test_freezes_in_progress import frozen, waits_for
from tests.workflows.test_promotions import APPROVAL, failure
from workflows.promotions.starting import confirm_gate, stir_promotion

pytestmark = pytest.mark.workflows


async def watched(line: Line, **rules: Any) -> WorkflowHandle[Any, Promotion]:
    """Returns the promotion of ``web-a`` once it is watched, for long."""
    line.rules = StepRules(watch_seconds=86_400, **rules)
    line.health.clear()
    handle = await line.promote("one", artifact="web-a")
    await line.waits_for(handle, "verify")
    line.source = line.source.model_copy(update={"artifact": "web-b"})
    line.release = ""
    return handle


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(90):
        while not holds():  # noqa: ASYNC110 - what the workers do has no event
            await asyncio.sleep(0.05)


async def has(handle: WorkflowHandle[Any, Any], kind: EventType.ValueType, times: int = 1) -> None:
    """Returns once a history holds so many events of a kind."""
    async with asyncio.timeout(90):
        while True:
            events = (await handle.fetch_history()).events
            if sum(one.event_type == kind for one in events) >= times:
                return
            await asyncio.sleep(0.05)


def prepared(world: World) -> list[DeployRequest]:
    return [asked for name, asked in world.calls if name == "prepare_release"]


async def test_the_next_one_is_let_through_and_ends_the_watch(line: Line, world: World) -> None:
    handle = await watched(line)
    line.rules = StepRules()

    await line.promote("two", artifact="web-b")
    promotion = await handle.result()

    assert (promotion.request_id, promotion.phase) == ("two", Phase.SUCCEEDED)
    assert world.last("prepare_release").artifact == "web-b"
    verified = {one.artifact: one.verified is not None for one in (await line.standing()).passes}
    assert verified == {"web-a": False, "web-b": True}
    assert line.told().count("promotion.watch-ended") == 1
    assert line.told().count("promotion.succeeded") == 2


async def test_health_that_is_lost_while_the_next_one_is_asked_about_is_rolled_back(
    line: Line, world: World
) -> None:
    handle = await watched(line)
    line.rules = APPROVAL
    await line.promote("two", artifact="web-b")
    await line.waits_for(handle, "approval")
    line.running = "web-web-a"
    line.known = (KnownRelease(name="web-old", artifact="web-0", since=datetime.now(UTC)),)

    line.fails = VerificationFailed("it lost its health", facts={"reason": "Unhealthy"})

    await eventually(lambda: any(one.rollback == "web-old" for one in prepared(world)))
    standing = await line.standing()
    assert [(one.bad, one.to, one.automatic) for one in standing.rollbacks] == [
        ("web-web-a", "web-old", True)
    ]
    assert [one.artifact for one in standing.vetoes] == ["web-a"]
    await line.waits_for(handle, "approval")
    await handle.cancel()


async def test_the_watch_goes_on_to_its_end_when_the_next_one_is_denied(line: Line) -> None:
    handle = await watched(line)
    line.problem = "a key is missing"
    await line.promote("two", artifact="web-b")
    await eventually(lambda: "promotion.denied" in line.told())
    assert not any(one.verified for one in (await line.standing()).passes)
    await stir_promotion(line.client, line.organization, "web", "staging")
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await confirm_gate(
            line.client, line.organization, "web", "staging", Confirmation(gate="look")
        )
    assert "no promotion waits here" in str(refused.value.cause)

    line.health.set()

    assert "a key is missing" in (await failure(handle)).message
    (passed,) = (await line.standing()).passes
    assert (passed.artifact, passed.verified is not None) == ("web-a", True)


@pytest.mark.parametrize(
    ("on_failure", "lost"),
    [
        (OnFailure.KEEP, VerificationFailed("it lost its health", facts={"reason": "Unhealthy"})),
        (OnFailure.ROLLBACK, Errored("what measures health does not let the platform in")),
    ],
)
async def test_a_watch_that_ends_badly_without_a_reason_to_go_back_leaves_the_next_one_its_way(
    line: Line, world: World, on_failure: OnFailure, lost: Exception
) -> None:
    handle = await watched(line, on_failure=on_failure)
    line.rules = APPROVAL
    await line.promote("two", artifact="web-b")
    await line.waits_for(handle, "approval")
    line.fails = lost
    await has(handle, EventType.EVENT_TYPE_ACTIVITY_TASK_FAILED)

    await (await line.approval()).signal("decided", ApprovalOutcome.APPROVED)
    promotion = await handle.result()

    assert (promotion.request_id, promotion.phase) == ("two", Phase.SUCCEEDED)
    assert not any(one.rollback for one in prepared(world))
    assert (await line.standing()).rollbacks == ()
    assert "promotion.watch-ended" not in line.told()


async def test_the_same_image_let_through_while_it_is_rolled_back_meets_the_veto_of_that(
    line: Line, world: World
) -> None:
    comes_back = asyncio.Event()

    async def prepare(request: DeployRequest) -> None:
        if request.rollback:
            await comes_back.wait()

    world.behaviours["prepare_release"] = prepare
    handle = await watched(line)
    line.rules = APPROVAL
    await line.promote("two", artifact="web-b")
    await line.waits_for(handle, "approval")
    line.running = "web-web-a"
    line.known = (KnownRelease(name="web-old", artifact="web-0", since=datetime.now(UTC)),)
    line.fails = VerificationFailed("it lost its health", facts={"reason": "Unhealthy"})
    await eventually(lambda: any(one.rollback == "web-old" for one in prepared(world)))

    line.rules = StepRules()  # nobody needs to agree any more
    await stir_promotion(line.client, line.organization, "web", "staging")
    await has(handle, EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED, 2)
    comes_back.set()
    cause = await failure(handle)

    assert cause.type == "Denied"
    assert "web-a is vetoed here: rolled back: it lost its health" in cause.message
    assert [one.rollback or one.artifact for one in prepared(world)] == ["web-a", "web-old"]


async def test_a_carried_watch_is_put_back_for_a_freeze_and_comes_again_when_nothing_newer_came(
    line: Line, world: World
) -> None:
    line.known = (KnownRelease(name="web-old", artifact="web-0", since=datetime.now(UTC)),)
    handle = await watched(line)
    line.problem = "a key is missing"
    await line.promote("two", artifact="web-b")
    await eventually(lambda: "promotion.denied" in line.told())
    line.problem = ""
    line.source = line.source.model_copy(update={"artifact": "web-a"})
    line.release = "web-web-a"
    line.freeze = frozen("Revert")

    await handle.signal("freezes_changed")

    await eventually(lambda: any(one.rollback == "web-old" for one in prepared(world)))
    status = await waits_for(handle, "freeze weekend: off call")
    assert status.phase is Phase.RUNNING
    standing = await line.standing()
    assert (standing.hold, standing.vetoes, standing.passes) == (None, (), ())
    line.freeze = None
    line.health.set()
    await handle.signal("freezes_changed")
    promotion = await handle.result()
    assert (promotion.artifact, promotion.phase) == ("web-a", Phase.SUCCEEDED)
    assert line.told().count("freeze.reverted") == 1
    assert [one.verified is not None for one in (await line.standing()).passes] == [True]


async def test_a_carried_watch_that_a_freeze_put_back_gives_way_to_what_came_meanwhile(
    line: Line, world: World
) -> None:
    line.known = (KnownRelease(name="web-old", artifact="web-0", since=datetime.now(UTC)),)
    handle = await watched(line)
    line.rules = APPROVAL
    await line.promote("two", artifact="web-b")
    approval = await line.approval()
    await line.waits_for(handle, "approval")
    line.freeze = frozen("Revert")
    await handle.signal("freezes_changed")
    await eventually(lambda: any(one.rollback == "web-old" for one in prepared(world)))
    await approval.signal("decided", "approved")
    await waits_for(handle, "freeze weekend: off call")
    line.rules, line.freeze = StepRules(), None

    await handle.signal("freezes_changed")

    promotion = await handle.result()
    assert (promotion.artifact, promotion.phase) == ("web-b", Phase.SUCCEEDED)
    assert [one.artifact for one in prepared(world) if not one.rollback] == ["web-a", "web-b"]


async def test_a_carried_watch_whose_time_is_up_in_a_freeze_that_holds_is_verified_afterwards(
    line: Line,
) -> None:
    handle = await watched(line)
    line.problem = "a key is missing"
    await line.promote("two", artifact="web-b")
    await eventually(lambda: "promotion.denied" in line.told())
    line.freeze = frozen("Hold")

    line.health.set()

    await waits_for(handle, "the end of the watch of web-web-a: freeze weekend: off call")
    assert not any(one.verified for one in (await line.standing()).passes)
    line.freeze = None
    await handle.signal("freezes_changed")
    assert "a key is missing" in (await failure(handle)).message
    (passed,) = (await line.standing()).passes
    assert (passed.artifact, passed.verified is not None) == ("web-a", True)


async def test_a_carried_watch_that_a_freeze_holds_gives_way_to_what_is_let_through(
    line: Line, world: World
) -> None:
    handle = await watched(line)
    line.rules = APPROVAL
    await line.promote("two", artifact="web-b")
    approval = await line.approval()
    await line.waits_for(handle, "approval")
    events = (await handle.fetch_history()).events
    timers = sum(one.event_type == EventType.EVENT_TYPE_TIMER_STARTED for one in events)
    line.freeze = frozen("Hold")
    line.health.set()
    await has(handle, EventType.EVENT_TYPE_TIMER_STARTED, timers + 1)
    line.freeze = None

    await approval.signal("decided", ApprovalOutcome.APPROVED)

    promotion = await handle.result()
    assert (promotion.artifact, promotion.phase) == ("web-b", Phase.SUCCEEDED)
    verified = {one.artifact: one.verified is not None for one in (await line.standing()).passes}
    assert verified == {"web-a": False, "web-b": True}
    assert line.told().count("promotion.watch-ended") == 1
    assert world.last("prepare_release").artifact == "web-b"
