"""An emergency stop: what runs parks at its next safe point, what begins parks at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowFailureError, WorkflowHandle

from activities.guards.stops import StopActivities, heed
from activities.records.histories import asked, asked_build
from clients.records import FactFilter, SqlRecords
from domain import ids
from domain.deliveries import BuildRequest, DeployRequest, OperationStatus, Waiting
from domain.records import FactBatch
from domain.records.stops import Place, StopOrder, StopOutcome
from tests.workflows.conftest import COMMIT, World, workers
from tests.workflows.test_deployments import a_request
from workflows.starting import carry_out_stop, signal_deployment, start_build

pytestmark = pytest.mark.workflows


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SqlRecords]:
    records = SqlRecords.open(f"sqlite:///{tmp_path / 'records.db'}")
    await records.migrate()
    yield records
    await records.close()


@pytest.fixture
def heeding(world: World, records: SqlRecords) -> World:
    """Beginnings read the stops in the transaction that writes them down, as the real ones do."""

    async def prepare(request: DeployRequest) -> None:
        place = Place(organization=request.organization, environment=request.environment)
        heed(await records.append(FactBatch(facts=(asked(request),), place=place)))

    async def register(request: BuildRequest) -> None:
        place = Place(organization=request.organization)
        heed(await records.append(FactBatch(facts=(asked_build(request),), place=place)))

    world.behaviours |= {"prepare_release": prepare, "register_build": register}
    stops = StopActivities(records)
    world.more = (stops.change_stop, stops.read_stops, stops.tell_flows)
    return world


@pytest.fixture
async def stoppable(temporal: Client, heeding: World, records: SqlRecords) -> AsyncIterator[World]:
    async with workers(temporal, heeding):
        yield heeding


async def order(
    client: Client, organization: str, environment: str = "", *, stops: bool = True, key: str = ""
) -> StopOutcome:
    place = Place(organization=organization, environment=environment)
    return await carry_out_stop(
        client,
        StopOrder(
            place=place,
            stops=stops,
            actor="ada@example.com",
            reason="the database is on fire",
            key=key or f"emergency/{organization}/{environment or '-'}/{stops}",
            at=datetime.now(UTC),
        ),
    )


async def until(
    handle: WorkflowHandle[Any, Any], wanted: Callable[[Waiting | None], bool]
) -> Waiting | None:
    while True:
        status: OperationStatus = await handle.query("status", result_type=OperationStatus)
        if wanted(status.waiting_for):
            return status.waiting_for
        await asyncio.sleep(0.02)


def is_stopped(waiting: Waiting | None) -> bool:
    return waiting is not None and "emergency stop" in waiting.what


async def test_what_begins_in_a_stopped_place_parks_and_says_who_stopped_it_and_why(
    temporal: Client, stoppable: World, organization: str
) -> None:
    await order(temporal, organization)
    handle = await signal_deployment(temporal, a_request(organization))

    waiting = await until(handle, is_stopped)

    assert waiting is not None
    assert "ada@example.com: the database is on fire" in waiting.what
    assert "pavane resume" in waiting.who
    assert "apply_release" not in stoppable.names()

    await order(temporal, organization, stops=False)
    await handle.result()
    assert stoppable.names()[-3:] == ["apply_release", "follow_rollout", "record_deployment"]


async def test_what_had_begun_parks_before_it_applies_and_renders_anew_when_it_goes_on(
    temporal: Client, stoppable: World, organization: str
) -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()
    heeds = stoppable.behaviours["prepare_release"]

    async def slow(request: Any) -> None:
        await heeds(request)
        begun.set()
        await go_on.wait()

    stoppable.behaviours["prepare_release"] = slow
    handle = await signal_deployment(temporal, a_request(organization))
    await begun.wait()
    outcome = await order(temporal, organization, "dev")
    go_on.set()

    await until(handle, is_stopped)

    assert outcome.told == 1
    assert stoppable.names() == ["prepare_release"]
    await order(temporal, organization, "dev", stops=False)
    await handle.result()
    assert stoppable.names().count("prepare_release") == 2
    assert stoppable.names().count("apply_release") == 1


async def test_other_places_go_on(temporal: Client, stoppable: World, organization: str) -> None:
    await order(temporal, organization, "production")
    await order(temporal, f"{organization}x")

    handle = await signal_deployment(temporal, a_request(organization))

    await handle.result()


async def test_a_stop_of_everything_holds_everywhere(
    temporal: Client, stoppable: World, organization: str
) -> None:
    await order(temporal, "")
    handle = await signal_deployment(temporal, a_request(organization))
    await until(handle, is_stopped)

    # Its own stop does not end that of everything.
    await order(temporal, organization, stops=False)
    assert is_stopped(await until(handle, is_stopped))
    await order(temporal, "", stops=False, key=f"emergency/-/{organization}")
    await handle.result()


async def test_a_parked_deployment_can_be_cancelled(
    temporal: Client, stoppable: World, organization: str
) -> None:
    await order(temporal, organization)
    handle = await signal_deployment(temporal, a_request(organization))
    await until(handle, is_stopped)

    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert (await handle.describe()).status is WorkflowExecutionStatus.CANCELED
    assert "apply_release" not in stoppable.names()
    assert stoppable.last("record_deployment").phase == "Cancelled"


async def test_builds_park_before_they_ask_for_a_slot(
    temporal: Client, stoppable: World, organization: str
) -> None:
    await order(temporal, organization)
    started = await start_build(
        temporal, BuildRequest(organization=organization, component="web", commit=COMMIT)
    )
    handle = temporal.get_workflow_handle(started.workflow_id)
    await until(handle, is_stopped)

    assert "enter_build_lane" not in stoppable.names()
    await order(temporal, organization, stops=False)
    await handle.result()
    assert stoppable.names().count("submit_build") == 1


async def test_an_order_is_carried_out_once_and_told_to_the_audit(
    temporal: Client, stoppable: World, organization: str, records: SqlRecords
) -> None:
    first = await order(temporal, organization, key=f"emergency/{organization}/one")
    again = await order(temporal, organization, key=f"emergency/{organization}/one")
    other = await order(temporal, organization, key=f"emergency/{organization}/two")
    await order(temporal, organization, stops=False)

    assert (first.changed, again.changed, other.changed) == (True, True, False)
    facts = [row.fact for row in await records.facts(FactFilter(organization), 10)]
    assert [(fact.action, fact.result) for fact in reversed(facts)] == [
        ("emergency.stopped", "done"),
        ("emergency.stopped", "refused"),
        ("emergency.resumed", "done"),
    ]
    assert facts[0].actor == "ada@example.com"


async def test_a_flow_that_was_not_told_looks_by_itself(
    skipping: Client,
    heeding: World,
    organization: str,
    records: SqlRecords,
) -> None:
    """The signal may get lost; looking again makes it sure."""
    place = Place(organization=organization)

    def change(*, stops: bool) -> Awaitable[bool]:
        return records.change_stop(
            StopOrder(
                place=place,
                stops=stops,
                actor="ada",
                reason="why",
                key=str(stops),
                at=datetime.now(UTC),
            )
        )

    looks = 0
    heeds = heeding.behaviours["prepare_release"]

    async def counted(request: Any) -> None:
        nonlocal looks
        looks += 1
        if looks == 4:
            await change(stops=False)
        await heeds(request)

    heeding.behaviours["prepare_release"] = counted
    await change(stops=True)
    async with workers(skipping, heeding):
        handle = await signal_deployment(skipping, a_request(organization))
        await handle.result()
        description = await handle.describe()

    assert looks == 4
    assert description.close_time is not None
    assert description.execution_time is not None
    assert description.close_time - description.execution_time >= timedelta(minutes=3)


async def test_a_killed_worker_leaves_a_parked_deployment_parked(
    temporal: Client, heeding: World, organization: str
) -> None:
    async with workers(temporal, heeding):
        await order(temporal, organization)
        handle = await signal_deployment(temporal, a_request(organization))
        await until(handle, is_stopped)
    async with workers(temporal, heeding):
        assert is_stopped(await until(handle, is_stopped))
        await order(temporal, organization, stops=False)
        await handle.result()

    assert heeding.names().count("apply_release") == 1
    assert handle.id == ids.deploy_id(organization, "web", "dev")
