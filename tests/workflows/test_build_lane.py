from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowHandle,
)
from temporalio.service import RPCError
from temporalio.testing import WorkflowEnvironment

from domain import ids
from domain.deliveries import BuildLane, BuildRequest, OperationStatus, Trigger, TriggerKind
from domain.phases import Phase, StepPhase
from domain.policies import build_admission
from runtime import search_attributes
from runtime.plugin import PavanePlugin
from tests.conftest import ATTRIBUTES
from tests.workflows.conftest import World, workers
from tests.workflows.test_deployments import failure_of
from workflows.build_lane import BuildLaneWorkflow
from workflows.builds import BuildWorkflow
from workflows.starting import start_build, tell_build_lane

pytestmark = pytest.mark.workflows

Handle = WorkflowHandle[Any, Any]
UNCACHED = {"max_cached_workflows": 0, "max_concurrent_workflow_task_polls": 1}


class Building:
    """Builds that run until the test lets them go, and what was seen of them."""

    def __init__(self, client: Client, world: World, organization: str) -> None:
        self.client = client
        self.world = world
        self.organization = organization
        self.running: list[str] = []
        self.most = 0
        self.order: list[str] = []
        self._gates: dict[str, asyncio.Event] = {}
        self._handles: list[Handle] = []
        world.behaviours["follow_build"] = self._follow

    async def _follow(self, request: Any) -> None:
        name = _name(request.plan.commit)
        if name not in self.order:
            self.order.append(name)
        self.running.append(name)
        self.most = max(self.most, len(self.running))
        gate = self._gates.setdefault(name, asyncio.Event())
        try:
            while not gate.is_set():
                await _beat()
        finally:
            self.running.remove(name)

    async def start(
        self, name: str, component: str = "web", *, person: bool = True, branch: str = ""
    ) -> Handle:
        kind = TriggerKind.API if person else TriggerKind.WEBHOOK
        request = BuildRequest(
            organization=self.organization,
            component=component,
            commit=_commit(name),
            branch=branch,
            trigger=Trigger(kind=kind),
        )
        started = await start_build(self.client, request)
        handle = self.client.get_workflow_handle(started.workflow_id, run_id=started.run_id)
        self._handles.append(handle)
        return handle

    async def clean_up(self) -> None:
        """Leaves nothing open that the workers of the next test would go on with."""
        for handle in (*self._handles, self.lane):
            with suppress(RPCError):
                await handle.terminate("the test is over")

    def finish(self, *names: str) -> None:
        for name in names:
            self._gates.setdefault(name, asyncio.Event()).set()

    async def until_running(self, *names: str) -> None:
        async with asyncio.timeout(30):
            while sorted(self.running) != sorted(names):
                await asyncio.sleep(0.02)

    @property
    def lane(self) -> Handle:
        return self.client.get_workflow_handle(ids.build_lane_id(self.organization))

    async def until_lane(self, holds: Callable[[BuildLane], bool]) -> BuildLane:
        async with asyncio.timeout(30):
            while True:
                try:
                    lane = await self.lane.query(BuildLaneWorkflow.lane)
                except RPCError:
                    lane = BuildLane(organization=self.organization)
                if holds(lane):
                    return lane
                await asyncio.sleep(0.02)

    async def until_waiting(self, count: int) -> BuildLane:
        return await self.until_lane(lambda lane: len(lane.waiting) == count)


async def _beat() -> None:
    activity.heartbeat()
    await asyncio.sleep(0.03)


def _commit(name: str) -> str:
    return name.encode().hex().ljust(40, "0")[:40]


def _name(commit: str) -> str:
    return bytes.fromhex(commit).rstrip(b"\0").decode()


async def queued(handle: Handle, place: str = "") -> OperationStatus:
    """Returns the status once the build shows that it waits, at that place."""
    async with asyncio.timeout(30):
        while True:
            status: OperationStatus = await handle.query(BuildWorkflow.status)
            waits = status.waiting_for
            if waits and waits.what.startswith(f"a build slot: {place}"):
                return status
            await asyncio.sleep(0.02)


@asynccontextmanager
async def builds(client: Client, world: World, organization: str) -> AsyncIterator[Building]:
    building = Building(client, world, organization)
    try:
        yield building
    finally:
        await building.clean_up()


@pytest.fixture
async def building(
    temporal: Client, running: World, organization: str
) -> AsyncIterator[Building]:
    async with builds(temporal, running, organization) as building:
        yield building


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lanes and builds that look and ask again after moments."""
    monkeypatch.setattr(build_admission, "_FIRST_LOOK", timedelta(milliseconds=200))
    monkeypatch.setattr(build_admission, "_FIRST_REMINDER", timedelta(milliseconds=500))


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

    for _ in handles:
        building.finish(building.running[0])
        expected = len(building.order) + 1
        async with asyncio.timeout(30):
            while len(building.order) < min(expected, len(handles)):
                await asyncio.sleep(0.02)
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
        newer = request.commit == _commit("new")
        older = ids.build_id(building.organization, "web", _commit("old"))
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
    async with asyncio.timeout(30):
        while (await building.lane.describe()).run_id == before.run_id:
            await asyncio.sleep(0.02)

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
    names = [f"n{number}" for number in range(12)]
    building.finish(*names)
    handles = []
    for name in names:
        handles.append(await building.start(name))
        await asyncio.sleep(0.13 * (len(handles) % 3))

    for handle in handles:
        assert (await handle.result())["phase"] == "Succeeded"

    assert building.most == 1


@pytest.fixture
async def forgetful(temporal_program: Path) -> AsyncIterator[Client]:
    """A server that wants workflows to begin anew after a few events."""
    option = "limit.historyCount.suggestContinueAsNew=40"
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(temporal_program),
        search_attributes=ATTRIBUTES,
        plugins=[PavanePlugin()],
        dev_server_log_level="error",
        dev_server_extra_args=["--dynamic-config-value", option],
    ) as environment:
        yield environment.client


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
    async with asyncio.timeout(10):
        while True:
            async for run in client.list_workflows(query):
                handle = client.get_workflow_handle(run.id, run_id=run.run_id)
                async for event in handle.fetch_history_events():
                    if event.event_type == (
                        EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CONTINUED_AS_NEW
                    ):
                        return True
            await asyncio.sleep(0.1)
