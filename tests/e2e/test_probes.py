"""Network policies are tried from real pods after a release, and a hole brings back what ran."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client

from activities.common.kinds import JOBS, NETWORK_POLICIES
from clients.kubernetes import Cluster, Kind
from domain import ids
from domain.deliveries.probes import ProbeOutcome
from domain.rendering.network.probing import PROBE
from domain.resources import API_VERSION
from tests.e2e.test_types import PATIENCE, SERVE, Tenant, cluster, temporal, tenant

__all__ = ["cluster", "temporal", "tenant"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.sampled]

MAIN = {"name": "main", "command": [*SERVE, "/srv"]}
HTTP = {"name": "http", "port": 8080}


async def declare(tenant: Tenant, name: str, *endpoints: dict[str, Any]) -> dict[str, Any]:
    """Declares a component, or other endpoints of it, and returns how its release ended."""
    workload = {"containers": [MAIN], "endpoints": list(endpoints)}
    await tenant.component("Service", name, workload=workload)
    status = await tenant.judged("Service", name)
    ready: dict[str, Any] = status["ready"]
    return ready


async def enforce(tenant: Tenant, policies: str = "Kubernetes") -> None:
    """Has the environment ask for probes, by an image that is there."""
    network = {"probeImage": tenant.image, "policies": policies}
    await tenant.declare(
        "DataPlane", "local", {"gateway": {"domain": "localhost"}, "network": network}
    )
    await tenant.declare(
        "Environment", "dev", {"dataPlaneRef": "local", "network": {"probes": "Enforce"}}
    )


async def tried(temporal: Client, tenant: Tenant, name: str) -> ProbeOutcome:
    """Returns what came of the probes of a component's last deployment."""
    handle = temporal.get_workflow_handle(ids.deploy_id(tenant.name, name, "dev"))
    history = await handle.fetch_history()
    (asked,) = (
        one.event_id
        for one in history.events
        if one.activity_task_scheduled_event_attributes.activity_type.name == "probe_ways"
    )
    (told,) = (
        one.activity_task_completed_event_attributes.result
        for one in history.events
        if one.activity_task_completed_event_attributes.scheduled_event_id == asked
    )
    outcome: ProbeOutcome
    (outcome,) = await temporal.data_converter.decode(told.payloads, [ProbeOutcome])
    return outcome


async def failed(cluster: Cluster, tenant: Tenant, name: str) -> dict[str, Any]:
    """Returns the condition of a binding once a release failed by its probes."""
    bindings = Kind(API_VERSION, "ServiceBinding", "servicebindings", namespaced=True)
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await cluster.get(bindings, f"{name}-dev", tenant.name)
            for one in found["status"].get("conditions", ()):
                if one["reason"] == "ProbeFailed":
                    return dict(one)
            await asyncio.sleep(0.5)


@pytest.mark.parametrize("policies", ["Kubernetes", "Cilium"])
async def test_a_release_is_kept_when_its_pods_reach_what_they_declared_and_nobody_else_does(
    tenant: Tenant, cluster: Cluster, temporal: Client, policies: str
) -> None:
    await enforce(tenant, policies)
    store, shop = f"store-{policies.lower()}", f"shop-{policies.lower()}"
    assert (await declare(tenant, store, HTTP))["status"] == "True"
    target = {"componentRef": store}
    await tenant.declare("Connection", shop, {"componentRef": shop, "target": target})
    ready = await declare(tenant, shop, HTTP)
    assert ready["status"] == "True", ready
    assert await tried(temporal, tenant, shop) == ProbeOutcome(tried=4)
    left = await cluster.list(JOBS, tenant.namespace, PROBE)
    assert [one for one in left.items if "deletionTimestamp" not in one["metadata"]] == []


async def test_a_hole_that_somebody_made_fails_the_release_and_what_ran_is_brought_back(
    tenant: Tenant, cluster: Cluster
) -> None:
    await enforce(tenant)
    assert (await declare(tenant, "vault", HTTP))["status"] == "True"
    hole = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "hole", "namespace": tenant.namespace},
        "spec": {
            "podSelector": {"matchLabels": {"choreo.dev/component": "vault"}},
            "policyTypes": ["Ingress"],
            "ingress": [{}],
        },
    }
    await cluster.apply(hole, manager="somebody")
    await tenant.declare(
        "Endpoint", "vault", {"backendRef": {"componentRef": "vault"}, "visibility": "organization"}
    )
    ready = await failed(cluster, tenant, "vault")
    assert "nobody else reaches vault.http: it is open" in ready["message"]
    kept = await cluster.get(NETWORK_POLICIES, "vault", tenant.namespace)
    assert "namespaceSelector" not in kept["spec"]["ingress"][0]["from"][0]
