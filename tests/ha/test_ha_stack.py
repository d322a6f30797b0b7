"""Temporal as services on PostgreSQL, two APIs, two workers: any of them may die at any time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from temporalio.client import Client

from benchmarks import tenant
from benchmarks.sightings import ready_generation, sightings
from benchmarks.stacks import Bench, bench_on
from clients.records import HistoryFilter, SqlRecords
from devstack.lifecycle import running
from devstack.record import StackRecord
from devstack.state import state_dir
from domain.phases import Phase
from domain.records.chain import ChainVerifier

pytestmark = pytest.mark.timeout(900)
ROOT = Path(__file__).parents[2]
NAME = "test-ha"
AT_ONCE = 8
PATIENCE = 240.0
MORTALS = (
    "postgresql", "temporal", "temporal-history", "temporal-matching", "temporal-worker",
    "worker", "worker-2", "api", "api-2",
)  # fmt: skip


def pavane(*words: str) -> None:
    subprocess.run(
        (sys.executable, "-m", "cli", "stack", *words, "--name", NAME), cwd=ROOT, check=True
    )


@pytest.fixture(scope="module")
async def bench() -> AsyncIterator[Bench]:
    pavane("up", "--profile", "ha")
    try:
        async with bench_on(found()) as made:
            yield made
    finally:
        pavane("reset", "--yes")


def found() -> StackRecord:
    record = running(state_dir(NAME))
    assert record is not None
    return record


@pytest.fixture
async def records(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[SqlRecords]:
    environment = bench.record.environment
    monkeypatch.setenv("PGPASSFILE", environment["PGPASSFILE"])
    records = SqlRecords.open(environment["PAVANE_RECORDS__URL"])
    yield records
    await records.close()


async def test_nobody_reaches_temporal_without_a_certificate(bench: Bench) -> None:
    address = bench.record.environment["TEMPORAL_ADDRESS"]

    with pytest.raises(RuntimeError, match="connect"):
        await Client.connect(address)

    assert (await bench.temporal.count_workflows()).count >= 0


@pytest.mark.parametrize("part", MORTALS)
async def test_whatever_dies_while_components_are_deployed_nothing_is_lost(
    bench: Bench, records: SqlRecords, part: str
) -> None:
    names = [f"{part}-{number}" for number in range(AT_ONCE)]
    ready = [(tenant.binding_of(name), 1) for name in names]
    async with sightings(bench.bindings, ready_generation) as bindings:
        await tenant.create(bench.cluster, names)
        process = found().parts[part].process
        assert process is not None
        psutil.Process(process.pid).kill()
        await bindings.all_of(ready, f"Ready bindings although {part} died", PATIENCE)

    for name in names:
        wanted = HistoryFilter(organization=tenant.ORGANIZATION, component=name)
        told = await records.history(wanted, 10)
        assert [one.entry.phase for one in told] == [Phase.SUCCEEDED], name
    verifier = ChainVerifier(tenant.ORGANIZATION)
    async for row in records.chain(tenant.ORGANIZATION):
        verifier.feed(row)
    verification = verifier.finish(await records.head(tenant.ORGANIZATION))
    assert verification.holds, verification
