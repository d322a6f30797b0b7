"""Waits until an API server refuses what its admission policies say, before anybody is told so."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from temporalio import activity

from clients.kubernetes.cluster import Cluster
from domain.errors import Denied, DependencyUnavailable, InvalidRequest
from domain.rendering.tenants.probes import Probe

_POLICY = "ValidatingAdmissionPolicy"
_EVERY_SECONDS = 0.1
_PATIENCE_SECONDS = 20.0
"""An API server takes policies up in about a second, and tells nobody that it did."""


async def enforced(cluster: Cluster, probes: Iterable[Probe]) -> None:
    """Returns when each probe is refused by the policy as it is now. Nothing is ever written.

    Raises:
        DependencyUnavailable: One is still taken; the policy does not count yet.
    """
    for probe in probes:
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not await _is_refused(cluster, probe):
                    activity.heartbeat(probe.says)
                    await asyncio.sleep(_EVERY_SECONDS)
        except TimeoutError as error:
            where = probe.obj["metadata"]["namespace"]
            message = f"the API server does not heed the admission policy of {where} yet"
            raise DependencyUnavailable(message) from error


async def _is_refused(cluster: Cluster, probe: Probe) -> bool:
    """Asks without writing; a refusal by somebody else's policy hides ours, and is one."""
    try:
        await cluster.apply(probe.obj, dry_run=True, force=True)
    except (Denied, InvalidRequest) as refusal:
        return _POLICY not in refusal.message or probe.says in refusal.message
    return False
