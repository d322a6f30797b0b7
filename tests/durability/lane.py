"""A lane: a Temporal namespace with worker processes of its own, which may die at any moment.

Lanes share the stack's clusters and nothing else, so several scenarios run beside each other and a
kill in one is not felt in another.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from runtime.plugin import PavanePlugin
from runtime.ports import free_port
from runtime.search_attributes import register
from tests.durability.orders import DONE, ORDER, TRACES, VARIABLE, Order
from tests.durability.points import Trace

ROOT = Path(__file__).resolve().parents[2]
_ROLES = '["orchestration", "control", "plane", "secrets"]'
"""Not the intake: it would act on the organizations of the other lanes too."""
_RETENTION = timedelta(days=1)
_READY = 60


class WorkerDied(Exception):
    """A worker ended although nobody had told it to; its log is named."""


@dataclass(frozen=True)
class _Worker:
    process: asyncio.subprocess.Process
    begin: Path
    """The file for which it waits."""


class Lane:
    """Keeps the wished number of workers running and counts those that were killed."""

    def __init__(self, name: str, environment: dict[str, str], folder: Path) -> None:
        self.name = name
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.environment = {
            # Without byte code every process would compile all it imports again.
            name: value
            for name, value in environment.items()
            if name != "PYTHONDONTWRITEBYTECODE"
        }
        self.kills: list[float] = []
        """When each kill happened, in seconds since the epoch."""
        self._serving: set[asyncio.subprocess.Process] = set()
        self._standing_by: dict[str, _Worker] = {}
        self._keepers: set[asyncio.Task[None]] = set()
        self._client: Client | None = None
        self._launched = 0

    @property
    def client(self) -> Client:
        assert self._client is not None
        return self._client

    async def connect(self) -> None:
        """Makes the namespace, if needed, and waits until it takes work."""
        address = self.environment["TEMPORAL_ADDRESS"]
        first = await Client.connect(address)
        retention = Duration()
        retention.FromTimedelta(_RETENTION)
        request = RegisterNamespaceRequest(
            namespace=self.name, workflow_execution_retention_period=retention
        )
        try:
            await first.workflow_service.register_namespace(request)
        except RPCError as error:
            if error.status is not RPCStatusCode.ALREADY_EXISTS:
                raise
        self._client = await Client.connect(address, namespace=self.name, plugins=[PavanePlugin()])
        async with asyncio.timeout(_READY):
            while True:
                with suppress(RPCError):
                    await register(self.client)
                    _ = [one async for one in self.client.list_workflows("PavaneKind='x'")]
                    return
                await asyncio.sleep(0.2)

    async def start(self, **settings: str) -> None:
        """Starts one more worker; one that is killed by an order is followed by another."""
        key = json.dumps(settings, sort_keys=True)
        worker = self._standing_by.pop(key, None) or await self._launch(settings)
        worker.begin.touch()
        self._serving.add(worker.process)
        keeper = asyncio.create_task(self._keep(worker, settings), name=f"worker of {self.name}")
        self._keepers.add(keeper)
        keeper.add_done_callback(self._keepers.discard)
        self._standing_by[key] = await self._launch(settings)

    async def _launch(self, settings: dict[str, str]) -> _Worker:
        """Starts a process that imports everything and waits."""
        self._launched += 1
        begin = self.folder / f"begin-{self._launched}"
        with (self.folder / f"worker-{self._launched}.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.durability.launcher", str(begin)),
                cwd=ROOT,
                env={
                    **self.environment,
                    "PYTHONPATH": str(ROOT),
                    "TEMPORAL_NAMESPACE": self.name,
                    "PAVANE_WORKER__ROLES": _ROLES,
                    # Lanes share the plane but not Temporal: one would judge what another deploys.
                    "PAVANE_WORKER__WATCH_DRIFT": "false",
                    "PAVANE_WORKER__LISTEN": f"127.0.0.1:{free_port()}",
                    "PAVANE_OBJECTS__URL": (self.folder / "objects").as_uri(),
                    "PAVANE_LOG__FORMAT": "json",
                    VARIABLE: str(self.folder),
                    **settings,
                },
                stdout=log,
                stderr=log,
            )
        return _Worker(process, begin)

    async def _keep(self, worker: _Worker, settings: dict[str, str]) -> None:
        code = await worker.process.wait()
        self._serving.discard(worker.process)
        done = self.folder / DONE
        if code == -signal.SIGKILL and done.exists():
            self.kills.append(done.stat().st_mtime)
            await self.start(**settings)

    async def stop(self) -> None:
        """Ends all workers in order."""
        for keeper in tuple(self._keepers):
            keeper.cancel()
        for process in self._serving:
            process.terminate()
        for waiting in self._standing_by.values():
            waiting.process.kill()
        ending = {*self._serving, *(one.process for one in self._standing_by.values())}
        await asyncio.gather(*(process.wait() for process in ending))
        self._serving.clear()
        self._standing_by.clear()

    def check(self) -> None:
        """Raises when a worker ended by itself.

        Raises:
            WorkerDied: It did.
        """
        if not self._serving and not self._keepers:
            raise WorkerDied(f"a worker of {self.name} ended by itself: see {self.folder}")

    def arm(self, order: Order) -> None:
        order.write(self.folder)

    def disarm(self) -> None:
        (self.folder / ORDER).unlink(missing_ok=True)

    @property
    def is_carried_out(self) -> bool:
        return (self.folder / DONE).exists()

    async def carried_out(self, at_most: float) -> float:
        """Waits until the order was carried out and returns when that was."""
        deadline = time.monotonic() + at_most
        while not self.is_carried_out:
            if time.monotonic() > deadline:
                raise TimeoutError("the point of the order was not met")
            await asyncio.sleep(0.02)
        return (self.folder / DONE).stat().st_mtime

    def traces(self, organization: str) -> list[Trace]:
        """What the activities of one organization did, in the order in which they ended."""
        try:
            lines = (self.folder / TRACES).read_text().splitlines()
        except FileNotFoundError:
            return []
        contents = [json.loads(line) for line in lines]
        return [
            Trace(each["workflow"], each["name"], each["effects"], each["beats"])
            for each in contents
            if each["organization"] == organization
        ]


@asynccontextmanager
async def lane(name: str, environment: dict[str, str], folder: Path) -> AsyncIterator[Lane]:
    """A connected lane; its workers end with the block."""
    made = Lane(name, environment, folder)
    await made.connect()
    try:
        yield made
    finally:
        await made.stop()
