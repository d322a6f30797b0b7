from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from domain.deliveries import (
    ClosedBy,
    DeployRequest,
    FreezeVerdict,
    OperationStatus,
    Trigger,
    TriggerKind,
)
from domain.deliveries.rollbacks import RollbackRequest
from domain.deliveries.standings import Pass, Standing, StandingChange
from domain.errors import DependencyUnavailable, Errored, RolloutFailed
from domain.phases import Phase
from domain.policies.promotion.rollback import KnownRelease
from tests.workflows.conftest import World, a_release
from tests.workflows.promoting import Line
from workflows.promotions.standings import TemporalStandings
from workflows.promotions.starting import start_rollback
from workflows.starting import signal_deployment

pytestmark = pytest.mark.workflows
NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def bad(line: Line) -> Line:
    """``web-a`` runs and is bad; ``web-old`` did well before."""
    line.running = "web-web-a"
    since = datetime.now(UTC) - timedelta(days=1)
    line.known = (KnownRelease(name="web-old", artifact="web-0", since=since),)
    return line


def request(line: Line, *, automatic: bool = False, **more: Any) -> RollbackRequest:
    kind = TriggerKind.AUTOMATIC if automatic else TriggerKind.API
    return RollbackRequest(
        organization=line.organization,
        component="web",
        environment="staging",
        request_id="one",
        reason="errors",
        trigger=Trigger(kind=kind, actor="ada"),
        **more,
    )


async def called(where: Line | World, name: str) -> None:
    """Returns once an activity was called."""
    while True:
        if name in where.names():
            return
        await asyncio.sleep(0.02)


async def test_the_last_good_release_comes_back_with_hold_and_veto(
    temporal: Client, bad: Line, world: World
) -> None:
    done = await (await start_rollback(temporal, request(bad))).result()

    assert (done.phase, done.release, done.bad) == (Phase.SUCCEEDED, "web-old", "web-web-a")
    order = world.last("prepare_release")
    assert (order.rollback, order.artifact) == ("web-old", "web-0")
    standing = await bad.standing()
    assert standing.hold is not None
    assert standing.hold.by == "ada"
    assert [one.artifact for one in standing.vetoes] == ["web-a"]


async def test_hold_and_veto_are_there_before_anything_is_rolled_out(
    temporal: Client, bad: Line
) -> None:
    await (await start_rollback(temporal, request(bad))).result()

    assert bad.names() == ["read_rollback", "change_standing", "ask_deployment"]


async def test_what_is_to_go_and_runs_no_more_needs_no_rollback(
    temporal: Client, bad: Line, world: World
) -> None:
    done = await (await start_rollback(temporal, request(bad, bad="web-other"))).result()

    assert (done.phase, done.release) == (Phase.SUCCEEDED, "")
    assert world.names() == []
    assert (await bad.standing()).is_empty


async def test_a_freeze_stops_no_rollback_and_that_is_written_down(
    temporal: Client, bad: Line
) -> None:
    shut = ClosedBy(window="weekend", reason="nobody is on call")
    bad.freeze = FreezeVerdict(at=datetime.now(UTC), closed_by=(shut,))

    done = await (await start_rollback(temporal, request(bad))).result()

    assert done.phase is Phase.SUCCEEDED
    (told,) = [one for one in bad.facts if one.action == "freeze.overridden"]
    assert (told.actor, told.before) == ("ada", "weekend")
    assert told.reason.endswith("errors")


async def test_a_freeze_that_nobody_may_override_stops_a_rollback_too(
    temporal: Client, bad: Line, world: World
) -> None:
    shut = ClosedBy(window="audit", reason="the auditor looks", override_by="nobody")
    bad.freeze = FreezeVerdict(at=datetime.now(UTC), closed_by=(shut,))

    handle = await start_rollback(temporal, request(bad))
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "Denied"
    assert "audit: the auditor looks, and nobody may override it" in failed.value.cause.message
    assert world.names() == []
    assert (await bad.standing()).is_empty


async def test_who_asks_again_after_its_end_gets_the_same_and_goes_no_release_further_back(
    temporal: Client, bad: Line, world: World
) -> None:
    await (await start_rollback(temporal, request(bad))).result()
    bad.running = "web-old"
    older = KnownRelease(name="web-older", artifact="web-9", since=NOW)
    bad.known = (*bad.known, older)
    world.calls.clear()

    again = await (await start_rollback(temporal, request(bad))).result()

    assert (again.phase, again.release) == (Phase.SUCCEEDED, "")
    assert "web-web-a was rolled back already" in again.message
    assert "to go further back: --bad web-old" in again.message
    assert world.names() == []
    further = await start_rollback(temporal, request(bad, bad="web-old", to="web-older"))
    assert (await further.result()).release == "web-older"


async def test_two_who_ask_at_once_ask_for_one_rollback(
    temporal: Client, bad: Line, world: World
) -> None:
    both_asked = asyncio.Event()

    async def waits(asked: DeployRequest) -> Any:
        await both_asked.wait()  # or the first may be over before the second is asked for
        return a_release(asked)

    world.behaviours["prepare_release"] = waits
    first = await start_rollback(temporal, request(bad))
    second = await start_rollback(temporal, request(bad).model_copy(update={"request_id": "two"}))
    both_asked.set()

    assert await first.result() == await second.result()
    assert world.names().count("prepare_release") == 1


async def test_a_guard_that_says_no_leaves_everything_as_it_is(
    temporal: Client, bad: Line, world: World
) -> None:
    handle = await start_rollback(temporal, request(bad, automatic=True, per_day=0))

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "Denied"
    assert "a person decides" in failed.value.cause.message
    assert world.names() == []
    assert (await bad.standing()).is_empty


async def test_a_rollback_that_fails_stays_held(temporal: Client, bad: Line, world: World) -> None:
    async def crash(asked: Any) -> None:
        if asked.bundle.release == "web-web-0":
            raise RolloutFailed("pod crashes", facts={"reason": "CrashLoopBackOff"})

    world.behaviours["follow_rollout"] = crash
    handle = await start_rollback(temporal, request(bad))

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert "web-old did not come back: pod crashes" in failed.value.cause.message
    assert (await bad.standing()).hold is not None


async def test_a_rollback_goes_before_all_that_waits(
    temporal: Client, bad: Line, world: World
) -> None:
    released = asyncio.Event()

    async def wait(asked: DeployRequest) -> None:
        if asked.request_id == "running":
            await released.wait()

    world.behaviours["prepare_release"] = wait
    place = {"organization": bad.organization, "component": "web", "environment": "staging"}
    for name in ("running", "waiting"):
        await signal_deployment(temporal, DeployRequest(**place, request_id=name, artifact=name))
    handle = await start_rollback(temporal, request(bad))
    await called(bad, "ask_deployment")
    queue = (await bad.queue()).queue
    while len(queue) < 2:
        queue = (await bad.queue()).queue

    released.set()
    await handle.result()

    assert queue[0].startswith("rollback-")
    assert queue[1] == "waiting"


async def test_a_cancel_while_nobody_can_tell_what_to_bring_back_changes_nothing(
    temporal: Client, bad: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away() -> None:
        raise DependencyUnavailable("the API server does not answer")

    monkeypatch.setattr(bad, "standing", away)
    handle = await start_rollback(temporal, request(bad))
    await called(bad, "read_rollback")
    await handle.cancel(reason="ann: too hasty")
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, CancelledError)
    assert "change_standing" not in bad.names()
    (told,) = bad.facts
    assert (told.action, told.result.value) == ("rollback.cancelled", "undone")
    assert (told.actor, told.reason) == ("ann", "too hasty")


async def test_a_cancel_that_cannot_lift_what_it_placed_says_so(
    temporal: Client, bad: Line, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    change = TemporalStandings.change

    async def stuck(standings: TemporalStandings, asked: StandingChange) -> Standing:
        if asked.not_rolled_back:
            raise Errored("nobody remembers")
        return await change(standings, asked)

    async def hold(asked: Any) -> None:
        while asked.bundle.release == "web-web-0":
            activity.heartbeat()
            await asyncio.sleep(0.05)

    monkeypatch.setattr(TemporalStandings, "change", stuck)
    world.behaviours["follow_rollout"] = hold
    handle = await start_rollback(temporal, request(bad))
    await called(world, "follow_rollout")
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert "undo failed" in bad.facts[-1].message
    assert "nobody remembers" in bad.facts[-1].message
    assert (await handle.query("status", result_type=OperationStatus)).phase is Phase.ERRORED
    assert (await bad.standing()).hold is not None


async def test_a_cancel_lifts_what_it_placed_and_leaves_what_ran(
    temporal: Client, bad: Line, world: World
) -> None:
    async def hold(asked: Any) -> None:
        while asked.bundle.release == "web-web-0":
            activity.heartbeat()
            await asyncio.sleep(0.05)

    world.behaviours["follow_rollout"] = hold
    place = {"organization": bad.organization, "component": "web", "environment": "staging"}
    passed = Pass(release="web-web-a", hash="h", artifact="web-a", at=NOW)
    await bad.change_standing(StandingChange(**place, key="p", passed=passed, at=NOW))
    handle = await start_rollback(temporal, request(bad))
    await bad.waits_for(handle, "deploy")
    await called(world, "follow_rollout")

    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, CancelledError)
    assert world.last("record_deployment").phase is Phase.CANCELLED
    standing = await bad.standing()
    assert (standing.hold, standing.vetoes, standing.rollbacks) == (None, (), ())
    assert standing.passes == (passed,)
