from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, cast

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
)
from temporalio.exceptions import CancelledError
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.errors import InvalidRequest
from domain.phases import Phase
from domain.policies import build_admission
from tests.workflows.building import Building, builds, queued
from tests.workflows.conftest import World, workers
from tests.workflows.test_deployments import failure_of
from workflows.starting import tell_build_lane

pytestmark = pytest.mark.workflows


class _Away:
    """A Temporal that does not answer."""

    def get_workflow_handle_for(self, *_: Any) -> _Away:
        return self

    async def signal(self, *_: Any) -> None:
        raise RPCError("no", RPCStatusCode.UNAVAILABLE, b"")


UNCACHED: dict[str, Any] = {"max_cached_workflows": 0, "max_concurrent_workflow_task_polls": 1}


async def test_a_slot_whose_build_was_terminated_is_reclaimed(
    building: Building, impatient: None
) -> None:
    building.world.limit = 1
    lost = await building.start("a")
    await building.until_running("a")
    handle = await building.start("b")
    await queued(handle)

    await lost.terminate("lost")
    building.finish("b")

    assert (await handle.result())["phase"] == "Succeeded"


async def test_a_waiting_build_that_was_terminated_holds_up_nobody(building: Building) -> None:
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    lost = await building.start("b")
    await queued(lost)
    handle = await building.start("c")
    await queued(handle, "2nd")

    await lost.terminate("lost")
    building.finish("a", "c")

    assert (await handle.result())["phase"] == "Succeeded"
    await building.until_lane(lambda lane: not (lane.holders or lane.waiting))


async def test_a_raised_limit_takes_effect_when_the_organization_says_so(
    building: Building,
) -> None:
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    await queued(await building.start("b"))

    building.world.limit = 2
    assert await tell_build_lane(building.client, building.organization)

    await building.until_running("a", "b")


async def test_a_lane_that_cannot_look_goes_on_with_what_it_knows(building: Building) -> None:
    async def refuse(_: Any) -> None:
        raise InvalidRequest("the organization cannot be read")

    building.world.behaviours["inspect_build_lane"] = refuse
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    handle = await building.start("b")
    await queued(handle)
    building.finish("a", "b")

    assert (await handle.result())["phase"] == "Succeeded"


async def test_a_raised_limit_takes_effect_by_itself_after_a_while(
    building: Building, impatient: None
) -> None:
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    await queued(await building.start("b"))

    building.world.limit = 2

    await building.until_running("a", "b")


async def test_an_organization_without_builds_has_no_lane_to_tell(
    temporal: Client, organization: str
) -> None:
    assert not await tell_build_lane(temporal, organization)


async def test_a_lane_that_cannot_be_told_is_told_again_by_who_tells(organization: str) -> None:
    away = cast("Client", _Away())
    with pytest.raises(RPCError):
        await tell_build_lane(away, organization)


async def test_of_two_that_wait_the_terminated_one_is_dropped_when_it_is_told_its_turn(
    building: Building,
) -> None:
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    waiting = []
    for name, place in (("b", "1st"), ("c", "2nd"), ("d", "3rd")):
        waiting.append(await building.start(name))
        await queued(waiting[-1], place)

    await waiting[1].terminate("lost")
    building.finish("a")
    await building.until_running("b")

    lane = await building.until_waiting(1)
    assert lane.waiting[0].request.build == waiting[2].id
    building.finish("b", "d")
    assert (await waiting[2].result())["phase"] == "Succeeded"


async def test_a_cancelled_lane_that_nobody_needs_ends(building: Building) -> None:
    building.finish("a")
    await (await building.start("a")).result()
    await building.until_lane(lambda lane: not lane.holders)

    await building.lane.cancel()
    with pytest.raises(WorkflowFailureError) as ended:
        await building.lane.result()
    assert isinstance(ended.value.cause, CancelledError)


async def test_a_build_that_waits_too_long_ends_as_errored_and_says_for_what(
    building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_admission, "LONGEST_WAIT", timedelta(seconds=1))
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    handle = await building.start("b")

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    failure = failure_of(failed.value)
    assert failure.type == "Errored"
    assert "(1st of 1 waiting, 1 of 1 running)" in failure.message
    assert building.world.last("record_build").phase is Phase.ERRORED
    await building.until_waiting(0)


async def test_a_lane_that_was_terminated_is_begun_again_by_those_that_wait(
    building: Building, impatient: None
) -> None:
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    handle = await building.start("b")
    await queued(handle)

    await building.lane.terminate("lost")
    building.finish("a", "b")

    assert (await handle.result())["phase"] == "Succeeded"


async def test_a_cancel_does_not_make_a_lane_forget_who_builds(building: Building) -> None:
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    handle = await building.start("b")
    await queued(handle)
    before = await building.lane.describe()

    await building.lane.cancel()
    await building.until_lane_is_not(before.run_id)

    lane = await building.until_waiting(1)
    assert len(lane.holders) == 1
    building.finish("a", "b")
    assert (await handle.result())["phase"] == "Succeeded"


async def test_builds_wait_on_when_the_workers_are_replaced_in_the_middle(
    temporal: Client, world: World, organization: str
) -> None:
    world.limit = 1
    async with builds(temporal, world, organization) as building:
        async with workers(temporal, world):
            handles = [await building.start("a")]
            await building.until_running("a")
            handles.append(await building.start("b"))
            await building.until_waiting(1)
            handles.append(await building.start("c"))
            await building.until_waiting(2)
        building.finish("a", "b", "c")
        async with workers(temporal, world, **UNCACHED):
            for handle in handles:
                assert (await handle.result())["phase"] == "Succeeded"

    assert (building.order, building.most) == (["a", "b", "c"], 1)


async def test_a_lane_without_builds_ends_and_the_next_build_begins_another(
    building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_admission, "LINGER", timedelta(milliseconds=10))
    building.finish("a", "b")
    await (await building.start("a")).result()
    await building.lane.result()
    first = await building.lane.describe()

    await (await building.start("b")).result()

    assert first.status is WorkflowExecutionStatus.COMPLETED
    assert (await building.lane.describe()).run_id != first.run_id


async def test_no_request_is_lost_while_a_lane_ends(
    building: Building, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lanes end all the time here, and each build meets one that lives, ends or is gone."""
    monkeypatch.setattr(build_admission, "LINGER", timedelta(milliseconds=1))
    monkeypatch.setattr(build_admission, "_FIRST_REMINDER", timedelta(hours=1))
    building.world.limit = 1
    names = [f"n{number}" for number in range(8)]
    building.finish(*names)
    lanes = set()
    for number, name in enumerate(names):
        handle = await building.start(name)
        async with asyncio.timeout(30):
            assert (await handle.result())["phase"] == "Succeeded"
        lanes.add((await building.lane.describe()).run_id)
        if number % 3:
            await asyncio.sleep(0.02 * (number % 3))
        else:
            await building.lane.result()

    assert building.most == 1
    assert len(lanes) > 1


async def test_a_lane_that_begins_anew_knows_who_builds_and_who_waits(
    forgetful: Client, world: World, organization: str
) -> None:
    world.limit = 2
    async with workers(forgetful, world), builds(forgetful, world, organization) as building:
        handles = [await building.start("h1"), await building.start("h2")]
        await building.until_running("h1", "h2")
        for number in range(8):
            handles.append(await building.start(f"n{number}"))
            await building.until_waiting(number + 1)
        building.finish("h1", "h2", *(f"n{number}" for number in range(8)))
        for handle in handles:
            assert (await handle.result())["phase"] == "Succeeded"
        first = await began_anew(forgetful, organization)

    assert first
    assert building.most == 2
    assert {*building.order[2:4]} == {"n0", "n1"}
    assert len(building.order) == 10


async def began_anew(client: Client, organization: str) -> bool:
    query = f"WorkflowId = '{ids.build_lane_id(organization)}'"
    async with asyncio.timeout(60):
        while True:
            async for run in client.list_workflows(query):
                handle = client.get_workflow_handle(run.id, run_id=run.run_id)
                async for event in handle.fetch_history_events():
                    if event.event_type == (
                        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
                    ):
                        return True
            await asyncio.sleep(0.1)
