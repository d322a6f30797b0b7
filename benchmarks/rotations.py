"""Measures rotations: many secrets turned over at once, and what that asks of OpenBao.

They run in the worker of the stack, against its real OpenBao. Each has a second in which the old
value is locked; nobody uses the secrets, so no pod begins anew.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import psutil
from temporalio.client import WorkflowHandle

from benchmarks.samples import Figure, Measurement, Samples
from benchmarks.sightings import NotMeasured
from benchmarks.stacks import Bench
from benchmarks.tenant import ORGANIZATION, PROJECT, kind
from benchmarks.usage import Meter
from clients.vault import SecretStore, VaultSession, VaultTenants
from devstack.core import roles
from devstack.core.signing import ROLE as ROTATOR
from devstack.state import StateDir, state_dir
from domain import ids
from domain.deliveries.rotations import Rotation, RotationRequest
from domain.resources.base import API_VERSION

_WORKFLOW = "RotationWorkflow"
_AT_ONCE = 32
_LOCKED = 1
"""Seconds an old value stays locked, which are part of each rotation."""
Handle = WorkflowHandle[Any, Rotation]


async def rotations_at_once(bench: Bench, number: int) -> list[Measurement]:
    """Makes secrets, has all of them turned over at once, and waits for the last one.

    Raises:
        NotMeasured: One did not end well.
        RPCError: Temporal refused.
    """
    names = await _made(bench, number)
    log = Path(bench.record.environment["PAVANE_VAULT__AUDIT_LOG"])
    process = bench.record.parts["openbao"].process
    openbao = {"openbao": (psutil.Process(process.pid),)} if process else {}
    meter, asked = Meter({**bench.processes, **openbao}), _requests(log)
    begun = time.perf_counter()
    hands = asyncio.Semaphore(_AT_ONCE)
    seconds = await asyncio.gather(*(_turned_over(bench, name, hands) for name in names))
    took, spent = time.perf_counter() - begun, await meter.stop()
    what = f"{number} rotations at once"
    each = Samples(f"rotation, {number} at once, until it ended", tuple(seconds))
    return [
        each,
        Figure(f"{what}: until the last one ended", took, "s"),
        Figure(f"{what}: ended", number / took * 60, "/min"),
        Figure(f"{what}: the slowest, to the median", max(seconds) / each.p50, "times"),
        Figure(f"{what}: requests to OpenBao, each", (_requests(log) - asked) / number, ""),
        *(
            Figure(f"{what}: CPU of {part}, each", 1000 * spent[part].cpu / number, "ms")
            for part in ("openbao", "worker", "temporal")
            if part in spent
        ),
        Figure(f"{what}: memory of the worker", spent["worker"].memory, "MiB"),
    ]  # fmt: skip


async def _made(bench: Bench, number: int) -> list[str]:
    state = state_dir(bench.record.name)
    store = SecretStore(_session(bench, state, ROTATOR))
    setup = VaultTenants(_session(bench, state, roles.TENANTS))
    await asyncio.to_thread(setup.ensure_engines, ORGANIZATION)
    mark = f"r{time.time_ns() // 10**9 % 10**6:x}"
    hands = asyncio.Semaphore(_AT_ONCE)

    async def make(name: str) -> str:
        path, values = f"{PROJECT}/all/{name}", {"value": name}
        times = {"graceSeconds": 0, "destroyAfterSeconds": _LOCKED}
        model = kind("SecretRotation")
        obj = {
            "apiVersion": API_VERSION,
            "kind": model.kind,
            "metadata": {"name": name, "namespace": ORGANIZATION},
            "spec": {"engine": "KV", "vaultPath": path, **times},
        }
        async with hands:
            await asyncio.to_thread(store.write, ORGANIZATION, path, values, expected=0)
            await bench.cluster.apply(obj, manager="pavane-benchmarks")
        return name

    return list(await asyncio.gather(*(make(f"{mark}-{one}") for one in range(number))))


def _session(bench: Bench, state: StateDir, role: str) -> VaultSession:
    address = bench.record.environment["PAVANE_VAULT__ADDRESS"]
    return VaultSession(address, role, roles.secret_id_file(state, role))


async def _turned_over(bench: Bench, name: str, hands: asyncio.Semaphore) -> float:
    request = RotationRequest(organization=ORGANIZATION, rotation=name)
    start = time.perf_counter()
    async with hands:
        handle: Handle = await bench.temporal.start_workflow(
            _WORKFLOW,
            request,
            id=ids.rotation_id(ORGANIZATION, name),
            task_queue=ids.LANES_QUEUE,
            result_type=Rotation,
        )
    done = await handle.result()
    if done.version != done.before + 1:
        raise NotMeasured(f"rotation {name} ended with version {done.version}")
    return time.perf_counter() - start


def _requests(log: Path) -> int:
    """How many requests OpenBao's audit log has."""
    with log.open() as lines:
        return sum('"type":"request"' in line for line in lines)
