"""Rights for a while: only with the word of others, and over by themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.worker import Worker

from domain import ids
from domain.deliveries import OperationStatus
from domain.deliveries.approval_votes import Act, ApprovalDecision, ApprovalPerson
from domain.deliveries.approvals import ApprovalRule, ApprovalStanding
from domain.deliveries.break_glass import BreakGlass, BreakGlassPlan, BreakGlassRequest, GrantOrder
from domain.deliveries.notices import Notice
from domain.phases import Phase
from domain.records import FactBatch, Recorded
from tests.serving import own_client, served
from tests.workflows.approving import ANN, BOB, Approvals
from workflows.approvals.approval import ApprovalWorkflow
from workflows.rights.break_glass import BreakGlassWorkflow
from workflows.rights.starting import start_break_glass

pytestmark = pytest.mark.workflows
LEADS = ApprovalRule(groups=("leads",))


class Rights:
    """What an organization gives, and who has it."""

    def __init__(self, client: Client, keys: Path, organization: str) -> None:
        self.client = client
        self.approvals = Approvals(client, keys)
        self.organization = organization
        self.rule = LEADS
        self.given: dict[str, GrantOrder] = {}
        self.lifted: list[datetime] = []
        self.writing = asyncio.Event()
        self.may_write = asyncio.Event()
        self.may_write.set()

    @activity.defn
    async def plan_break_glass(self, _: BreakGlassRequest) -> BreakGlassPlan:
        return BreakGlassPlan(rule=self.rule)

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        self.writing.set()
        await self.may_write.wait()
        return await self.approvals.record(batch)

    @activity.defn
    async def place_grant(self, order: GrantOrder) -> None:
        self.given[order.id] = order

    @activity.defn
    async def lift_grant(self, order: GrantOrder) -> None:
        self.given.pop(order.id, None)
        self.lifted.append(activity.info().scheduled_time)

    @asynccontextmanager
    async def workers(self) -> AsyncIterator[None]:
        own = await own_client(self.client)
        workflows = [ApprovalWorkflow, BreakGlassWorkflow]
        activities: list[Any] = [
            self.plan_break_glass, self.place_grant, self.lift_grant, self.record,
            *self.approvals.people(),
        ]  # fmt: skip
        made = [
            Worker(own, task_queue=ids.LANES_QUEUE, workflows=workflows),
            Worker(own, task_queue=ids.CONTROL_QUEUE, activities=activities),
        ]
        async with served(made):
            yield

    async def ask(self, seconds: int = 3600) -> WorkflowHandle[Any, BreakGlass]:
        request = BreakGlassRequest(
            organization=self.organization,
            environment="production",
            role="admin",
            person=BOB.email,
            reason="the shop is down",
            seconds=seconds,
        )
        return await start_break_glass(self.client, request)

    async def says(
        self, person: ApprovalPerson, act: Act = Act.APPROVE, at: datetime | None = None
    ) -> ApprovalStanding:
        place = ids.break_glass_id(self.organization, BOB.email, "production")
        handle: WorkflowHandle[Any, Any] = self.client.get_workflow_handle(ids.approval_id(place))
        standing = await handle.query("approval", result_type=ApprovalStanding)
        decision = ApprovalDecision(act=act, hash=standing.hash, text="seen")
        signed = self.approvals.signer.sign(handle.id, decision, person, at)
        answer: ApprovalStanding = await handle.execute_update(
            "decide", signed, result_type=ApprovalStanding
        )
        return answer

    async def told(self) -> list[str]:
        return list({one.key: one.action for one in self.approvals.facts}.values())


@pytest.fixture
async def rights(own_temporal: Client, tmp_path: Path, organization: str) -> AsyncIterator[Rights]:
    rights = Rights(own_temporal, tmp_path, organization)
    async with rights.workers():
        yield rights


async def waits(handle: WorkflowHandle[Any, Any], step: str) -> None:
    async with asyncio.timeout(60):
        while True:
            status: OperationStatus = await handle.query("status", result_type=OperationStatus)
            if [one.name for one in status.steps if one.phase == "Running"] == [step]:
                return
            await asyncio.sleep(0.05)


async def asked(rights: Rights, person: ApprovalPerson, act: Act = Act.APPROVE) -> None:
    """Has somebody decide, once it is asked."""
    async with asyncio.timeout(60):
        while "approval.asked" not in await rights.told():  # noqa: ASYNC110 - what workers do has no event
            await asyncio.sleep(0.05)
    await rights.says(person, act)


async def test_a_right_is_given_once_another_agrees_and_taken_back_by_a_cancel(
    rights: Rights,
) -> None:
    handle = await rights.ask()
    await waits(handle, "approval")
    assert rights.given == {}

    await asked(rights, ANN)
    await waits(handle, "end")

    (order,) = rights.given.values()
    assert (order.request.person, order.request.role, order.approved_by) == (
        BOB.email,
        "admin",
        (ANN.email,),
    )
    assert (await rights.ask(60)).id == handle.id  # one at a time: the same one
    await handle.cancel(reason="ann: it is over")
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert rights.given == {}
    said = [one for one in await rights.told() if one.startswith("break-glass")]
    assert said == ["break-glass.requested", "break-glass.granted", "break-glass.cancelled"]


async def test_a_cancel_is_heeded_that_comes_while_the_order_is_written_down(
    rights: Rights,
) -> None:
    rights.may_write.clear()
    handle = await rights.ask()
    async with asyncio.timeout(60):
        await rights.writing.wait()
        await handle.cancel(reason="bob: it was nothing")
        rights.may_write.set()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
    assert await rights.told() == ["break-glass.requested", "break-glass.cancelled"]


async def test_what_others_refuse_is_never_given(rights: Rights) -> None:
    handle = await rights.ask()
    await waits(handle, "approval")
    await asked(rights, ANN, Act.REJECT)
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert "rejected by ann@acme.example: seen" in str(failed.value.cause)
    assert (rights.given, rights.lifted) == ({}, [])
    assert "break-glass.denied" in await rights.told()


async def test_a_rule_that_changed_while_people_were_asked_gives_nothing(rights: Rights) -> None:
    handle = await rights.ask()
    await waits(handle, "approval")
    rights.rule = ApprovalRule(groups=("security",))
    await asked(rights, ANN)
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert "the rule changed while people were asked" in str(failed.value.cause)
    assert rights.given == {}


async def test_a_right_ends_by_itself(skipping: Client, tmp_path: Path, organization: str) -> None:
    rights = Rights(skipping, tmp_path, organization)

    async def told(notice: Notice, at: datetime) -> None:
        if notice.kind == "approval.asked":
            await rights.says(ANN, at=at)

    rights.approvals.told = told
    rights.approvals.hears(
        ids.approval_id(ids.break_glass_id(organization, BOB.email, "production"))
    )
    async with rights.workers():
        handle = await rights.ask(4 * 3600)
        done = await handle.result()

    assert done.phase is Phase.SUCCEEDED
    assert done.until is not None
    (lifted,) = rights.lifted
    assert timedelta(0) <= lifted - done.until < timedelta(minutes=5)
    assert rights.given == {}
