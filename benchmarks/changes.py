"""Measures how soon one changed binding reaches its Deployment object, and is Ready again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress

from benchmarks import tenant
from benchmarks.pods import simulated_pods
from benchmarks.samples import Budget, Samples
from benchmarks.sightings import Sightings, ready_generation, sightings, value_of
from benchmarks.stacks import Bench

ONE = "one"
_PATIENCE = 120.0
"""Seconds one change may take until it is Ready."""
_IDLE = Budget(p50=0.120, p95=0.300)
_BUSY = Budget(p95=1.0)


class Changes:
    """Changes one binding, one change at a time, and sees what becomes of it."""

    def __init__(self, bench: Bench, bindings: Sightings, deployments: Sightings) -> None:
        self._cluster = bench.cluster
        self._bindings = bindings
        self._deployments = deployments

    async def create(self) -> None:
        """Makes the component and waits until it runs.

        Raises:
            NotMeasured: It took too long.
        """
        await tenant.create(self._cluster, [ONE])
        binding = tenant.binding_of(ONE)
        kind = tenant.kind("ServiceBinding")
        found = await self._cluster.get(kind, binding, tenant.ORGANIZATION)
        mark = (binding, int(found["metadata"]["generation"]))
        await self._bindings.all_of([mark], "first deployments", _PATIENCE)

    async def change(self, value: str) -> tuple[float, float]:
        """Gives the variable another value.

        The time begins before the request that changes the binding.

        Returns:
            Seconds until the Deployment object has the value, and until the binding is Ready.

        Raises:
            NotMeasured: It took too long.
        """
        start = time.perf_counter()
        changed = await self._cluster.patch(
            tenant.kind("ServiceBinding"),
            tenant.binding_of(ONE),
            tenant.ORGANIZATION,
            tenant.wish(value),
        )
        written = (ONE, value)
        ready = (tenant.binding_of(ONE), int(changed["metadata"]["generation"]))
        await self._deployments.all_of([written], "Deployments", _PATIENCE)
        await self._bindings.all_of([ready], "Ready bindings", _PATIENCE)
        return self._deployments.at(written) - start, self._bindings.at(ready) - start


async def one_change(bench: Bench, runs: int) -> list[Samples]:
    """Changes one binding again and again on an idle stack, once uncounted to warm up.

    Raises:
        NotMeasured: A change took too long.
        PlatformError: The API server did not do what it was asked for.
    """
    async with AsyncExitStack() as stack:
        changes = await _changes(stack, bench)
        await changes.create()
        times = await _repeat(changes, runs + 1)
    return _told(times[1:], "idle", _IDLE)


async def one_change_under_load(
    bench: Bench, runs: int, components: Sequence[str], organization: str
) -> list[Samples]:
    """Does the same while components of an organization are deployed without pause.

    What another organization does is to be hardly felt; changes of one organization queue.

    Raises:
        NotMeasured: A change took too long.
        PlatformError: The API server did not do what it was asked for.
    """
    async with AsyncExitStack() as stack:
        changes = await _changes(stack, bench)
        await changes.create()
        async with load(bench, components, organization):
            times = await _repeat(changes, runs)
    whose = "the same" if organization == tenant.ORGANIZATION else "another"
    budget = Budget() if organization == tenant.ORGANIZATION else _BUSY
    return _told(times, f"while {len(components)} of {whose} organization are deployed", budget)


@asynccontextmanager
async def crowd(bench: Bench, names: Sequence[str]) -> AsyncIterator[Sequence[str]]:
    """Makes another organization with components that run.

    Raises:
        NotMeasured: They do not get Ready.
    """
    await tenant.lay_foundation(bench.cluster, tenant.CROWD)
    async with (
        simulated_pods(bench.cluster, tenant.CROWD_NAMESPACE),
        sightings(bench.bindings, ready_generation) as bindings,
    ):
        await tenant.create(bench.cluster, names, organization=tenant.CROWD)
        ready = [(tenant.binding_of(name), 1) for name in names]
        await bindings.all_of(ready, "Ready bindings of the crowd", _PATIENCE)
        yield names


@asynccontextmanager
async def load(bench: Bench, components: Sequence[str], organization: str) -> AsyncIterator[None]:
    """Deploys components of an organization without pause while the block lasts."""
    async with sightings(bench.bindings, ready_generation) as bindings:
        busy = asyncio.create_task(_keep_busy(bench, bindings, components, organization))
        try:
            await asyncio.sleep(1)  # the load is to be there before anything is measured
            yield
        finally:
            busy.cancel()
            with suppress(asyncio.CancelledError):
                await busy


async def _changes(stack: AsyncExitStack, bench: Bench) -> Changes:
    bindings = await stack.enter_async_context(sightings(bench.bindings, ready_generation))
    deployments = await stack.enter_async_context(sightings(bench.deployments, value_of))
    return Changes(bench, bindings, deployments)


async def _repeat(changes: Changes, runs: int) -> list[tuple[float, float]]:
    mark = time.time_ns()
    return [await changes.change(f"{mark}-{number}") for number in range(runs)]


async def _keep_busy(
    bench: Bench, bindings: Sightings, components: Sequence[str], organization: str
) -> None:
    """Changes all components; when all are Ready, changes them again."""
    while True:
        await tenant.change(bench.cluster, components, str(time.time_ns()), organization)
        wanted = []
        for name in components:
            binding = tenant.binding_of(name)
            found = await bench.cluster.get(tenant.kind("ServiceBinding"), binding, organization)
            wanted.append((binding, int(found["metadata"]["generation"])))
        await bindings.all_of(wanted, "Ready bindings of the load", _PATIENCE)


def _told(times: list[tuple[float, float]], when: str, budget: Budget) -> list[Samples]:
    return [
        Samples(f"change to Deployment object, {when}", tuple(one for one, _ in times), budget),
        Samples(f"change to Ready, {when}", tuple(one for _, one in times)),
    ]
