from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import (
    WorkflowFailureError,
)

from api.operations.reading import summarize
from api.operations.visibility import Filters, page
from domain import ids
from domain.deliveries import BuildRequest
from domain.phases import Phase, StepPhase
from domain.policies import build_admission
from runtime import search_attributes
from tests.workflows.building import Building, commit_of, queued
from tests.workflows.test_deployments import failure_of
from workflows.builds.build import BuildWorkflow

pytestmark = pytest.mark.workflows


async def test_ten_builds_of_three_projects_never_exceed_the_limit_and_take_turns(
    building: Building,
) -> None:
    building.world.limit = 2
    building.world.projects = {"pay": "bank", "feed": "news"}
    handles = [await building.start("h1")]
    await building.until_running("h1")
    handles.append(await building.start("h2", "feed"))
    await building.until_running("h1", "h2")
    for number, component in enumerate(["web"] * 4 + ["pay"] * 2 + ["feed"] * 2):
        handles.append(await building.start(f"{component}{number}", component))
        await building.until_waiting(number + 1)

    while len(building.order) < len(handles):
        begun = len(building.order)
        building.finish(building.running[0])
        await building.until_begun(begun + 1)
    building.finish(*building.order)
    for handle in handles:
        assert (await handle.result())["phase"] == "Succeeded"

    assert building.most == 2
    assert building.order == [
        *("h1", "h2"),
        *("web0", "pay4", "feed6", "web1", "pay5", "feed7", "web2", "web3"),
    ]


async def test_a_build_with_a_free_slot_is_never_shown_as_queued(building: Building) -> None:
    building.finish("a")
    handle = await building.start("a")

    await handle.result()

    status = await handle.query(BuildWorkflow.status)
    assert [(step.name, step.phase) for step in status.steps][1] == ("queue", StepPhase.DONE)
    assert "show_build_turn" not in building.world.names()
    assert "inspect_build_lane" not in building.world.names()


async def test_a_waiting_build_says_where_it_stands_until_when_and_who_can_end_it(
    building: Building,
) -> None:
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    second = await building.start("b")
    await building.until_waiting(1)
    third = await building.start("c")

    status = await queued(third, "2nd of 2 waiting, 1 of 1 running")

    assert status.phase is Phase.PENDING
    assert status.waiting_for is not None
    assert status.waiting_for.until is not None
    waits_at_most = status.waiting_for.until - status.waiting_for.since
    assert waits_at_most == build_admission.LONGEST_WAIT
    assert building.organization in status.waiting_for.who
    found = (await third.describe()).typed_search_attributes
    assert found[search_attributes.PHASE] == "Pending"

    building.finish("a")
    await queued(third, "1st of 1 waiting, 1 of 1 running")
    building.finish("b", "c")
    await second.result()
    await third.result()
    turns = [turn for name, turn in building.world.calls if name == "show_build_turn"]
    assert [bool(turn.place) for turn in turns if turn.name.startswith("web-63")] == [True, False]


async def test_how_long_a_build_queued_is_one_of_its_stages(building: Building) -> None:
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    waiting = await building.start("b")
    since = (await queued(waiting)).waiting_for
    building.finish("a", "b")
    await waiting.result()

    stages = building.world.last("record_build").outcome.stages

    assert [stage.name for stage in stages] == ["queue"]
    assert since is not None
    assert stages[0].seconds > 0


async def test_a_person_goes_before_automatic_builds_of_the_component(building: Building) -> None:
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    handles = [await building.start("auto", person=False)]
    await building.until_waiting(1)
    handles.append(await building.start("person"))
    await building.until_waiting(2)

    building.finish("a", "auto", "person")
    for handle in handles:
        await handle.result()

    assert building.order == ["a", "person", "auto"]


async def test_a_build_cancelled_while_it_waits_leaves_the_queue_at_once(
    building: Building,
) -> None:
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    handle = await building.start("b")
    await queued(handle)

    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    lane = await building.until_waiting(0)
    assert len(lane.holders) == 1
    assert building.world.last("record_build").phase is Phase.CANCELLED
    assert "stop_build" not in building.world.names()
    building.finish("a")
    await building.until_lane(lambda lane: not lane.holders)


async def test_a_build_cancelled_while_it_asks_leaves_nothing_in_the_lane(
    building: Building,
) -> None:
    building.world.limit = 1
    asked = asyncio.Event()

    async def hold(_: Any) -> None:
        asked.set()
        await cancelled.wait()

    cancelled = asyncio.Event()
    building.world.behaviours["enter_build_lane"] = hold
    handle = await building.start("a")
    await asked.wait()

    await handle.cancel()
    cancelled.set()
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    building.world.behaviours.pop("enter_build_lane")
    building.finish("b")

    assert (await (await building.start("b")).result())["phase"] == "Succeeded"
    await building.until_lane(lambda lane: not (lane.holders or lane.waiting))


async def test_a_newer_commit_takes_the_place_of_the_waiting_one_it_supersedes(
    building: Building,
) -> None:
    building.world.limit = 1

    async def plan(request: BuildRequest) -> Any:
        found = await building.world.__class__().register_build(request)
        newer = request.commit == commit_of("new")
        older = ids.build_id(building.organization, "web", commit_of("old"))
        project = "bank" if request.component == "pay" else "shop"
        return found.model_copy(update={"older": (older,) if newer else (), "project": project})

    building.world.behaviours["register_build"] = plan
    await building.start("a")
    await building.until_running("a")
    old = await building.start("old")
    await queued(old)
    other = await building.start("other", "pay")
    await queued(other, "2nd")

    new = await building.start("new")
    with pytest.raises(WorkflowFailureError) as superseded:
        await old.result()
    await queued(new, "1st of 2")
    building.finish("a", "new", "other")
    await new.result()
    await other.result()

    assert failure_of(superseded.value).type == "Superseded"
    assert building.order == ["a", "new", "other"]


async def test_lists_show_which_builds_wait_and_no_lane(building: Building) -> None:
    building.world.limit = 1
    await building.start("a")
    await building.until_running("a")
    await queued(await building.start("b"))

    async def listed() -> dict[str, str]:
        found, _ = await page(building.client, Filters(building.organization), limit=9, token="")
        return {one.id: summarize(one).phase for one in found}

    wanted = {
        ids.build_id(building.organization, "web", commit_of("a")): "Running",
        ids.build_id(building.organization, "web", commit_of("b")): "Pending",
    }
    async with asyncio.timeout(30):
        while True:
            if await listed() == wanted:
                break
            await asyncio.sleep(0.05)
    lane = await building.lane.describe()
    assert lane.typed_search_attributes[search_attributes.KIND] == search_attributes.LANE
