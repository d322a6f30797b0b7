"""Measures how soon a pod that fails makes the deployment fail that brought it."""

from __future__ import annotations

import time
from contextlib import suppress

from temporalio.client import WorkflowFailureError

from benchmarks import tenant
from benchmarks.pods import FAILING, SimulatedPods
from benchmarks.samples import Budget, Samples
from benchmarks.sightings import NotMeasured, failed_generation, sightings
from benchmarks.stacks import Bench
from domain import ids

_PATIENCE = 60.0
_BUDGET = Budget(p95=2.0)


async def pod_failures(bench: Bench, names: list[str]) -> list[Samples]:
    """Deploys one component after the other whose pod has no image.

    The time begins when the pod's status is written and ends when the operation has ended, so it
    has in it that what was applied is removed again and that the failure is written down.

    Raises:
        NotMeasured: The stack has nodes, which no failure can be told of, or it took too long.
    """
    if bench.pods is None:
        raise NotMeasured("failures of pods are simulated: that needs a core stack")
    seconds = [await _one(bench, bench.pods, name) for name in names]
    told = tuple(one for one, _ in seconds), tuple(one for _, one in seconds)
    return [
        Samples("pod's failure to the failed operation", told[0], _BUDGET),
        Samples("pod's failure to the binding that says so", told[1]),
    ]


async def _one(bench: Bench, pods: SimulatedPods, name: str) -> tuple[float, float]:
    async with sightings(bench.bindings, failed_generation) as bindings:
        await tenant.create(bench.cluster, [name], FAILING)
        mark = (tenant.binding_of(name), 1)
        await bindings.all_of([mark], "failed bindings", _PATIENCE)
        workflow_id = ids.deploy_id(tenant.ORGANIZATION, name, tenant.ENVIRONMENT)
        with suppress(WorkflowFailureError):
            await bench.temporal.get_workflow_handle(workflow_id).result()
        ended = time.perf_counter()
        return ended - pods.failed[name], bindings.at(mark) - pods.failed[name]
