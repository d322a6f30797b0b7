"""The stack that is measured: how it is reached and which processes it has."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from temporalio.client import Client
from temporalio.envconfig import ClientConfig

from benchmarks.pods import SimulatedPods, simulated_pods
from benchmarks.tenant import NAMESPACE, kind, lay_foundation
from benchmarks.usage import PARTS, Family
from clients.kubernetes import Cluster, Kind, SharedWatch, SharedWatches
from devstack.lifecycle import running
from devstack.record import StackRecord
from devstack.state import state_dir
from domain.rendering.labels import COMPONENT
from runtime.plugin import PavanePlugin

_ROOT = Path(__file__).resolve().parent.parent
_PAVANE = (sys.executable, "-m", "cli", "stack")
DEPLOYMENTS = Kind("apps/v1", "Deployment", "deployments", namespaced=True)


class NoStack(Exception):
    """There is nothing to measure."""


@dataclass(frozen=True, slots=True)
class Bench:
    """A running stack with the benchmarks' tenant in it."""

    record: StackRecord
    cluster: Cluster
    temporal: Client
    bindings: SharedWatch
    deployments: SharedWatch
    pods: SimulatedPods | None
    """None on a full stack, which has nodes."""

    @property
    def processes(self) -> dict[str, Family]:
        """The processes whose use is told, by part; ``temporal-history`` is Temporal's."""
        running = {name: one.process for name, one in self.record.parts.items() if one.process}
        found = {
            part: tuple(
                process
                for name, one in running.items()
                if name == part or name.startswith(f"{part}-")
                for process in _with_children(one.pid)
            )
            for part in PARTS
        }
        return {part: family for part, family in found.items() if family}


def _with_children(pid: int) -> list[psutil.Process]:
    """A database has a process for each connection."""
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def ensure_stack(name: str, profile: str = "core") -> tuple[StackRecord, bool]:
    """Returns a running stack with the platform, and whether it was started for this.

    ``profile`` is that of a stack that does not run yet.

    Raises:
        NoStack: It cannot be started, or runs without the platform.
    """
    record = running(state_dir(name))
    started = record is None
    if record is None:
        up = (*_PAVANE, "up", "--name", name, "--profile", profile, "--platform")
        if subprocess.run(up, cwd=_ROOT, check=False).returncode != 0:
            raise NoStack(f"stack {name!r} did not start")
        record = running(state_dir(name))
    if record is None or not record.is_ready or "PAVANE_API__URL" not in record.environment:
        raise NoStack(f"stack {name!r} does not run completely, with the platform")
    return record, started


def remove_stack(name: str) -> None:
    """Takes a stack down and removes its data."""
    reset = (*_PAVANE, "reset", "--yes", "--name", name)
    subprocess.run(reset, cwd=_ROOT, check=True)


@asynccontextmanager
async def bench_on(record: StackRecord) -> AsyncIterator[Bench]:
    """Connects to a stack and makes the tenant."""
    environment = record.environment
    async with AsyncExitStack() as stack:
        cluster = await Cluster.connect(
            Path(environment["KUBECONFIG"]), user_agent="pavane-benchmarks"
        )
        stack.push_async_callback(cluster.close)
        profile = ClientConfig.load_client_connect_config(override_env_vars=environment)
        temporal = await Client.connect(**profile, plugins=[PavanePlugin()])
        await lay_foundation(cluster)
        watches = SharedWatches(cluster)
        stack.push_async_callback(watches.close)
        pods = None
        if record.profile != "full":
            pods = await stack.enter_async_context(simulated_pods(cluster, NAMESPACE))
        yield Bench(
            record,
            cluster,
            temporal,
            watches.of(kind("ServiceBinding")),
            watches.of(DEPLOYMENTS, NAMESPACE, COMPONENT),
            pods,
        )
        await asyncio.sleep(0)
