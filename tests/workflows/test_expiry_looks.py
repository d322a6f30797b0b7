"""Secrets that expire are looked at by the clock, and their owners are told once."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import pytest
from temporalio import activity
from temporalio.client import Client, ScheduleActionExecutionStartWorkflow, ScheduleHandle
from temporalio.worker import Worker

from domain import ids
from domain.deliveries.expiry import (
    ExpiringSecret,
    ExpiringSecrets,
    ExpiryLook,
    ExpiryRequest,
    FindExpiring,
    OrganizationNames,
)
from domain.deliveries.notices import Notice, NoticeReceipt
from domain.errors import Errored
from domain.records import AuditFact, FactBatch, Recorded
from tests.serving import own_client, served
from workflows.expiry.look import ExpiryLookWorkflow
from workflows.schedules import EXPIRY_LOOK, schedule

pytestmark = pytest.mark.workflows
T = TypeVar("T")


class Owners:
    """Two organizations; the mail of one of them may be dark."""

    def __init__(self) -> None:
        self.names = tuple(sorted(f"o-{uuid4().hex[:8]}" for _ in range(2)))
        self.secrets: list[ExpiringSecret] = []
        self.dark = ""
        self.notices: list[Notice] = []
        self.facts: list[AuditFact] = []

    def has(self, organization: str, path: str, days: float, owner: str = "") -> None:
        expires = datetime.now(UTC) + timedelta(days=days)
        self.secrets.append(
            ExpiringSecret(organization=organization, path=path, expires=expires, owner=owner)
        )

    @activity.defn
    async def list_organizations(self, _request: ExpiryRequest) -> OrganizationNames:
        return OrganizationNames(names=self.names)

    @activity.defn
    async def find_expiring(self, request: FindExpiring) -> ExpiringSecrets:
        return ExpiringSecrets(
            items=tuple(one for one in self.secrets if one.expires < request.before)
        )

    @activity.defn
    async def send_notice(self, notice: Notice) -> NoticeReceipt:
        if notice.organization == self.dark:
            raise Errored("the mail server is dark")
        self.notices.append(notice)
        return NoticeReceipt(sent=("email",))

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        self.facts.extend(batch.facts)
        return Recorded()


async def acted(client: Client, schedule: ScheduleHandle, result: type[T]) -> T:
    """Has the schedule begin once; returns the result when the schedule knows it too."""
    before = (await schedule.describe()).info.num_actions
    await schedule.trigger()
    async with asyncio.timeout(60):
        while True:
            info = (await schedule.describe()).info
            if info.num_actions > before and not info.running_actions:
                break
            await asyncio.sleep(0.1)
    action = info.recent_actions[-1].action
    assert isinstance(action, ScheduleActionExecutionStartWorkflow)
    handle = client.get_workflow_handle(action.workflow_id, result_type=result)
    done: T = await handle.result()
    return done


async def looked(client: Client, schedule: ScheduleHandle) -> ExpiryLook:
    return await acted(client, schedule, ExpiryLook)


async def test_each_owner_is_told_once_and_again_only_when_they_could_not_be(
    own_temporal: Client,
) -> None:
    owners, client = Owners(), await own_client(own_temporal)
    first, second = owners.names
    owners.has(first, "shop/production/db", 20, "owners")
    owners.has(first, "shop/production/web", 3, "ada@example.test")
    owners.has(first, "shop/production/far", 90)
    owners.has(second, "shop/smtp", -1)
    owners.dark = second
    control: list[Any] = [owners.list_organizations, owners.send_notice, owners.record]
    workers = [
        Worker(client, task_queue=ids.ORCHESTRATION_QUEUE, workflows=[ExpiryLookWorkflow]),
        Worker(client, task_queue=ids.CONTROL_QUEUE, activities=control),
        Worker(client, task_queue=ids.SECRETS_QUEUE, activities=[owners.find_expiring]),
    ]
    async with served(workers):
        made = [await schedule(own_temporal, EXPIRY_LOOK) for _ in range(2)]
        handle = own_temporal.get_schedule_handle(EXPIRY_LOOK.name)
        at_first = await looked(own_temporal, handle)
        told = [(one.organization, one.groups, one.people) for one in owners.notices]
        owners.dark = ""
        then = await looked(own_temporal, handle)
        last = await looked(own_temporal, handle)

    assert made == [True, False]
    assert (at_first.sent, at_first.unsent) == (1, (second,))
    assert told == [(first, (), ("ada@example.test",)), (first, ("owners",), ())]
    assert (then.sent, then.unsent, last.sent) == (1, (), 0)
    assert [(one.organization, one.kind) for one in owners.notices[2:]] == [
        (second, "secret.expiring")
    ]
    assert [(one.action, one.subject) for one in owners.facts] == [
        ("secret.expiring", "secret shop/production/db"),
        ("secret.expiring", "secret shop/production/web"),
        ("secret.expired", "secret shop/smtp"),
    ]
    assert {one.days for one in last.told} == {30, 7, 0}
