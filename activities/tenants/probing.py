"""Waits until what was applied counts, before anybody is told so: admission, and Cilium's word."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from temporalio import activity

from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from domain.errors import Denied, DependencyUnavailable, InvalidRequest
from domain.policies.objects import first_condition
from domain.rendering.tenants.probes import Probe

_POLICY = "ValidatingAdmissionPolicy"
_CLUSTERWIDE = Kind(
    "cilium.io/v2",
    "CiliumClusterwideNetworkPolicy",
    "ciliumclusterwidenetworkpolicies",
    namespaced=False,
)
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


async def valid(cluster: Cluster, objects: Iterable[dict[str, Any]]) -> None:
    """Returns when Cilium has taken each policy of the whole cluster among the objects.

    They are read again and again: the role of planes may get them, not watch all that there are.

    Raises:
        InvalidRequest: Cilium refuses one, so it closes nothing.
        DependencyUnavailable: It has said nothing yet.
    """
    for obj in objects:
        if obj["kind"] != _CLUSTERWIDE.kind:
            continue
        name = obj["metadata"]["name"]
        try:
            async with asyncio.timeout(_PATIENCE_SECONDS):
                while not await _is_valid(cluster, name):
                    activity.heartbeat(name)
                    await asyncio.sleep(_EVERY_SECONDS)
        except TimeoutError as error:
            message = f"Cilium has not said yet whether {_CLUSTERWIDE.kind} {name} is valid"
            raise DependencyUnavailable(message) from error


async def _is_valid(cluster: Cluster, name: str) -> bool:
    found = await cluster.get(_CLUSTERWIDE, name)
    said = first_condition((found.get("status") or {}).get("conditions"), "Valid")
    if said.get("status") == "False":
        why = said.get("message", "")
        raise InvalidRequest(f"Cilium refuses {_CLUSTERWIDE.kind} {name}: {why}")
    return said.get("status") == "True"
