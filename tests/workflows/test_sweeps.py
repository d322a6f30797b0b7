"""Environments are looked at by the clock; what one look knows the next one begins with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow, ScheduleHandle
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from activities.health.schedules import ScheduleActivities
from domain import ids
from domain.deliveries.notices import Notice, NoticeReceipt
from domain.deliveries.schedules import ScheduleAct, ScheduleChanged, ScheduleOrder
from domain.deliveries.sweeps import (
    HealthReport,
    Observation,
    PlaneSeen,
    PlaneSweep,
    SweepPlan,
    SweepRequest,
    SweepResult,
    SweptComponent,
    Turn,
)
from domain.errors import Errored, InvalidRequest
from domain.records import FactBatch, Recorded
from domain.resources import Environment, parse_as
from tests.serving import own_client, served
from workflows.health.changes import ScheduleChangeWorkflow
from workflows.health.sweep import SweepWorkflow
from workflows.health.timetable import keep_sweeps

pytestmark = pytest.mark.workflows
WEB = "component web"
PLANE = "plane.sweeps"


class Place:
    """An environment with one component, which is as the test says."""

    def __init__(self, organization: str) -> None:
        self.organization = organization
        self.declared = True
        self.queue = PLANE
        """Of its plane; empty = there is no such DataPlane."""
        self.healthy = True
        self.plane_answers = True
        self.mail_works = True
        self.reports: list[HealthReport] = []
        self.facts: list[str] = []
        self.notices: list[Notice] = []

    @activity.defn
    async def plan_sweep(self, _request: SweepRequest) -> SweepPlan:
        components = (SweptComponent(component="web"),)
        return SweepPlan(
            declared=self.declared, plane="east", task_queue=self.queue, components=components
        )

    @activity.defn
    async def look_at_plane(self, _sweep: PlaneSweep) -> PlaneSeen:
        if not self.plane_answers:
            raise InvalidRequest("the plane is dark")
        return PlaneSeen(
            observations=(Observation(subject=WEB, healthy=self.healthy, message="as seen"),)
        )

    @activity.defn
    async def record_health(self, report: HealthReport) -> bool:
        self.reports.append(report)
        return True

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        self.facts += [f"{one.action}: {one.after or one.message}" for one in batch.facts]
        return Recorded()

    @activity.defn
    async def send_notice(self, notice: Notice) -> NoticeReceipt:
        if not self.mail_works:
            raise Errored("the mail server is dark")
        self.notices.append(notice)
        return NoticeReceipt(sent=("email",))


@pytest.fixture
async def place(own_temporal: Client) -> AsyncIterator[Place]:
    place = Place(f"o-{uuid4().hex[:8]}")
    client, schedules = await own_client(own_temporal), ScheduleActivities()
    control: list[Any] = [
        place.plan_sweep,
        place.record_health,
        place.record,
        place.send_notice,
        schedules.change_schedule,
        schedules.drop_schedule,
    ]
    flows = [SweepWorkflow, ScheduleChangeWorkflow]
    workers = [
        Worker(client, task_queue=ids.ORCHESTRATION_QUEUE, workflows=flows),
        Worker(client, task_queue=ids.CONTROL_QUEUE, activities=control),
        Worker(client, task_queue=PLANE, activities=[place.look_at_plane]),
    ]
    async with served(workers):
        yield place


def environment(organization: str, **health: object) -> Environment:
    content = {
        "metadata": {"name": "production", "namespace": organization},
        "spec": {"dataPlaneRef": "east", "health": {"everySeconds": 86400, **health}},
    }
    return parse_as(Environment, content)


@pytest.fixture
async def schedule(own_temporal: Client, place: Place) -> ScheduleHandle:
    await keep_sweeps(own_temporal, environment(place.organization))
    return own_temporal.get_schedule_handle(ids.sweep_id(place.organization, "production"))


async def looked(client: Client, schedule: ScheduleHandle) -> SweepResult:
    """Has the schedule begin a look; returns its result when the schedule knows it too."""
    before = (await schedule.describe()).info.num_actions
    await schedule.trigger()
    async with asyncio.timeout(60):
        while True:
            info = (await schedule.describe()).info
            if info.num_actions > before and not info.running_actions:
                break
            await asyncio.sleep(0.05)
    begun = max(info.recent_actions, key=lambda one: one.started_at).action
    assert isinstance(begun, ScheduleActionExecutionStartWorkflow)
    handle = client.get_workflow_handle_for(SweepWorkflow.run, begun.workflow_id)
    return await handle.result()


async def test_a_change_is_told_once_everywhere_after_enough_looks(
    own_temporal: Client, place: Place, schedule: ScheduleHandle
) -> None:
    await looked(own_temporal, schedule)
    place.healthy = False
    first = await looked(own_temporal, schedule)
    second = await looked(own_temporal, schedule)
    third = await looked(own_temporal, schedule)

    assert (first.unhealthy, first.told[0].against) == ((), 1)
    assert second.unhealthy == third.unhealthy == (WEB,)
    assert [one.turn for one in second.changes] == [Turn.UNHEALTHY]
    assert third.changes == ()
    assert place.facts == ["health.changed: component web is unhealthy"]
    assert [one.kind for one in place.notices] == ["health.changed"]
    assert "component web is unhealthy" in place.notices[0].title
    assert [[one.healthy for one in report.told] for report in place.reports] == [[True], [False]]


async def test_a_plane_that_does_not_answer_changes_nothing_that_is_known(
    own_temporal: Client, place: Place, schedule: ScheduleHandle
) -> None:
    place.healthy = False
    await looked(own_temporal, schedule)
    place.plane_answers = False
    dark = await looked(own_temporal, schedule)
    place.plane_answers = True
    after = await looked(own_temporal, schedule)

    assert "the plane is dark" in dark.unanswered
    assert dark.told[0].against == 1
    assert after.unhealthy == (WEB,)


async def test_an_environment_without_its_plane_is_not_called_unwell_and_says_why(
    own_temporal: Client, place: Place, schedule: ScheduleHandle
) -> None:
    place.queue = ""

    seen = await looked(own_temporal, schedule)

    assert (seen.unanswered, seen.unhealthy) == ("there is no DataPlane east", ())
    assert place.facts == []


async def test_what_people_could_not_be_told_is_told_by_the_next_look(
    own_temporal: Client, place: Place, schedule: ScheduleHandle
) -> None:
    place.healthy, place.mail_works = False, False
    await looked(own_temporal, schedule)
    unsent = await looked(own_temporal, schedule)
    place.mail_works = True
    after = await looked(own_temporal, schedule)

    assert [one.subject for one in unsent.unsent] == [WEB]
    assert after.unsent == ()
    assert len(place.notices) == 1
    assert place.facts == ["health.changed: component web is unhealthy"]


async def test_an_environment_nobody_wants_looked_at_loses_its_schedule(
    own_temporal: Client, place: Place, schedule: ScheduleHandle
) -> None:
    place.declared = False
    await own_temporal.execute_workflow(
        SweepWorkflow.run,
        SweepRequest(organization=place.organization, environment="production"),
        id=f"sweep-{place.organization}",
        task_queue=ids.ORCHESTRATION_QUEUE,
    )

    with pytest.raises(RPCError, match="not found"):
        await schedule.describe()


async def changed(client: Client, place: Place, act: ScheduleAct, reason: str) -> ScheduleChanged:
    order = ScheduleOrder(
        organization=place.organization,
        schedule=ids.sweep_id(place.organization, "production"),
        act=act,
        actor="ada",
        reason=reason,
        at=datetime.now(UTC),
    )
    return await client.execute_workflow(
        ScheduleChangeWorkflow.run,
        order,
        id=ids.schedule_change_id(place.organization, uuid4().hex),
        task_queue=ids.ORCHESTRATION_QUEUE,
    )


async def test_what_a_person_paused_no_resource_starts_and_who_it_was_is_written_down(
    own_temporal: Client, place: Place, schedule: ScheduleHandle
) -> None:
    paused = await changed(own_temporal, place, ScheduleAct.PAUSE, "a move")
    again = await changed(own_temporal, place, ScheduleAct.PAUSE, "another")
    await keep_sweeps(own_temporal, environment(place.organization, everySeconds=3600))
    kept = (await schedule.describe()).schedule
    await changed(own_temporal, place, ScheduleAct.RESUME, "moved")
    await keep_sweeps(own_temporal, environment(place.organization))
    resumed = (await schedule.describe()).schedule

    assert (paused.changed, again.changed) == (True, False)
    assert (kept.state.paused, kept.state.note) == (True, "paused by ada: a move")
    assert kept.spec.intervals[0].every.total_seconds() == 3600
    assert not resumed.state.paused
    assert [one.split(":")[0] for one in place.facts] == [
        "schedule.paused", "schedule.paused", "schedule.resumed"
    ]  # fmt: skip


async def test_an_environment_that_asks_for_no_looks_any_more_has_no_schedule(
    own_temporal: Client, place: Place, schedule: ScheduleHandle
) -> None:
    asks = environment(place.organization)
    silent = asks.model_copy(update={"spec": asks.spec.model_copy(update={"health": None})})
    changed_by = [await keep_sweeps(own_temporal, silent) for _ in range(2)]
    with pytest.raises(RPCError) as gone:
        await schedule.describe()

    assert changed_by == [True, False]
    assert gone.value.status is RPCStatusCode.NOT_FOUND
