"""Sets of components: all or none, in the order of what they need, or a batch with a budget."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.service import RPCError, RPCStatusCode
from temporalio.worker import Worker

from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.promotions import Promotion, PromotionRequest
from domain.deliveries.rollbacks import Rollback, RollbackRequest
from domain.deliveries.sets import ReleaseSet, SetAct, SetCommand, SetMember, SetRequest
from domain.errors import Conflict, InvalidRequest
from domain.phases import Phase
from domain.records import AuditFact, FactBatch, Recorded
from tests.serving import own_client, served
from workflows.sets.release_set import ReleaseSetWorkflow
from workflows.sets.starting import command_set, read_set, start_set

pytestmark = pytest.mark.workflows


@workflow.defn(name="PromotionWorkflow")
class ScriptedPromotion:
    """Ends by what its component is called: bad fails, same changes nothing, else it is told to."""

    @workflow.init
    def __init__(self, request: PromotionRequest) -> None:
        self._may_end = not request.component.startswith("slow")

    @workflow.run
    async def run(self, request: PromotionRequest) -> Promotion:
        await workflow.wait_condition(lambda: self._may_end)
        if request.component.startswith("bad"):
            raise ApplicationError("a gate is closed", type="Denied", non_retryable=True)
        return Promotion(
            organization=request.organization,
            component=request.component,
            environment=request.environment,
            request_id="of another" if request.component == "taken" else request.request_id,
            phase=Phase.SUCCEEDED,
            release=f"{request.component}-new",
            changed=not request.component.startswith("same"),
        )

    @workflow.signal
    def end(self) -> None:
        self._may_end = True


@workflow.defn(name="RollbackWorkflow")
class ScriptedRollback:
    """Says that what is asked for is done, unless the component is stuck."""

    @workflow.run
    async def run(self, request: RollbackRequest) -> Rollback:
        if request.component.startswith("stuck"):
            raise ApplicationError("nothing ran before", type="Denied", non_retryable=True)
        return Rollback(
            organization=request.organization,
            component=request.component,
            environment=request.environment,
            request_id=request.request_id,
            phase=Phase.SUCCEEDED,
            bad=request.bad,
            message=f"{request.bad} is gone",
        )


class Sets:
    """A world in which only the set itself is real."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.organization = f"org{uuid.uuid4().hex[:8]}"
        self.facts: list[AuditFact] = []
        self.may_write = asyncio.Event()
        """Set = facts can be written down."""
        self.may_write.set()

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        await self.may_write.wait()
        self.facts += batch.facts
        return Recorded(facts=len(batch.facts))

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        lanes = [ReleaseSetWorkflow, ScriptedPromotion]
        own = await own_client(self.client)
        workers = [
            Worker(own, task_queue=ids.LANES_QUEUE, workflows=lanes),
            Worker(own, task_queue=ids.ORCHESTRATION_QUEUE, workflows=[ScriptedRollback]),
            Worker(own, task_queue=ids.CONTROL_QUEUE, activities=[self.record]),
        ]
        async with served(workers):
            yield

    async def start(self, *members: str | SetMember, **more: Any) -> WorkflowHandle[Any, Any]:
        given = [SetMember(component=one) if isinstance(one, str) else one for one in members]
        asked = SetRequest(
            organization=self.organization,
            name="shop",
            environment="prod",
            members=tuple(given),
            trigger=Trigger(actor="dev"),
            **{"request_id": "one", **more},
        )
        return await start_set(self.client, asked)

    async def seen(self) -> ReleaseSet:
        return await read_set(self.client, self.organization, "shop", "prod")

    async def stands(self, **wanted: str) -> ReleaseSet:
        """Returns the set once these members stand so."""
        while True:
            found = await self.seen()
            phases = {one.component.replace("-", "_"): one.phase.value for one in found.members}
            if all(phases[name] == phase for name, phase in wanted.items()):
                return found
            await asyncio.sleep(0.02)

    async def ends(self, component: str) -> None:
        """Lets a slow member come to its end, once it has begun."""
        place = ids.promotion_id(self.organization, component, "prod")
        while True:
            try:
                await self.client.get_workflow_handle(place).signal("end")
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:
                    raise
                await asyncio.sleep(0.02)
            else:
                return

    async def say(self, act: SetAct, component: str = "") -> ReleaseSet:
        command = SetCommand(act=act, component=component, reason="because", by="ada")
        return await command_set(self.client, self.organization, "shop", "prod", command)

    async def began(self, component: str) -> bool:
        place = ids.promotion_id(self.organization, component, "prod")
        query = f"WorkflowId = '{place}'"
        return (await self.client.count_workflows(query)).count > 0


@pytest.fixture
async def sets(temporal: Client) -> AsyncIterator[Sets]:
    world = Sets(temporal)
    async with world.serving():
        yield world


def after(component: str, *others: str) -> SetMember:
    return SetMember(component=component, after=others)


async def failure(handle: WorkflowHandle[Any, Any]) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


async def test_what_others_need_comes_first_and_all_come(sets: Sets) -> None:
    handle = await sets.start(after("web", "slow-api"), after("slow-api"))
    found = await sets.stands(web="Waiting", slow_api="Running")
    assert [one.component for one in found.members] == ["web", "slow-api"]

    await sets.ends("slow-api")
    done = await handle.result()

    assert (done.phase, {one.phase.value for one in done.members}) == (Phase.SUCCEEDED, {"Done"})
    assert [one.action for one in sets.facts] == ["set.requested", "set.succeeded"]


async def test_a_unit_that_does_not_come_whole_is_taken_back_in_reverse(sets: Sets) -> None:
    handle = await sets.start(
        "db", after("same", "db"), after("api", "same"), after("bad", "api"), after("web", "bad")
    )

    cause = await failure(handle)

    assert (cause.type, cause.message) == ("Failed", "bad: a gate is closed")
    found = await sets.seen()
    assert {one.component: one.phase.value for one in found.members} == {
        "db": "Undone",
        "same": "Done",  # it ran there before, so there is nothing to take back
        "api": "Undone",
        "bad": "Failed",
        "web": "Skipped",
    }
    rolled = [
        one.id
        async for one in sets.client.list_workflows(
            f"WorkflowType = 'RollbackWorkflow' AND WorkflowId STARTS_WITH "
            f"'rollback/{sets.organization}/'"
        )
    ]
    assert sorted(one.split("/")[2] for one in rolled) == ["api", "db"]


async def test_what_cannot_be_taken_back_is_told(sets: Sets) -> None:
    handle = await sets.start("stuck", after("bad", "stuck"))

    cause = await failure(handle)

    assert cause.type == "Errored"
    assert "not all was taken back" in cause.message
    (stuck, _) = (await sets.seen()).members
    assert stuck.message == "not rolled back: nothing ran before"


async def test_a_cancel_of_a_unit_stops_some_and_takes_others_back(sets: Sets) -> None:
    handle = await sets.start("db", after("slow-api", "db"), after("web", "slow-api"))
    await sets.stands(db="Done", slow_api="Running")

    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, CancelledError)
    phases = {one.component: one.phase.value for one in (await sets.seen()).members}
    assert phases == {"db": "Undone", "slow-api": "Failed", "web": "Skipped"}
    assert sets.facts[-1].action == "set.cancelled"


async def test_a_batch_goes_on_within_its_budget_and_ends_with_what_came(sets: Sets) -> None:
    members = ("bad-1", "a", "bad-2", "b", "c")
    handle = await sets.start(*members, is_unit=False, failure_budget=1, max_parallel=1)

    cause = await failure(handle)

    assert cause.message == "bad-1: a gate is closed; bad-2: a gate is closed"
    phases = {one.component: one.phase.value for one in (await sets.seen()).members}
    assert phases == {
        "bad-1": "Failed",
        "a": "Done",
        "bad-2": "Failed",
        "b": "Skipped",
        "c": "Skipped",
    }


async def test_what_needs_a_member_that_did_not_come_is_left_out_and_others_go_on(
    sets: Sets,
) -> None:
    members = (after("web", "bad-api"), after("bad-api"), after("taken"), after("slow-job"))
    handle = await sets.start(*members, is_unit=False, failure_budget=5)
    found = await sets.stands(web="Skipped", taken="Failed", slow_job="Running")
    status = await handle.query(ReleaseSetWorkflow.status)
    await sets.ends("slow-job")

    cause = await failure(handle)

    said = {one.component: one.message for one in found.members}
    assert said["taken"] == "another promotion took its place"
    assert "bad-api" in said["web"]
    assert status.phase is Phase.RUNNING
    assert cause.message.startswith("bad-api: a gate is closed; taken: another")
    await sets.stands(slow_job="Done")


async def test_a_batch_in_which_all_is_left_out_ends(sets: Sets) -> None:
    handle = await sets.start("slow-1", "a", is_unit=False, max_parallel=1)
    await sets.stands(slow_1="Running")
    await sets.say(SetAct.EXCLUDE, "a")
    await sets.ends("slow-1")

    done = await handle.result()

    assert done.phase is Phase.SUCCEEDED
    await sets.stands(slow_1="Done", a="Excluded")


async def test_no_more_go_at_once_than_may_and_those_on_their_way_come_to_their_end(
    sets: Sets,
) -> None:
    handle = await sets.start("slow-1", "bad", "slow-2", is_unit=False, max_parallel=2)
    await sets.stands(slow_1="Running", bad="Failed", slow_2="Waiting")

    await sets.ends("slow-1")
    cause = await failure(handle)

    assert cause.message == "bad: a gate is closed"
    await sets.stands(slow_1="Done", slow_2="Skipped")


async def test_a_batch_is_paused_resumed_and_members_are_taken_out(sets: Sets) -> None:
    handle = await sets.start("slow-1", "b", "c", is_unit=False, max_parallel=1)
    await sets.stands(slow_1="Running")
    assert (await sets.say(SetAct.PAUSE)).is_paused
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await sets.say(SetAct.EXCLUDE, "slow-1")
    assert isinstance(refused.value.cause, ApplicationError)
    assert "only what waits can be excluded" in refused.value.cause.message
    await sets.say(SetAct.EXCLUDE, "b")
    await sets.ends("slow-1")
    await sets.stands(slow_1="Done", b="Excluded", c="Waiting")

    await sets.say(SetAct.RESUME)
    done = await handle.result()

    assert [one.phase.value for one in done.members] == ["Done", "Excluded", "Done"]
    told = [(one.action, one.actor) for one in sets.facts][1:-1]
    assert told == [("set.paused", "ada"), ("set.excluded", "ada"), ("set.resumed", "ada")]
    assert not await sets.began("b")


async def test_what_is_promoted_by_another_already_fails_its_member(sets: Sets) -> None:
    asked = PromotionRequest(
        organization=sets.organization, component="slow-1", environment="prod", request_id="other"
    )
    place = ids.promotion_id(sets.organization, "slow-1", "prod")
    other = await sets.client.start_workflow(
        ScriptedPromotion.run, asked, id=place, task_queue=ids.LANES_QUEUE
    )

    cause = await failure(await sets.start("slow-1"))
    await sets.ends("slow-1")
    await other.result()

    assert "is on its way already" in cause.message


async def test_members_begin_at_the_rate_that_is_asked_for(sets: Sets) -> None:
    handle = await sets.start("a", "b", is_unit=False, every_seconds=3600)
    await sets.stands(a="Done", b="Waiting")

    started = EventType.EVENT_TYPE_TIMER_STARTED
    waits = [
        one.timer_started_event_attributes.start_to_fire_timeout.ToTimedelta()
        for one in (await handle.fetch_history()).events
        if one.event_type == started
    ]
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert all(timedelta(minutes=30) < wait <= timedelta(hours=1) for wait in waits)
    assert waits
    assert not await sets.began("b")


async def test_the_next_member_begins_when_its_time_comes_though_another_is_on_its_way(
    sets: Sets,
) -> None:
    handle = await sets.start("slow-1", "b", is_unit=False, every_seconds=1)
    await sets.stands(slow_1="Running", b="Done")
    await sets.ends("slow-1")

    assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_a_set_that_nobody_resumes_within_a_month_is_given_up(skipping: Client) -> None:
    sets = Sets(skipping)
    async with sets.serving():
        handle = await sets.start("slow-1", "b", is_unit=False, max_parallel=1)
        await sets.stands(slow_1="Running")
        await sets.say(SetAct.PAUSE)
        await sets.ends("slow-1")
        cause = await failure(handle)
        described = await handle.describe()

    assert (cause.type, cause.message) == ("Denied", "nothing came of it within 30 days")
    assert described.close_time is not None
    assert described.close_time - described.start_time >= timedelta(days=30)


async def test_members_of_which_each_waits_for_the_other_are_refused_at_once(sets: Sets) -> None:
    with pytest.raises(InvalidRequest, match="set shop"):
        await sets.start(after("a", "b"), after("b", "a"))

    assert not await sets.began("a")


async def test_a_set_cancelled_while_it_is_paused_has_begun_nothing(sets: Sets) -> None:
    handle = await sets.start("slow-1", "b", is_unit=False, max_parallel=1)
    await sets.stands(slow_1="Running")
    await sets.say(SetAct.PAUSE)
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    await sets.stands(slow_1="Failed", b="Skipped")
    assert not await sets.began("b")


async def test_a_set_cancelled_before_it_was_written_down_begins_nothing(sets: Sets) -> None:
    sets.may_write.clear()
    handle = await sets.start("a", "b")
    await handle.cancel()
    sets.may_write.set()
    with pytest.raises(WorkflowFailureError) as stopped:
        await handle.result()

    assert isinstance(stopped.value.cause, CancelledError)
    await sets.stands(a="Skipped", b="Skipped")
    assert [one.action for one in sets.facts] == ["set.requested", "set.cancelled"]


async def test_asking_again_is_the_same_and_another_set_of_that_name_has_to_wait(
    sets: Sets,
) -> None:
    first = await sets.start("slow-1")
    again = await sets.start("slow-1")
    assert again.id == first.id
    with pytest.raises(Conflict, match="give this set another name"):
        await sets.start("slow-1", request_id="two")

    await sets.ends("slow-1")
    assert (await first.result()).phase is Phase.SUCCEEDED
