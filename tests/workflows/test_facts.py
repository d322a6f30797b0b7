"""What builds and deployments write down about themselves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError

from activities.records.histories import entry_of
from clients.records import FactFilter, HistoryFilter, SqlRecords
from domain.deliveries import (
    BuildRequest,
    DeployRecord,
    Trigger,
    TriggerKind,
)
from domain.errors import BuildFailed, DependencyUnavailable, RolloutFailed
from domain.phases import Phase
from domain.records import AuditFact, FactBatch, FactResult
from tests.workflows.conftest import COMMIT, World
from tests.workflows.test_deployments import a_request, forever, until_waiting
from workflows.starting import enqueue_deployment, signal_deployment, start_build

pytestmark = pytest.mark.workflows
ADA = Trigger(kind=TriggerKind.API, actor="ada@example.com")


def told(facts: tuple[AuditFact, ...]) -> list[tuple[str, str]]:
    return [(fact.action, fact.result.value) for fact in facts]


@pytest.fixture
async def records(tmp_path: Path) -> AsyncIterator[SqlRecords]:
    records = SqlRecords.open(f"sqlite:///{tmp_path / 'records.db'}")
    await records.migrate()
    yield records
    await records.close()


async def test_a_deployment_tells_from_what_to_what_it_brought_the_place(
    temporal: Client, running: World, organization: str
) -> None:
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1", trigger=ADA))
    await handle.result()

    facts = running.last("record_deployment").facts

    assert told(facts) == [("deployment.applied", "done"), ("deployment.succeeded", "done")]
    assert {fact.actor for fact in facts} == {"ada@example.com"}
    assert (facts[0].before, facts[0].after) == ("web-old", "web-a1")
    assert (facts[0].project, facts[0].environment) == ("shop", "dev")
    assert len({fact.key for fact in facts}) == len(facts)


async def test_a_failed_deployment_tells_what_was_restored_and_why(
    temporal: Client, running: World, organization: str
) -> None:
    async def crash(request: Any) -> Any:
        if request.bundle.release == "web-a1":
            raise RolloutFailed("pod crashes")

    running.behaviours["follow_rollout"] = crash
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    facts = running.last("record_deployment").facts

    assert told(facts) == [
        ("deployment.applied", "done"),
        ("deployment.restored", "undone"),
        ("deployment.failed", "failed"),
    ]
    assert (facts[1].before, facts[1].after) == ("web-a1", "web-old")
    assert facts[2].message == "pod crashes"


async def test_a_cancel_tells_who_asked_for_it_and_why(
    temporal: Client, running: World, organization: str
) -> None:
    running.behaviours["follow_rollout"] = forever
    handle = await signal_deployment(temporal, a_request(organization, trigger=ADA))
    await until_waiting(handle, "rollout")

    async def ready(_: Any) -> None:
        return None

    running.behaviours["follow_rollout"] = ready
    await handle.cancel(reason="bob@example.com: the wrong one")
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    last = running.last("record_deployment").facts[-1]

    assert (last.action, last.actor, last.reason, last.result) == (
        "deployment.cancelled",
        "bob@example.com",
        "the wrong one",
        FactResult.UNDONE,
    )


async def test_a_request_that_gave_way_while_it_waited_is_told(
    temporal: Client, running: World, organization: str
) -> None:
    gate = asyncio.Event()

    async def slow(_: Any) -> None:
        await gate.wait()

    running.behaviours["prepare_release"] = slow
    automatic = Trigger(kind=TriggerKind.RESOURCE)
    handle, _ = await enqueue_deployment(temporal, a_request(organization, trigger=ADA))
    for name in ("old", "new"):
        await enqueue_deployment(temporal, a_request(organization, name, trigger=automatic))
    gate.set()
    await handle.result()

    facts = [
        fact
        for name, record in running.calls
        if name == "record_deployment"
        for fact in record.facts
    ]

    (superseded,) = [fact for fact in facts if fact.action == "deployment.superseded"]
    assert superseded.reason == "gave way to new"
    assert len({fact.key for fact in facts}) == len(facts)


async def test_where_the_time_went_is_told(
    temporal: Client, running: World, organization: str
) -> None:
    handle = await signal_deployment(temporal, a_request(organization))
    await handle.result()

    record: DeployRecord = running.last("record_deployment")
    entry = entry_of(record, record.started or record.request.asked)  # type: ignore[arg-type]

    assert record.request.asked is not None
    assert entry.lead_time.queue is not None
    assert entry.lead_time.apply is not None
    assert entry.lead_time.rollout is not None
    assert (entry.from_release, entry.phase) == ("web-old", Phase.SUCCEEDED)


async def test_facts_are_written_once_when_the_record_is_tried_again(
    temporal: Client, running: World, organization: str, records: SqlRecords
) -> None:
    """A worker that dies after the commit and before its answer looks the same to the server."""
    tries = 0

    async def dies_after_the_commit(record: DeployRecord) -> None:
        nonlocal tries
        tries += 1
        entry = entry_of(record, record.finished or record.started)  # type: ignore[arg-type]
        await records.append(FactBatch(facts=record.facts, deployments=(entry,)))
        if tries == 1:
            raise DependencyUnavailable("the answer was lost")

    running.behaviours["record_deployment"] = dies_after_the_commit
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))
    await handle.result()

    assert tries == 2
    rows = await records.facts(FactFilter(organization), 10)
    assert [row.fact.action for row in rows] == ["deployment.succeeded", "deployment.applied"]
    assert len(await records.history(HistoryFilter(organization), 10)) == 1


async def test_a_build_tells_what_it_made(
    temporal: Client, running: World, organization: str
) -> None:
    started = await start_build(
        temporal,
        BuildRequest(organization=organization, component="web", commit=COMMIT, trigger=ADA),
    )
    await temporal.get_workflow_handle(started.workflow_id).result()

    (fact,) = running.last("record_build").facts

    assert (fact.action, fact.actor, fact.before) == ("build.succeeded", "ada@example.com", COMMIT)
    assert fact.after_hash.startswith("sha256:")


async def test_a_failed_build_tells_why(
    temporal: Client, running: World, organization: str
) -> None:
    async def broken(_: Any) -> None:
        raise BuildFailed("tests failed")

    running.behaviours["follow_build"] = broken
    started = await start_build(
        temporal, BuildRequest(organization=organization, component="web", commit=COMMIT)
    )
    with suppress(WorkflowFailureError):
        await temporal.get_workflow_handle(started.workflow_id).result()

    (fact,) = running.last("record_build").facts

    assert (fact.action, fact.result, fact.message) == (
        "build.failed",
        FactResult.FAILED,
        "tests failed",
    )
