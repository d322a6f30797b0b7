"""How soon who follows one of two thousand objects sees that its health changed.

    eval "$(pavane stack env)"; python -m benchmarks.fan_out

Each object has a follower of its own, all fed by one shared watch, as those of rollouts are.
"""

from __future__ import annotations

import asyncio
import secrets
import statistics
import time
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from clients.kubernetes import Cluster, Kind, Object, SharedWatches
from settings import load

OBJECTS = 2000
CHANGES = 100
BUDGET_SECONDS = 1.0
_AT_ONCE = 32
_DEPLOYMENTS = Kind("apps/v1", "Deployment", "deployments", namespaced=True)
_NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)


def _deployment(name: str, namespace: str) -> Object:
    """A Deployment that is paused: nothing comes of it but what the benchmark writes."""
    template = {
        "metadata": {"labels": {"app": name}},
        "spec": {"containers": [{"name": "main", "image": "registry.invalid/main"}]},
    }
    spec = {
        "paused": True,
        "replicas": 0,
        "selector": {"matchLabels": {"app": name}},
        "template": template,
    }
    metadata = {"name": name, "namespace": namespace}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def _is(name: str, one: Object) -> bool:
    return bool(one["metadata"]["name"] == name)


async def _measure(cluster: Cluster, namespace: str) -> list[float]:
    """Returns the seconds from each write of a health to the sight of it, in order."""
    names = [f"one-{number}" for number in range(OBJECTS)]
    hands = asyncio.Semaphore(_AT_ONCE)

    async def made(name: str) -> None:
        async with hands:
            await cluster.create(_deployment(name, namespace))

    await asyncio.gather(*(made(name) for name in names))
    watches = SharedWatches(cluster)
    watch = watches.of(_DEPLOYMENTS, namespace)
    took = []
    async with AsyncExitStack() as stack:
        stack.push_async_callback(watches.close)
        await watch.synced()
        followers = {
            name: await stack.enter_async_context(watch.subscribe(partial(_is, name)))
            for name in names
        }
        for number in range(CHANGES):
            name = names[number * OBJECTS // CHANGES]
            mark = secrets.token_hex(4)
            start = time.perf_counter()
            change = {"metadata": {"annotations": {"health": mark}}}
            await cluster.patch(_DEPLOYMENTS, name, namespace, change)
            async for event in followers[name]:
                if event.object["metadata"].get("annotations", {}).get("health") == mark:
                    break
            took.append(time.perf_counter() - start)
    return sorted(took)


async def main() -> int:
    """Prints what was measured; exit code 1 when the slowest is over the budget."""
    cluster = await Cluster.connect(load().kubernetes.kubeconfig or Path("~/.kube/config"))
    namespace = f"fan-out-{secrets.token_hex(3)}"
    await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    try:
        took = await _measure(cluster, namespace)
    finally:
        await cluster.delete(_NAMESPACES, namespace)
        await cluster.close()
    middle, most = statistics.median(took) * 1000, took[-1] * 1000
    print(f"{OBJECTS} objects, each followed: a change is seen after {middle:.0f} ms (p50), "
          f"{took[len(took) * 95 // 100] * 1000:.0f} ms (p95), {most:.0f} ms (slowest); "
          f"budget {BUDGET_SECONDS * 1000:.0f} ms")  # fmt: skip
    return 0 if took[-1] <= BUDGET_SECONDS else 1


if __name__ == "__main__":
    raise SystemExit(asyncio.run(main()))
