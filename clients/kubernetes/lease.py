"""One leader among many processes, by a Lease of ``coordination.k8s.io/v1``.

The election of the Kubernetes package was looked at and not taken: it never gives the lease back
at a stop, so every graceful restart costs a whole lease, compares wall clocks and keeps its
tasks running when the work of the leader fails.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime

from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from clients.kubernetes.watch import Object
from domain.errors import Conflict, NotFound, PlatformError, StaleRevision

_LOG = logging.getLogger(__name__)
_LEASES = Kind("coordination.k8s.io/v1", "Lease", "leases", namespaced=True)


class Leader:
    """A candidate for the lead.

    A leader that is killed is followed within ``duration`` plus ``retry`` (below 5 s by default),
    one that stops gracefully within ``retry``. A leader that cannot renew gives up by its own
    clock one ``renew`` before anybody else may take over, so there are never two.
    """

    def __init__(
        self,
        cluster: Cluster,
        name: str,
        namespace: str,
        identity: str,
        *,
        duration: float = 4.0,
        renew: float = 1.0,
        retry: float = 0.5,
    ) -> None:
        """``identity`` must differ between processes. Times are in seconds."""
        self._cluster = cluster
        self._name = name
        self._namespace = namespace
        self._identity = identity
        self._duration = duration
        self._renew = renew
        self._retry = retry
        self._observed = ""
        self._observed_at = 0.0
        self._held_until = 0.0
        self._mine: Object | None = None
        """The lease as it was written here last, so that renewing it is one request."""

    @property
    def leads(self) -> bool:
        """Tells whether this candidate holds the lease now."""
        return time.monotonic() < self._held_until

    async def run(self, work: Callable[[], Awaitable[None]]) -> None:
        """Runs ``work`` while leading, again after each loss, until it returns or is cancelled.

        ``work`` is cancelled when the lease is lost. An error of ``work`` gives the lease back and
        is raised.
        """
        while True:
            async with self.lead() as lost:
                working = asyncio.ensure_future(work())
                losing = asyncio.ensure_future(lost.wait())
                try:
                    await asyncio.wait({working, losing}, return_when=asyncio.FIRST_COMPLETED)
                finally:
                    losing.cancel()
                    finished = working.done() and not working.cancelled()
                    working.cancel()
                    with suppress(asyncio.CancelledError):
                        await working
                if finished:
                    return

    @asynccontextmanager
    async def lead(self) -> AsyncIterator[asyncio.Event]:
        """Waits for the lead, then yields an event that is set when it is lost.

        Leaving the block gives the lease back at once.
        """
        while not await self._try():  # noqa: ASYNC110 - the holder is another process
            await asyncio.sleep(self._retry)
        _LOG.info("%s leads %s", self._identity, self._name)
        lost = asyncio.Event()
        renewing = asyncio.create_task(self._keep(lost), name=f"lease {self._name}")
        try:
            yield lost
        finally:
            renewing.cancel()
            with suppress(asyncio.CancelledError):
                await renewing
            await asyncio.shield(self._release())

    async def _keep(self, lost: asyncio.Event) -> None:
        try:
            while self.leads:
                await asyncio.sleep(self._renew)
                remaining = self._held_until - time.monotonic()
                with suppress(TimeoutError):
                    async with asyncio.timeout(max(remaining, 0)):
                        await self._try()
            _LOG.warning("%s lost the lead of %s", self._identity, self._name)
        finally:
            lost.set()

    async def _try(self) -> bool:
        """Takes or renews the lease if that is allowed, and tells whether it is held now."""
        asked = time.monotonic()
        try:
            known, self._mine = self._mine, None
            lease = known or await self._cluster.find(_LEASES, self._name, self._namespace)
            if lease is None:
                self._mine = await self._cluster.create(self._wanted(None))
            elif self._may_take(lease):
                self._mine = await self._cluster.replace(self._wanted(lease), urgent=True)
            else:
                self._held_until = 0.0
                return False
        except (StaleRevision, NotFound):
            return self.leads
        except Conflict:
            return False
        except PlatformError as error:
            _LOG.warning("lease %s: %s", self._name, error)
            return self.leads
        self._held_until = asked + self._duration - self._renew
        return True

    def _may_take(self, lease: Object) -> bool:
        """Judges the holder by how long the lease has not moved here, not by its clock."""
        spec = lease.get("spec") or {}
        holder = spec.get("holderIdentity") or ""
        if holder in {"", self._identity}:
            return True
        version = lease["metadata"]["resourceVersion"]
        now = time.monotonic()
        if version != self._observed:
            self._observed, self._observed_at = version, now
        seconds = float(spec.get("leaseDurationSeconds") or self._duration)
        return now - self._observed_at >= seconds

    def _wanted(self, lease: Object | None) -> Object:
        before = (lease or {}).get("spec") or {}
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        same = before.get("holderIdentity") == self._identity
        transitions = int(before.get("leaseTransitions") or 0)
        metadata = {"name": self._name, "namespace": self._namespace}
        if lease is not None:
            metadata["resourceVersion"] = lease["metadata"]["resourceVersion"]
        return {
            "apiVersion": _LEASES.api_version,
            "kind": _LEASES.kind,
            "metadata": metadata,
            "spec": {
                "holderIdentity": self._identity,
                "leaseDurationSeconds": max(1, round(self._duration)),
                "acquireTime": before.get("acquireTime") if same else now,
                "renewTime": now,
                "leaseTransitions": transitions if same else transitions + 1,
            },
        }

    async def _release(self) -> None:
        self._held_until, self._mine = 0.0, None
        try:
            lease = await self._cluster.find(_LEASES, self._name, self._namespace)
            if lease and lease["spec"].get("holderIdentity") == self._identity:
                lease["spec"]["holderIdentity"] = ""
                lease["spec"]["leaseDurationSeconds"] = 1
                await self._cluster.replace(lease)
        except PlatformError as error:
            _LOG.warning("lease %s could not be given back: %s", self._name, error)
