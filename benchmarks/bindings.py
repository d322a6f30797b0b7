"""Measures how soon a changed binding reaches its Deployment object, and is Ready again."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from benchmarks.samples import Budget, Samples
from clients.kubernetes import Cluster, Kind, Object, SharedWatch, SharedWatches, WatchEvent
from domain.resources.base import API_VERSION

ORGANIZATION = "acme"
BINDING = "web-development"
NAMESPACE = "acme-shop-development"
DEPLOYMENT = "web"
VARIABLE = "BENCH"
_PATIENCE = 120.0
"""Seconds one change may take until it is Ready."""
_TO_OBJECT = Budget(p50=0.120, p95=0.300)


class NotMeasured(Exception):
    """A change did not get where it should; the message says what was waited for."""


class Changes:
    """Changes one binding, one change at a time, and sees what becomes of it."""

    def __init__(
        self,
        cluster: Cluster,
        kind: Kind,
        bindings: AsyncIterator[WatchEvent],
        deployments: AsyncIterator[WatchEvent],
        before: Object,
    ) -> None:
        self._cluster = cluster
        self._kind = kind
        self._bindings = bindings
        self._deployments = deployments
        self._before = before["spec"]
        self._pinned = self._running_instead(before)

    async def change(self, value: str) -> tuple[float, float]:
        """Gives the variable another value.

        The time begins before the request that changes the binding.

        Returns:
            Seconds until the Deployment object has the value, and until the binding is Ready.

        Raises:
            NotMeasured: It took too long.
        """
        start = time.perf_counter()
        changed = await self._patch([*self._own_variables, {"name": VARIABLE, "value": value}])
        await _until(self._deployments, lambda seen: has_value(seen, value), "the Deployment")
        reached = time.perf_counter() - start
        generation = changed["metadata"]["generation"]
        await _until(self._bindings, lambda seen: is_ready(seen, generation), "a Ready binding")
        return reached, time.perf_counter() - start

    async def restore(self) -> None:
        """Makes the binding want what it wanted before, and waits until that was worked on.

        Raises:
            NotMeasured: It took too long.
        """
        workload = {"env": self._before.get("workload", {}).get("env")}
        spec: dict[str, Any] = {"workload": workload}
        if self._pinned:
            spec["artifactRef"] = self._before.get("artifactRef")
        restored = await self._cluster.patch(self._kind, BINDING, ORGANIZATION, {"spec": spec})
        generation = restored["metadata"]["generation"]
        await _until(
            self._bindings, lambda seen: is_settled(seen, generation), "the end of its restoration"
        )

    @property
    def _own_variables(self) -> list[dict[str, Any]]:
        own = self._before.get("workload", {}).get("env") or []
        return [one for one in own if one["name"] != VARIABLE]

    async def _patch(self, env: list[dict[str, Any]]) -> Object:
        spec: dict[str, Any] = {"workload": {"env": env}}
        if self._pinned:
            spec["artifactRef"] = self._pinned
        return await self._cluster.patch(self._kind, BINDING, ORGANIZATION, {"spec": spec})

    @staticmethod
    def _running_instead(binding: Object) -> str:
        """The artifact that runs when it is not the wanted one, as after the demo's bad commit.

        Measured is the way of a change that succeeds.
        """
        running = str(binding.get("status", {}).get("artifactRef") or "")
        return running if running != binding["spec"].get("artifactRef") else ""


async def binding_changes(kubeconfig: Path, runs: int = 10) -> list[Samples]:
    """Changes the demo's binding again and again, once uncounted to warm up, then restores it.

    Raises:
        NotMeasured: A change took too long.
        NotFound: The demo's binding is not there.
        PlatformError: The API server did not do what it was asked for.
    """
    mark = time.time_ns()
    async with _changes(kubeconfig) as changes:
        times = [await changes.change(f"{mark}-{number}") for number in range(1 + runs)][1:]
    return [
        Samples("binding to Deployment object", tuple(one for one, _ in times), _TO_OBJECT),
        Samples("binding to Ready", tuple(one for _, one in times)),
    ]


@asynccontextmanager
async def _changes(kubeconfig: Path) -> AsyncIterator[Changes]:
    async with AsyncExitStack() as stack:
        cluster = await Cluster.connect(kubeconfig, user_agent="pavane-benchmarks")
        stack.push_async_callback(cluster.close)
        watches = SharedWatches(cluster)
        stack.push_async_callback(watches.close)
        kind = await cluster.kind_of(API_VERSION, "ServiceBinding")
        before = await cluster.get(kind, BINDING, ORGANIZATION)
        deployment_kind = await cluster.kind_of("apps/v1", "Deployment")
        bindings = await _events(stack, watches.of(kind, ORGANIZATION), BINDING)
        deployments = await _events(stack, watches.of(deployment_kind, NAMESPACE), DEPLOYMENT)
        changes = Changes(cluster, kind, bindings, deployments, before)
        stack.push_async_callback(changes.restore)
        yield changes


async def _events(
    stack: AsyncExitStack, watch: SharedWatch, name: str
) -> AsyncIterator[WatchEvent]:
    """Subscribes to one object before anything is changed."""
    await watch.synced()
    subscription = watch.subscribe(lambda seen: bool(seen["metadata"]["name"] == name))
    return await stack.enter_async_context(subscription)


async def _until(
    events: AsyncIterator[WatchEvent], reached: Callable[[Object], bool], what: str
) -> None:
    try:
        async with asyncio.timeout(_PATIENCE):
            async for event in events:
                if reached(event.object):
                    return
    except TimeoutError:
        raise NotMeasured(f"waited {_PATIENCE:.0f} s in vain for {what}") from None


def has_value(deployment: Object, value: str) -> bool:
    """Whether a container of the Deployment has the variable with the value."""
    containers = deployment["spec"]["template"]["spec"]["containers"]
    variables = [one for container in containers for one in container.get("env") or []]
    return any(one["name"] == VARIABLE and one.get("value") == value for one in variables)


def is_ready(binding: Object, generation: int) -> bool:
    """Whether the binding is Ready in this generation or a later one."""
    return bool((_ready(binding, generation) or {}).get("status") == "True")


def is_settled(binding: Object, generation: int) -> bool:
    """Whether the work on this generation has ended, well or not."""
    return bool((_ready(binding, generation) or {}).get("reason", "Deploying") != "Deploying")


def _ready(binding: Object, generation: int) -> dict[str, Any] | None:
    """Returns the condition Ready when it is about this generation."""
    conditions = binding.get("status", {}).get("conditions") or []
    found = [one for one in conditions if one["type"] == "Ready"]
    return next((one for one in found if one.get("observedGeneration", 0) >= generation), None)
