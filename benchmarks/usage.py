"""What the processes of a stack and its API server spend while something is worked off."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TypeAlias

import psutil

from clients.kubernetes import Cluster

PARTS = (
    "worker", "temporal", "postgresql", "kube-apiserver", "etcd", "kube-controller-manager", "api",
)  # fmt: skip
Family: TypeAlias = tuple[psutil.Process, ...]
"""All processes of a part: of some there are two, or several services."""
_EVERY = 0.25
_LOOK, _PATIENCE = 2.0, 180.0
_IDLE_CORES = 0.15
_REQUESTS = re.compile(r"^apiserver_request_total\{(?P<labels>.*)\} (?P<value>\S+)$", re.MULTILINE)
_LABEL = re.compile(r'(\w+)="([^"]*)"')


@dataclass(frozen=True, slots=True)
class Spent:
    """What the processes of one part spent."""

    cpu: float
    """Seconds of all their threads."""
    memory: float
    """Peak of their resident memory while it was looked at, MiB."""


class Meter:
    """Looks at processes from ``start`` to ``stop``."""

    def __init__(self, processes: Mapping[str, Family]) -> None:
        self._processes = processes
        self._before = {name: _cpu(process) for name, process in processes.items()}
        self._peak = {name: _memory(process) for name, process in processes.items()}
        self._task = asyncio.create_task(self._sample())

    async def _sample(self) -> None:
        while True:
            self._look()
            await asyncio.sleep(_EVERY)

    def _look(self) -> None:
        for name, process in self._processes.items():
            self._peak[name] = max(self._peak[name], _memory(process))

    async def stop(self) -> dict[str, Spent]:
        """Returns what each process spent since the start."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task
        self._look()
        return {
            name: Spent(_cpu(process) - self._before[name], self._peak[name])
            for name, process in self._processes.items()
        }


async def quiet(processes: Mapping[str, Family]) -> None:
    """Returns once worker and Temporal have worked off what they were given; or after a while."""
    watched = [processes[name] for name in ("worker", "temporal")]
    for _ in range(int(_PATIENCE / _LOOK)):
        before = sum(_cpu(one) for one in watched)
        await asyncio.sleep(_LOOK)
        if sum(_cpu(one) for one in watched) - before < _IDLE_CORES * _LOOK:
            return


def _cpu(family: Family) -> float:
    return sum(float(one.user + one.system) for one in (each.cpu_times() for each in family))


def _memory(family: Family) -> float:
    return sum(float(each.memory_info().rss) for each in family) / 2**20


Requests: TypeAlias = Counter[tuple[str, str]]
"""Number of requests by verb and resource (with its subresource)."""


async def requests_to(cluster: Cluster) -> Requests:
    """Asks the API server how many requests it has answered."""
    stream = cluster.session.stream("/metrics", what="metrics", params={}, read_timeout=30)
    async with stream as content:
        return requests_of((await content.read()).decode())


def requests_of(metrics: str) -> Requests:
    """Reads from the API server's metrics how many requests it has answered."""
    found: Requests = Counter()
    for line in _REQUESTS.finditer(metrics):
        labels = dict(_LABEL.findall(line["labels"]))
        resource = "/".join(part for part in (labels["resource"], labels["subresource"]) if part)
        found[labels["verb"], f"{labels['group']}/{resource}".lstrip("/")] += int(
            float(line["value"])
        )
    return found


_PLATFORM = "choreo.dev/"
_WATCHED = {"WATCH", "LIST"}
_PLANE_READINGS = {"namespaces", "apps/deployments"}


def to_control_plane(requests: Requests) -> int:
    """Returns how many requests for Pavane's own resources there are, without watches."""
    return sum(
        number
        for (verb, resource), number in requests.items()
        if resource.startswith(_PLATFORM) and verb not in _WATCHED
    )


def to_plane(requests: Requests) -> int:
    """Returns how many requests to a plane there are that only the platform sends.

    Nobody else on a benchmark's stack applies server-side; of readings only those of namespaces
    and Deployments are the platform's, since the controllers of Kubernetes read from caches.
    """
    return sum(
        number
        for (verb, resource), number in requests.items()
        if not resource.startswith(_PLATFORM)
        and (verb == "APPLY" or (verb == "GET" and resource in _PLANE_READINGS))
    )
