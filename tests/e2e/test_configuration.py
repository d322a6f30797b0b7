"""Configuration on real pods: a change rolls exactly who uses it, and is rolled back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError

from clients.kubernetes import Cluster, Kind
from domain import ids
from domain.deliveries import ConfigurationRequest, Trigger
from domain.phases import Phase
from domain.resources import API_VERSION
from domain.resources.configuration import ConfigurationGroup
from domain.resources.registry import parse_as
from tests.e2e.test_types import DEPLOYMENTS, PATIENCE, SERVE, Tenant, cluster, temporal, tenant
from workflows.configurations.release import ConfigurationWorkflow
from workflows.configurations.starting import signal_configuration

__all__ = ["cluster", "temporal", "tenant"]  # fixtures

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.sampled]

GROUPS = Kind(API_VERSION, "ConfigurationGroup", "configurationgroups", namespaced=True)
PODS = Kind("v1", "Pod", "pods", namespaced=True)
WORKLOAD = {"containers": [{"name": "main", "command": [*SERVE, "/etc/app/live"]}]}


def keys(**values: str) -> dict[str, Any]:
    """Keys with a value for all environments that are not production; ``banner`` is a file."""
    return {
        "configurations": [
            {
                "key": key,
                **({"file": "/etc/app/live/banner"} if key == "banner" else {}),
                "values": [{"environmentGroupRef": "non-production", "value": value}],
            }
            for key, value in values.items()
        ]
    }


class Group:
    """One configuration group, and what became of it."""

    def __init__(self, tenant: Tenant, cluster: Cluster, name: str) -> None:
        self.tenant, self.cluster, self.name = tenant, cluster, name

    async def says(self, **values: str) -> str:
        """Declares values; returns their revision once their release has ended."""
        await self.tenant.declare("ConfigurationGroup", self.name, keys(**values))
        found = parse_as(
            ConfigurationGroup, await self.cluster.get(GROUPS, self.name, self.tenant.name)
        )
        await self.ended(found.revision)
        return found.revision

    async def ended(self, revision: str) -> Phase:
        """Waits until the release of a revision has ended; returns how."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.cluster.get(GROUPS, self.name, self.tenant.name)
                history = parse_as(ConfigurationGroup, found).status.history
                if history and history[-1].revision == revision and history[-1].finished:
                    return history[-1].phase
                await asyncio.sleep(0.3)

    async def pods(self, component: str) -> set[str]:
        """Returns the pods of a component that are not about to end."""
        label = f"choreo.dev/component={component}"
        listing = await self.cluster.list(PODS, self.tenant.namespace, label)
        return {
            one["metadata"]["uid"]
            for one in listing.items
            if "deletionTimestamp" not in one["metadata"]
        }

    async def variable(self, component: str, name: str) -> str:
        found = await self.cluster.get(DEPLOYMENTS, component, self.tenant.namespace)
        (main,) = found["spec"]["template"]["spec"]["containers"]
        return str(next(one["value"] for one in main["env"] if one["name"] == name))


async def component(tenant: Tenant, name: str, *groups: str, **more: str) -> None:
    await tenant.component("Service", name, workload=WORKLOAD)
    owner = {"componentOwner": {"projectRef": "shop"}, "componentType": "Service"}
    spec = {**owner, "configurationGroupRefs": list(groups), **more}
    await tenant.declare("Component", name, spec)
    await tenant.bind("Service", name, parameters={})
    assert (await tenant.judged("Service", name))["ready"]["status"] == "True"


async def test_a_change_rolls_exactly_who_uses_it_and_a_rollback_takes_it_back(
    tenant: Tenant, cluster: Cluster, temporal: Client
) -> None:
    group = Group(tenant, cluster, "db")
    first = await group.says(pool="2", banner="hello")
    for name, refs in (("shelf", ["db"]), ("till", ["db"]), ("door", [])):
        await component(tenant, name, *refs)
        handle = await _released(temporal, tenant, "db")
        await handle.result()
    before = {name: await group.pods(name) for name in ("shelf", "till", "door")}
    assert await group.variable("shelf", "POOL") == "2"

    await group.says(pool="3", banner="hello")

    assert await group.variable("shelf", "POOL") == "3"
    after = {name: await group.pods(name) for name in ("shelf", "till", "door")}
    assert not before["shelf"] & after["shelf"]
    assert not before["till"] & after["till"]
    assert before["door"] == after["door"]

    handle = await _released(temporal, tenant, "db", restore=first)
    done = await handle.result()

    assert {one.component for one in done.deployed} == {"shelf", "till"}
    assert await group.variable("till", "POOL") == "2"
    assert await group.pods("door") == before["door"]
    said = parse_as(ConfigurationGroup, await cluster.get(GROUPS, "db", tenant.name))
    assert said.revision == first == said.status.revision


async def test_what_cannot_be_used_is_refused_and_what_runs_stays(
    tenant: Tenant, cluster: Cluster, temporal: Client
) -> None:
    group = Group(tenant, cluster, "strict")
    await group.says(url="a")
    await component(tenant, "careful", "strict")
    before = await group.pods("careful")

    await tenant.declare("ConfigurationGroup", "strict", keys(url="${gone}"))
    broken = parse_as(ConfigurationGroup, await cluster.get(GROUPS, "strict", tenant.name))

    assert await group.ended(broken.revision) is Phase.FAILED
    handle = await _released(temporal, tenant, "strict")
    with pytest.raises(WorkflowFailureError) as refused:
        await handle.result()
    assert "careful in dev" in str(refused.value.cause)
    assert "${gone}" in str(refused.value.cause)
    assert await group.pods("careful") == before


async def test_a_live_file_changes_in_the_pods_that_run(tenant: Tenant, cluster: Cluster) -> None:
    group = Group(tenant, cluster, "banner")
    await group.says(banner="good morning")
    await component(tenant, "lively", "banner", configurationUpdates="Live")
    before = await group.pods("lively")

    await group.says(banner="good night")

    maps = Kind("v1", "ConfigMap", "configmaps", namespaced=True)
    label = "choreo.dev/component=lively"
    (live,) = (await cluster.list(maps, tenant.namespace, label)).items
    assert list(live["data"].values()) == ["good night"]
    assert await group.pods("lively") == before


async def _released(temporal: Client, tenant: Tenant, group: str, restore: str = "") -> Any:
    request = ConfigurationRequest(
        organization=tenant.name, group=group, restore=restore, trigger=Trigger(actor="ada")
    )
    handle = await signal_configuration(temporal, request)
    return temporal.get_workflow_handle_for(
        ConfigurationWorkflow.run, ids.configuration_id(tenant.name, group), run_id=handle.run_id
    )
