"""Heads of audit chains are signed by a schedule, once each."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import Client, ScheduleOverlapPolicy, WorkflowFailureError
from temporalio.worker import Worker

from activities.records.facts import RecordActivities
from activities.records.signing import SigningActivities
from api.views.records import verified
from clients.head_keys import HeadKeys
from clients.records import SqlRecords
from clients.transit import Signer, TransitSignature
from domain import ids
from domain.errors import InvalidRequest
from domain.records import FactBatch, HeadsSigned, SigningRequest
from tests.unit.records.samples import a_fact
from tests.unit.records.signing import LocalSigner
from workflows.records.audit_signing import SignAuditHeadsWorkflow
from workflows.schedules import AUDIT_SIGNING, schedule

pytestmark = pytest.mark.workflows


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SqlRecords]:
    records = SqlRecords.open(f"sqlite:///{tmp_path / 'records.db'}")
    await records.migrate()
    yield records
    await records.close()


@asynccontextmanager
async def signing(client: Client, records: SqlRecords, signer: Signer) -> AsyncIterator[None]:
    kept = RecordActivities(records)
    async with AsyncExitStack() as stack:
        executor = stack.enter_context(ThreadPoolExecutor(2))
        for worker in (
            Worker(client, task_queue=ids.ORCHESTRATION_QUEUE, workflows=[SignAuditHeadsWorkflow]),
            Worker(
                client,
                task_queue=ids.CONTROL_QUEUE,
                activities=[kept.read_unsigned_heads, kept.write_signatures],
            ),
            Worker(
                client,
                task_queue=ids.SECRETS_QUEUE,
                activities=[SigningActivities(signer).sign_heads],
                activity_executor=executor,
                max_concurrent_activities=2,
            ),
        ):
            await stack.enter_async_context(worker)
        yield


async def sign(client: Client) -> HeadsSigned:
    return await client.execute_workflow(
        SignAuditHeadsWorkflow.run,
        SigningRequest(),
        id=f"sign-{uuid.uuid4().hex}",
        task_queue=ids.ORCHESTRATION_QUEUE,
    )


async def wrote(records: SqlRecords, organization: str, steps: Iterable[int]) -> None:
    facts = tuple(a_fact(f"s{step}", organization=organization) for step in steps)
    await records.append(FactBatch(facts=facts))


async def test_every_head_is_signed_once_and_again_when_its_chain_grew(
    temporal: Client, records: SqlRecords
) -> None:
    signer = LocalSigner()
    await wrote(records, "acme", range(3))
    await wrote(records, "-", range(1))
    async with signing(temporal, records, signer):
        first = await sign(temporal)
        second = await sign(temporal)
        await wrote(records, "acme", range(3, 5))
        third = await sign(temporal)

    assert [each.signed for each in (first, second, third)] == [2, 0, 1]
    assert len(signer.signed) == 3
    assert [each.sequence for each in await records.signatures("acme")] == [3, 5]
    found = await verified(records, "acme", HeadKeys(None))
    assert (found.holds, found.signed, found.rows) == (True, 5, 5)


async def test_of_two_signatures_under_one_row_the_first_stays(records: SqlRecords) -> None:
    await wrote(records, "acme", range(2))
    (head,) = await records.unsigned(10)
    first, second = LocalSigner("one:1").head(head), LocalSigner("two:1").head(head)

    assert [await records.add_signatures([each]) for each in (first, second)] == [1, 0]
    assert await records.signatures("acme") == [first]


async def test_a_signing_that_is_refused_for_good_fails_and_leaves_nothing(
    temporal: Client, records: SqlRecords
) -> None:
    class Refusing:
        def sign(self, content: bytes) -> TransitSignature:
            raise InvalidRequest(f"no signature under {len(content)} bytes")

    await wrote(records, "acme", range(2))
    async with signing(temporal, records, Refusing()):
        with pytest.raises(WorkflowFailureError):
            await sign(temporal)

    assert await records.signatures("acme") == []


async def test_the_schedule_is_made_once_keeps_its_pause_and_takes_a_new_interval(
    temporal: Client, records: SqlRecords
) -> None:
    hour = timedelta(hours=1)
    made = [await schedule(temporal, AUDIT_SIGNING, hour) for _ in range(2)]
    handle = temporal.get_schedule_handle(AUDIT_SIGNING.name)
    try:
        await handle.pause(note="ada looks at it")
        made.append(await schedule(temporal, AUDIT_SIGNING, 2 * hour))
        kept = (await handle.describe()).schedule
    finally:
        await handle.delete()

    assert made == [True, False, True]
    assert kept.spec.intervals[0].every == 2 * hour
    assert kept.policy.overlap is ScheduleOverlapPolicy.SKIP
    assert (kept.state.paused, kept.state.note) == (True, "ada looks at it")
