"""The records database on SQLite and on PostgreSQL: equal promises."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text

from clients.records import FactFilter, HistoryFilter, SqlRecords
from clients.records.tables import METADATA
from domain.errors import DependencyUnavailable, InvalidRequest
from domain.records import AuditFact, ChainVerifier, FactBatch, FaultKind, Verification
from tests.unit.records.samples import MOMENT, a_fact, an_entry

pytestmark = pytest.mark.integration


def batch(*facts: AuditFact) -> FactBatch:
    return FactBatch(facts=facts)


async def verified(records: SqlRecords, organization: str = "acme") -> Verification:
    verifier = ChainVerifier(organization)
    head = await records.head(organization)
    async for row in records.chain(organization):
        verifier.feed(row)
    return verifier.finish(head)


async def execute(records: SqlRecords, *statements: str) -> None:
    """Does what only somebody with the database's own rights could do."""
    async with records._database.engine.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def unguard(records: SqlRecords) -> None:
    if records._database.engine.dialect.name == "postgresql":
        await execute(records, "ALTER TABLE audit_facts DISABLE TRIGGER USER")
    else:
        triggers = ("audit_facts_no_update", "audit_facts_no_delete")
        await execute(records, *(f"DROP TRIGGER {trigger}" for trigger in triggers))


async def test_what_is_appended_is_read_newest_first(records: SqlRecords) -> None:
    one, two = a_fact("one"), a_fact("two")
    assert (await records.append(batch(one, two))).facts == 2

    rows = await records.facts(FactFilter("acme"), 10)

    assert [row.fact for row in rows] == [two, one]
    assert [row.sequence for row in rows] == [2, 1]


async def test_a_fact_is_written_once_by_its_key(records: SqlRecords) -> None:
    await records.append(batch(a_fact("one"), a_fact("two")))

    again = await records.append(batch(a_fact("two", reason="other words"), a_fact("three")))

    assert again.facts == 1
    rows = await records.facts(FactFilter("acme"), 10)
    assert [row.fact.action for row in rows] == [
        "deployment.three",
        "deployment.two",
        "deployment.one",
    ]
    assert rows[1].fact.reason == "a fix"
    assert (await verified(records)).holds


async def test_each_organization_has_a_chain_of_its_own(records: SqlRecords) -> None:
    await records.append(batch(a_fact("one"), a_fact("one", organization="other"), a_fact("two")))

    assert await records.organizations() == ["acme", "other"]
    assert (await records.head("acme")).sequence == 2
    assert (await records.head("other")).sequence == 1
    assert (await records.head("nobody")).sequence == 0
    assert (await verified(records, "other")).holds


async def test_many_writers_make_one_chain(writers: list[SqlRecords]) -> None:
    work = [
        writers[number % len(writers)].append(
            batch(*(a_fact(f"s{number // 2}-{part}") for part in range(3)))
        )
        for number in range(80)
    ]

    written = await asyncio.gather(*work)

    assert sum(each.facts for each in written) == 120
    found = await verified(writers[0])
    assert (found.holds, found.rows) == (True, 120)


async def test_writers_of_several_chains_never_block_each_other_for_good(
    writers: list[SqlRecords],
) -> None:
    names = ["a", "b", "c", "d"]

    def facts(number: int) -> FactBatch:
        turned = names[number % 4 :] + names[: number % 4]
        return batch(*(a_fact(f"s{number}", organization=name) for name in turned))

    await asyncio.gather(*(writers[n % 4].append(facts(n)) for n in range(40)))

    for name in names:
        assert (await verified(writers[0], name)).rows == 40


async def test_a_cancelled_caller_does_not_stop_the_others(records: SqlRecords) -> None:
    waiting = [asyncio.create_task(records.append(batch(a_fact(f"s{n}")))) for n in range(5)]
    await asyncio.sleep(0)
    waiting[2].cancel()

    done = await asyncio.gather(*waiting, return_exceptions=True)

    assert sum(isinstance(each, asyncio.CancelledError) for each in done) == 1
    assert (await verified(records)).holds
    assert len(await records.facts(FactFilter("acme"), 10)) >= 4


@pytest.mark.parametrize("table", ["audit_facts", "deployment_history", "audit_signatures"])
@pytest.mark.parametrize("deed", ["UPDATE {} SET organization = 'x'", "DELETE FROM {}"])
async def test_rows_can_be_neither_changed_nor_deleted(
    records: SqlRecords, table: str, deed: str
) -> None:
    await records.append(FactBatch(facts=(a_fact(),), deployments=(an_entry(),)))
    await execute(
        records,
        "INSERT INTO audit_signatures (organization, sequence, hash, signature, at) "
        "VALUES ('acme', 1, 'x', 'y', '2026-01-01 00:00:00')",
    )

    with pytest.raises(Exception, match="append-only"):
        await execute(records, deed.format(table))


async def test_a_row_changed_behind_the_triggers_is_found(records: SqlRecords) -> None:
    await records.append(batch(*(a_fact(f"s{n}") for n in range(5))))
    await unguard(records)
    await execute(
        records,
        "UPDATE audit_facts SET body = replace(body, 'ada@', 'eve@') WHERE sequence = 3",
    )

    (fault,) = (await verified(records)).faults

    assert (fault.sequence, fault.kind) == (3, FaultKind.CHANGED)


async def test_rows_deleted_behind_the_triggers_are_found(records: SqlRecords) -> None:
    await records.append(batch(*(a_fact(f"s{n}") for n in range(5))))
    await unguard(records)
    await execute(records, "DELETE FROM audit_facts WHERE sequence IN (2, 5)")

    faults = (await verified(records)).faults

    assert [fault.sequence for fault in faults] == [2, 5]
    assert {fault.kind for fault in faults} == {FaultKind.MISSING}


async def test_facts_are_found_by_what_they_are_about(records: SqlRecords) -> None:
    await records.append(
        batch(
            a_fact("applied"),
            a_fact("failed", actor="eve@example.com"),
            a_fact("x", component="api", action="build.failed"),
        )
    )

    async def found(**wanted: Any) -> list[str]:
        rows = await records.facts(FactFilter("acme", **wanted), 10)
        return [row.fact.action for row in rows]

    assert await found(component="web") == ["deployment.failed", "deployment.applied"]
    assert await found(action="deployment.") == ["deployment.failed", "deployment.applied"]
    assert await found(action="build.failed") == ["build.failed"]
    assert await found(actor="eve@example.com") == ["deployment.failed"]
    assert await found(before=2) == ["deployment.applied"]
    assert await found(since=MOMENT) == ["build.failed", "deployment.failed", "deployment.applied"]
    assert await found(until=MOMENT) == []


async def test_history_is_written_once_and_read_newest_first(records: SqlRecords) -> None:
    entries = (an_entry("one"), an_entry("two", environment="development"))
    assert (await records.append(FactBatch(deployments=entries))).deployments == 2
    assert (await records.append(FactBatch(deployments=entries))).deployments == 0

    newest, oldest = await records.history(HistoryFilter("acme", component="web"), 10)

    assert (newest.entry, oldest.entry) == (entries[1], entries[0])
    (paged,) = await records.history(HistoryFilter("acme", before=newest.number), 10)
    assert paged == oldest
    (placed,) = await records.history(HistoryFilter("acme", environment="development"), 10)
    assert placed == newest


async def test_a_deployment_is_found_by_number_and_by_name(records: SqlRecords) -> None:
    await records.append(FactBatch(deployments=(an_entry("one"),)))
    found = await records.deployment("acme", "web-production-one")

    assert found is not None
    assert await records.deployment("acme", str(found.number)) == found
    assert await records.deployment("other", str(found.number)) is None
    assert await records.deployment("acme", "nothing") is None


async def test_migrating_makes_the_tables_the_program_knows(records: SqlRecords) -> None:
    def compared(connection: Any) -> None:
        database = inspect(connection)
        for table in METADATA.sorted_tables:
            columns = {one["name"]: one["nullable"] for one in database.get_columns(table.name)}
            assert columns == {one.name: bool(one.nullable) for one in table.columns}
            names = {str(index.name) for index in table.indexes}
            assert names <= {index["name"] for index in database.get_indexes(table.name)}

    async with records._database.engine.connect() as connection:
        await connection.run_sync(compared)
    assert not await records.migrate()
    await records.ready()


async def test_several_processes_migrate_at_once(url: str) -> None:
    processes = [SqlRecords.open(url) for _ in range(4)]

    changed = await asyncio.gather(*(each.migrate() for each in processes))

    assert sorted(changed) == [False, False, False, True]
    await asyncio.gather(*(each.close() for each in processes))


async def test_a_database_without_tables_says_what_to_do(url: str) -> None:
    records = SqlRecords.open(url)

    with pytest.raises(DependencyUnavailable, match="pavane records migrate"):
        await records.ready()
    with pytest.raises(DependencyUnavailable, match="pavane records migrate"):
        await records.append(batch(a_fact()))
    await records.close()


async def test_a_server_that_is_away_is_unavailable_and_its_password_is_not_told() -> None:
    records = SqlRecords.open("postgresql://ada:topsecret@127.0.0.1:1/records")

    with pytest.raises(DependencyUnavailable, match=r"127\.0\.0\.1:1") as caught:
        await records.append(batch(a_fact()))

    assert "topsecret" not in str(caught.value)
    await records.close()


def test_a_url_that_names_no_usable_database_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="mysql"):
        SqlRecords.open("mysql://somewhere/records")
    with pytest.raises(InvalidRequest, match="postgresql://user@host/name"):
        SqlRecords.open("what is this")


async def test_a_question_whose_caller_is_gone_gives_its_connection_back(
    records: SqlRecords,
) -> None:
    await records.append(FactBatch(facts=(a_fact(),)))
    asked = [asyncio.create_task(records.head("acme")) for _ in range(20)]
    await asyncio.sleep(0)
    for task in asked:
        task.cancel()
    await asyncio.wait(asked)

    assert all(task.cancelled() for task in asked)
    assert (await records.head("acme")).sequence == 1
    await records.close()
    pool = records._database.engine.pool
    assert "Current Checked out connections: 0" in pool.status()
