"""Serves the planes whose credentials are kept in OpenBao: the role `planes` of a worker.

Each such plane has a task queue, connections and a guard of its own. It is served as long as it is
declared, also while its credentials are missing or refused: then its work fails with the reason,
is tried again, and goes on when they are right.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import timedelta
from importlib.metadata import version
from typing import Protocol

from temporalio.client import Client
from temporalio.worker import Interceptor, Worker

from activities import serving
from activities.common.kinds import platform
from activities.serving import Activities, Outside
from clients.kubernetes import Given, GivenCluster, SharedWatches, WatchEvent
from clients.kubernetes.watch import DELETED
from clients.vault import SecretStore
from domain.errors import Errored, InvalidRequest, NotFound, PlatformError
from domain.resources import BuildPlane, DataPlane, parse_as
from intake.drift import DriftWatch
from runtime.stopping import close_workers
from runtime.tenancy import OnlyOrganizations

_LOG = logging.getLogger("worker")
_LOOK = timedelta(minutes=1)
"""How often it is asked whether the credentials are still in use: OpenBao tells nobody. Those that
the plane refuses are asked for at once."""


class Serve(Protocol):
    """Makes the worker of a task queue, with guards before its activities."""

    def __call__(
        self, queue: str, activities: Activities, at_once: int, *, guards: Sequence[Interceptor]
    ) -> Worker:
        """Makes it; whoever asked runs it."""
        ...


@dataclass(frozen=True)
class _Plane:
    """What of a plane decides how it is served."""

    organization: str
    kind: str
    name: str
    queue: str = field(compare=False)
    path: str

    @classmethod
    def of(cls, plane: DataPlane | BuildPlane) -> _Plane | None:
        """None = a worker with credentials of its own serves it."""
        if plane.spec.credentials is None:
            return None
        return cls(
            plane.organization,
            plane.kind,
            plane.name,
            plane.task_queue,
            plane.spec.credentials.vault_path,
        )


class PlaneWorkers:
    """The workers of all planes with credentials in OpenBao."""

    def __init__(
        self,
        outside: Outside,
        client: Client,
        store: SecretStore | None,
        serve: Serve,
        *,
        look: timedelta = _LOOK,
    ) -> None:
        """Prepares; ``run`` begins.

        Args:
            outside: What is outside of this process; its cluster is the control plane.
            client: Temporal.
            store: Reads credentials; None = this process has no role in OpenBao for that.
            serve: Makes a worker.
            look: How often it is asked whether credentials are still in use.
        """
        self._outside = outside
        self._client = client
        self._store = store
        self._serve = serve
        self._look = look
        self._served: dict[tuple[str, str, str], tuple[_Plane, asyncio.Task[None]]] = {}

    async def run(self) -> None:
        """Serves until it is cancelled; running activities are given time to end."""
        try:
            async with asyncio.TaskGroup() as group, AsyncExitStack() as stack:
                for model in (DataPlane, BuildPlane):
                    watch = self._outside.watches.of(platform(model.kind))
                    events = await stack.enter_async_context(watch.subscribe())
                    group.create_task(self._follow(model, events, group), name=model.plural)
                await asyncio.Event().wait()
        finally:
            self._served.clear()

    async def _follow(
        self,
        model: type[DataPlane | BuildPlane],
        events: AsyncIterator[WatchEvent],
        group: asyncio.TaskGroup,
    ) -> None:
        async for event in events:
            try:
                plane = parse_as(model, event.object)
            except InvalidRequest as error:
                _LOG.warning("a plane cannot be read: %s", error.message)
                continue
            key = (plane.organization, plane.kind, plane.name)
            wanted = None if event.type == DELETED else _Plane.of(plane)
            served, task = self._served.get(key, (None, None))
            if wanted == served:
                continue
            if task is not None:
                task.cancel()
                await asyncio.wait({task})
                del self._served[key]
            if wanted is not None:
                self._served[key] = wanted, group.create_task(self._keep(wanted), name=wanted.queue)

    async def _keep(self, plane: _Plane) -> None:
        """Serves one plane until it is cancelled."""
        what = f"credentials of plane {plane.name} ({plane.path} of {plane.organization})"
        cluster = GivenCluster.by(
            lambda known: self._given(plane, known), what, f"pavane-worker/{version('pavane')}"
        )
        watches = SharedWatches(cluster)
        outside = replace(self._outside, cluster=cluster, watches=watches)
        own = self._outside.settings.worker
        worker = self._serve(
            plane.queue,
            serving.plane(outside),
            own.plane_tasks,
            guards=[OnlyOrganizations((plane.organization,))],
        )
        stack = AsyncExitStack()
        await stack.enter_async_context(worker)
        _LOG.info("serving task queue %s", plane.queue)
        try:
            async with asyncio.TaskGroup() as group:
                if own.watch_drift:
                    group.create_task(DriftWatch(cluster, self._client).run())
                group.create_task(self._renew(plane, cluster))
        finally:
            await close_workers(stack, own.graceful_shutdown)
            await watches.close()
            await cluster.close()
            _LOG.info("task queue %s is not served any more", plane.queue)

    async def _renew(self, plane: _Plane, cluster: GivenCluster) -> None:
        while True:
            await asyncio.sleep(self._look.total_seconds())
            try:
                await cluster.renew()
            except PlatformError as error:
                _LOG.warning("%s: %s", plane.queue, error.message)

    async def _given(self, plane: _Plane, known: str) -> Given | None:
        if self._store is None:
            raise Errored(
                "this worker has no role in OpenBao for them (PAVANE_VAULT__ADDRESS, "
                "PAVANE_VAULT__PLANES__SECRET_ID_FILE)"
            )
        try:
            return await asyncio.to_thread(self._read, self._store, plane, known)
        except NotFound:
            raise NotFound(
                f"there are none; `pavane secret set {plane.path} kubeconfig --file FILE` sets them"
            ) from None

    def _read(self, store: SecretStore, plane: _Plane, known: str) -> Given | None:
        number = store.describe(plane.organization, plane.path).active
        if str(number) == known:
            return None
        return Given(str(number), store.read(plane.organization, plane.path, number))
