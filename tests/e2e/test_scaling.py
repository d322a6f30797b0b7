"""What follows the load, and what a drained node may take, on real pods with real metrics."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from clients.kubernetes import Cluster, Kind
from domain.errors import RateLimited
from domain.policies.health import run_state
from domain.policies.objects import condition
from tests.e2e.test_types import DEPLOYMENTS, JOBS, SERVE, Tenant, cluster, temporal, tenant

__all__ = ["cluster", "temporal", "tenant"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.sampled]

AUTOSCALERS = Kind(
    "autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", namespaced=True
)
BUDGETS = Kind("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", namespaced=True)
NODES = Kind("v1", "Node", "nodes", namespaced=False)
PODS = Kind("v1", "Pod", "pods", namespaced=True)
PATIENCE = 300
BURN = [
    "python3",
    "-c",
    "import os, time\nwhile os.environ.get('IDLE') != 'yes': pass\ntime.sleep(1e6)",
]


async def until(read: Callable[[], Awaitable[Any]], holds: Callable[[Any], bool], what: str) -> Any:
    """Returns what is read once it is as expected."""
    found: Any = None
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await read()
                if holds(found):
                    return found
                await asyncio.sleep(0.5)
    except TimeoutError:
        raise AssertionError(f"{what} never came to be: {found}") from None


async def test_load_adds_replicas_up_to_the_bound_and_less_load_takes_them_back(
    tenant: Tenant, cluster: Cluster
) -> None:
    load = {
        "minReplicas": 1,
        "maxReplicas": 2,
        "cpuUtilization": 50,
        "scaleDownStabilizationSeconds": 0,
    }
    needs = {"requests": {"cpu": "10m"}, "limits": {"cpu": "60m"}}
    await tenant.component(
        "Service",
        "hot",
        workload={"containers": [{"name": "main", "command": BURN, "resources": needs}]},
    )
    await tenant.bind("Service", "hot", workload={"autoscaling": load})
    assert (await tenant.judged("Service", "hot"))["ready"]["status"] == "True"

    def scaler() -> Awaitable[Any]:
        return cluster.get(AUTOSCALERS, "hot", tenant.namespace)

    grown = await until(
        scaler, lambda one: one.get("status", {}).get("desiredReplicas") == 2, "a second replica"
    )
    measured = await until(
        scaler,
        lambda one: condition(one, "ScalingLimited").get("reason") == "TooManyReplicas",
        "the bound",
    )
    await until(
        lambda: cluster.get(DEPLOYMENTS, "hot", tenant.namespace),
        lambda one: one.get("status", {}).get("readyReplicas") == 2,
        "a second ready pod",
    )
    idle = {"autoscaling": load, "env": [{"name": "IDLE", "value": "yes"}]}
    await tenant.bind("Service", "hot", workload=idle)
    await until(
        lambda: cluster.get(DEPLOYMENTS, "hot", tenant.namespace),
        lambda one: one["spec"]["replicas"] == 1 and one["status"].get("replicas") == 1,
        "the replica that suffices for no load",
    )
    shrunk = await scaler()
    await tenant.bind("Service", "hot", state="Undeploy")

    assert condition(grown, "ScalingActive")["reason"] == "ValidMetricFound"
    assert measured["status"]["currentMetrics"][0]["resource"]["current"]["averageUtilization"] > 50
    assert (shrunk["spec"]["maxReplicas"], shrunk["status"]["desiredReplicas"]) == (2, 1)


async def test_a_task_runs_when_its_timetable_says(tenant: Tenant, cluster: Cluster) -> None:
    main = {"name": "main", "command": ["python3", "-c", "print('done')"]}
    await tenant.component(
        "ScheduledTask",
        "tick",
        instance={"schedule": {"cron": "* * * * *"}},
        workload={"containers": [main]},
    )

    async def runs() -> list[Any]:
        jobs = await cluster.list(JOBS, tenant.namespace, "choreo.dev/component=tick")
        return [one for one in jobs.items if run_state(one) == "Succeeded"]

    done = await until(runs, bool, "a run by the clock")
    await tenant.bind("ScheduledTask", "tick", state="Undeploy")

    assert done[0]["metadata"]["ownerReferences"][0]["kind"] == "CronJob"
    assert "cronjob.kubernetes.io/instantiate" not in done[0]["metadata"].get("annotations", {})


@asynccontextmanager
async def cordoned(cluster: Cluster, node: str) -> AsyncIterator[None]:
    """A node that takes no more pods, as `kubectl drain` makes it."""
    await cluster.patch(NODES, node, "", {"spec": {"unschedulable": True}})
    try:
        yield
    finally:
        await cluster.patch(NODES, node, "", {"spec": {"unschedulable": None}})


async def evicted(cluster: Cluster, pod: str, namespace: str) -> bool:
    """Asks for an eviction as a drain does; False = a budget speaks against it now (429)."""
    meta = {"name": pod, "namespace": namespace}
    try:
        await cluster.session.json(
            "POST",
            PODS.path(namespace, pod, "eviction"),
            what=f"eviction of {pod}",
            body={"apiVersion": "policy/v1", "kind": "Eviction", "metadata": meta},
        )
    except RateLimited:
        return False
    return True


async def test_a_drain_takes_no_second_pod_before_the_first_is_replaced(
    tenant: Tenant, cluster: Cluster
) -> None:
    await tenant.component(
        "Service",
        "pair",
        workload={"containers": [{"name": "main", "command": [*SERVE, "/etc"]}]},
    )
    await tenant.bind("Service", "pair", workload={"replicas": 2})
    assert (await tenant.judged("Service", "pair"))["ready"]["status"] == "True"
    where = tenant.namespace

    def budget() -> Awaitable[Any]:
        return cluster.get(BUDGETS, "pair", where)

    def spared(one: Any) -> int:
        return int(one.get("status", {}).get("disruptionsAllowed", -1))

    await until(budget, lambda one: spared(one) == 1, "a pod that can be spared")
    pods = (await cluster.list(PODS, where, "choreo.dev/component=pair")).items
    first, second = (one["metadata"]["name"] for one in pods)
    async with cordoned(cluster, pods[0]["spec"]["nodeName"]):
        assert await evicted(cluster, first, where)
        await until(budget, lambda one: spared(one) == 0, "no pod that can be spared")
        taken = await evicted(cluster, second, where)
        still = await cluster.get(PODS, second, where)
    await until(budget, lambda one: spared(one) == 1, "a replacement")

    assert not taken
    assert condition(still, "Ready")["status"] == "True"
    assert "deletionTimestamp" not in still["metadata"]
    assert await evicted(cluster, second, where)
