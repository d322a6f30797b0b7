from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clients.kubernetes import Cluster, Kind, Leader

pytestmark = pytest.mark.integration

LEASES = Kind("coordination.k8s.io/v1", "Lease", "leases", namespaced=True)


@pytest.fixture
async def doomed(kubeconfig: Path) -> AsyncIterator[Cluster]:
    """A connection that a test breaks, as the death of its process would."""
    cluster = await Cluster.connect(kubeconfig)
    yield cluster
    await cluster.close()


async def test_only_one_leads_and_a_graceful_stop_hands_over_at_once(
    cluster: Cluster, namespace: str
) -> None:
    first = Leader(cluster, "intake", namespace, "first")
    second = Leader(cluster, "intake", namespace, "second")
    async with asyncio.timeout(60):
        async with first.lead():
            waiting = asyncio.create_task(acquired(second))
            await asyncio.sleep(1.2)
            assert first.leads
            assert not waiting.done()
        left = time.monotonic()
        assert await waiting == "second"
        assert time.monotonic() - left < 1.5


async def test_dead_holder_is_followed_within_five_seconds_and_knows_that_it_lost(
    cluster: Cluster, doomed: Cluster, namespace: str
) -> None:
    first = Leader(doomed, "intake", namespace, "first")
    second = Leader(cluster, "intake", namespace, "second")
    async with asyncio.timeout(30), first.lead() as lost:
        await doomed.close()
        died = time.monotonic()
        async with second.lead():
            assert time.monotonic() - died < 5
            assert lost.is_set()


async def test_work_is_stopped_when_the_lease_is_taken_away_and_starts_again(
    cluster: Cluster, namespace: str
) -> None:
    starts: list[float] = []
    again = asyncio.Event()

    async def work() -> None:
        starts.append(time.monotonic())
        if len(starts) == 2:
            again.set()
            return
        await cluster.patch(
            LEASES,
            "intake",
            namespace,
            {"spec": {"holderIdentity": "thief", "leaseDurationSeconds": 1}},
        )
        await asyncio.Event().wait()

    async with asyncio.timeout(60):
        await Leader(cluster, "intake", namespace, "victim").run(work)

    assert again.is_set()


async def test_error_of_the_work_is_raised_and_gives_the_lease_back(
    cluster: Cluster, namespace: str
) -> None:
    async def work() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await Leader(cluster, "intake", namespace, "one").run(work)

    lease = await cluster.get(LEASES, "intake", namespace)
    assert not lease["spec"].get("holderIdentity")


async def acquired(leader: Leader) -> str:
    async with leader.lead():
        return leader._identity
