"""Promotions that are stopped, grow stale, or whose undoing fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from activities.guards.stops import StopActivities
from clients.records import SqlRecords
from domain.deliveries import (
    ApprovalOutcome,
    ApprovalRequest,
    ApprovalRule,
    DeployRequest,
    OperationStatus,
)
from domain.deliveries.parking import Choice
from domain.deliveries.promotions import Promotion, StepRules
from domain.deliveries.standings import Standing, StandingChange
from domain.errors import Denied, Errored
from domain.phases import Phase
from domain.records import FactBatch, Recorded
from tests.workflows.conftest import World, workers
from tests.workflows.promoting import Line
from tests.workflows.test_emergency_stops import order
from tests.workflows.test_parking import resolve, until_parked
from workflows.promotions.starting import stir_promotion

pytestmark = pytest.mark.workflows


async def failure(handle: Any) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


def watched(line: Line) -> None:
    """Has its health looked at by something that is away."""
    line.rules = StepRules(watch_seconds=60)
    line.health.clear()
    line.fails = Errored("what measures health does not let the platform in")


class HeldRecords:
    """What the promotion writes down is held up once, so that something else comes meanwhile."""

    def __init__(self, line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
        self.writing, self.may_write = asyncio.Event(), asyncio.Event()
        keep = line.keep

        async def held(batch: FactBatch) -> Recorded:
            if batch.facts[0].organization == line.organization:
                self.writing.set()
                await self.may_write.wait()
            return await keep(batch)

        monkeypatch.setattr(line, "keep", held)


async def test_a_cancel_is_heeded_that_comes_while_the_request_is_written_down(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.rules = StepRules(approval=ApprovalRule())
    records = HeldRecords(line, monkeypatch)
    handle = await line.promote()
    async with asyncio.timeout(60):
        await records.writing.wait()
        await handle.cancel(reason="bob: not today")
        records.may_write.set()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert line.told() == ["promotion.requested", "promotion.cancelled"]


async def test_it_gives_way_to_a_request_that_comes_while_it_is_written_down(
    line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.rules = StepRules(approval=ApprovalRule())
    records = HeldRecords(line, monkeypatch)
    handle = await line.promote("one", artifact="web-a")
    async with asyncio.timeout(60):
        await records.writing.wait()
        line.rules, line.release = StepRules(), ""
        line.source = line.source.model_copy(update={"artifact": "web-b"})
        await line.promote("two", artifact="web-b")
        records.may_write.set()
        promotion = await handle.result()
    assert (promotion.request_id, promotion.artifact) == ("two", "web-b")


async def test_what_cannot_be_watched_is_not_left_to_run(line: Line, world: World) -> None:
    watched(line)
    handle = await line.promote()

    cause = await failure(handle)

    assert cause.type == "Errored"
    assert world.last("prepare_release").rollback == "web-old"
    assert (await line.standing()).is_empty


async def test_what_cannot_be_watched_stays_where_nothing_ran_before(
    line: Line, world: World
) -> None:
    watched(line)
    line.target = line.target.model_copy(update={"release": "", "artifact": "", "ready": False})
    handle = await line.promote()

    cause = await failure(handle)

    assert cause.type == "Errored"
    assert world.names().count("prepare_release") == 1
    assert [one.artifact for one in (await line.standing()).passes] == ["web-a"]


async def test_what_cannot_be_brought_back_stays_and_is_told_with_both_reasons(
    line: Line, world: World
) -> None:
    async def no_way_back(request: Any) -> None:
        if request.rollback:
            raise Denied("its image is gone")

    world.behaviours["prepare_release"] = no_way_back
    watched(line)
    handle = await line.promote()

    cause = await failure(handle)
    ended: Promotion = await handle.query("promotion", result_type=Promotion)

    assert cause.type == "CompensationFailed"
    assert "does not let the platform in" in cause.message
    assert "its image is gone" in cause.message
    assert ended.phase is Phase.ERRORED
    assert "point_binding" not in line.names(), "what stays must not be pointed away from"
    assert [one.release for one in (await line.standing()).passes] == ["web-web-a"]


async def test_what_is_stale_again_and_again_is_given_up(line: Line, world: World) -> None:
    async def refuse(_: Any) -> None:
        raise Denied("another configuration", facts={"reason": "GateClosed"})

    world.behaviours["prepare_release"] = refuse

    cause = await failure(await line.promote())

    assert cause.type == "StaleRevision"
    assert line.names().count("read_promotion") == 3
    assert (await line.standing()).passes == ()


class Away(Line):
    """The queue of deployments cannot be asked, nor can a pass be taken back."""

    @activity.defn
    async def ask_deployment(self, request: DeployRequest) -> None:
        raise Errored(f"{request.component}: the queue does not let the platform in")

    @activity.defn
    async def change_standing(self, change: StandingChange) -> Standing:
        if change.revoked:
            raise Errored("its memory does not let the platform in")
        return await super().change_standing(change)


async def test_a_parked_promotion_whose_undoing_fails_is_not_begun_anew(
    temporal: Client, world: World, organization: str
) -> None:
    line = Away(temporal, organization)
    async with workers(temporal, world, line):
        handle = await line.promote()
        parked = await until_parked(handle)
        await resolve(handle, Choice.RETRY)
        cause = await failure(handle)

    assert parked.step == "deploy"
    assert cause.type == "CompensationFailed"
    assert "its memory does not let the platform in" in cause.message
    assert line.names().count("read_promotion") == 1


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SqlRecords]:
    records = SqlRecords.open(f"sqlite:///{tmp_path / 'records.db'}")
    await records.migrate()
    yield records
    await records.close()


@pytest.fixture
async def stoppable(
    temporal: Client, world: World, organization: str, records: SqlRecords
) -> AsyncIterator[Line]:
    line = Line(temporal, organization)
    stops = StopActivities(records)
    world.more = (stops.change_stop, stops.read_stops, stops.tell_flows)
    async with workers(temporal, world, line):
        yield line


async def test_a_stop_before_it_deploys_parks_it_and_all_is_judged_anew_afterwards(
    temporal: Client, stoppable: Line, world: World
) -> None:
    stoppable.rules = StepRules(approval=ApprovalRule())
    handle = await stoppable.promote()
    approval = await stoppable.approval()
    await order(temporal, stoppable.organization, "staging")
    await approval.signal("decided", ApprovalOutcome.APPROVED)

    while True:
        status: OperationStatus = await handle.query("status", result_type=OperationStatus)
        if status.waiting_for is not None and "emergency stop" in status.waiting_for.what:
            break
        await asyncio.sleep(0.02)
    meanwhile: Promotion = await handle.query("promotion", result_type=Promotion)
    reads = stoppable.names().count("read_promotion")
    assert meanwhile.phase is Phase.RUNNING
    assert "prepare_release" not in world.names()

    stoppable.rules = StepRules()
    await order(temporal, stoppable.organization, "staging", stops=False)
    promotion = await handle.result()

    assert promotion.phase is Phase.SUCCEEDED
    assert stoppable.names().count("read_promotion") > reads


async def test_what_cannot_be_rendered_is_denied_with_the_reason(line: Line, world: World) -> None:
    line.problem = "its class has no parameter speed"

    cause = await failure(await line.promote())

    assert cause.type == "Denied"
    assert cause.message.endswith("its class has no parameter speed")
    assert world.names() == []


async def test_a_time_that_is_too_far_away_is_denied(line: Line, world: World) -> None:
    never = datetime(2999, 1, 1, tzinfo=UTC)

    cause = await failure(await line.promote(not_before=never))

    assert cause.type == "Denied"
    assert "2999-01-01 00:00 UTC is more than" in cause.message
    assert world.names() == []


async def test_who_asks_for_what_is_on_its_way_joins_it(line: Line, world: World) -> None:
    line.rules = StepRules(approval=ApprovalRule())
    handle = await line.promote("one", artifact="web-a")
    approval = await line.approval()

    await line.promote("two", artifact="web-a")
    await line.promote("three", automatic=True, artifact="web-b", source="dev")
    await line.queued(handle, "three")
    await line.promote("four", automatic=True, artifact="web-b", source="dev")
    await line.queued(handle, "three")
    asked = await approval.query("asked", result_type=ApprovalRequest)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert asked.subject == f"promotion/{line.organization}/web/staging"
    assert line.told().count("promotion.requested") == 1
    assert world.names() == []


async def test_there_is_nothing_to_stir_where_nothing_is_promoted(line: Line) -> None:
    assert await stir_promotion(line.client, line.organization, "web", "staging") is False
