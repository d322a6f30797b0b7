"""Measures how many components that are created at once are worked off, and what that costs."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from temporalio.api.enums.v1 import EventType
from temporalio.client import WorkflowHandle

from benchmarks import tenant
from benchmarks.samples import Figure
from benchmarks.sightings import ready_generation, sightings, value_of
from benchmarks.stacks import Bench
from benchmarks.usage import Meter, Requests, Spent, requests_to, to_control_plane, to_plane
from domain import ids

_PATIENCE_EACH = 2.0
"""Seconds a component may take on the average before the benchmark gives up."""
_TRACED = 5
"""Of so many deployments the history is read."""
_PER_MINUTE = 700.0
_READY_OF_200 = 25.0
_PLANE_REQUESTS = 10.0


async def burst(bench: Bench, names: Sequence[str]) -> list[Figure]:
    """Creates the components at once and waits until all bindings are Ready.

    Raises:
        NotMeasured: It took too long.
        PlatformError: The API server did not do what it was asked for.
    """
    number = len(names)
    patience = _PATIENCE_EACH * number
    async with (
        sightings(bench.bindings, ready_generation) as bindings,
        sightings(bench.deployments, value_of) as deployments,
    ):
        before = await requests_to(bench.cluster)
        meter = Meter(bench.processes)
        start = time.perf_counter()
        await tenant.create(bench.cluster, names)
        created = time.perf_counter() - start
        written = [(name, "") for name in names]
        await deployments.all_of(written, "Deployments", patience)
        ready = [(tenant.binding_of(name), 1) for name in names]
        await bindings.all_of(ready, "Ready bindings", patience)
        spent = await meter.stop()
        requests = await requests_to(bench.cluster) - before
        objects = max(deployments.at(mark) for mark in written) - start
        done = max(bindings.at(mark) for mark in ready) - start
    per_minute = number / objects * 60
    told = [
        Figure(f"{number} at once: all created", created, "s"),
        Figure(f"{number} at once: all Deployment objects", objects, "s"),
        Figure(f"{number} at once: a minute", per_minute, "/min", at_least=_PER_MINUTE),
        Figure(
            f"{number} at once: all Ready", done, "s",
            at_most=_READY_OF_200 if number == 200 else None,  # noqa: PLR2004 - the budget's number
        ),
    ]  # fmt: skip
    own = len(tenant.component("any")) * number
    return [
        *told,
        *_costs(number, spent),
        *_calls(number, requests, own),
        *await _traces(bench, names),
    ]


def _costs(number: int, spent: dict[str, Spent]) -> list[Figure]:
    told = []
    for part, one in spent.items():
        told += [
            Figure(f"{number} at once: CPU of {part} each", one.cpu / number * 1000, "ms"),
            Figure(f"{number} at once: peak memory of {part}", one.memory, "MiB"),
        ]
    return told


def _calls(number: int, requests: Requests, own: int) -> list[Figure]:
    return [
        Figure(
            f"{number} at once: requests to the plane each",
            to_plane(requests) / number,
            "",
            at_most=_PLANE_REQUESTS,
        ),
        Figure(
            f"{number} at once: requests to the control plane each",
            (to_control_plane(requests) - own) / number,
            "",
        ),
    ]


async def _traces(bench: Bench, names: Sequence[str]) -> list[Figure]:
    tasks, events = [], []
    for name in names[:_TRACED]:
        handle: WorkflowHandle[object, object] = bench.temporal.get_workflow_handle(
            ids.deploy_id(tenant.ORGANIZATION, name, tenant.ENVIRONMENT)
        )
        types = [event.event_type async for event in handle.fetch_history_events()]
        tasks.append(types.count(EventType.EVENT_TYPE_WORKFLOW_TASK_COMPLETED))
        events.append(len(types))
    number = len(names)
    return [
        Figure(f"{number} at once: workflow tasks each", statistics.mean(tasks), ""),
        Figure(f"{number} at once: history events each", statistics.mean(events), ""),
    ]
