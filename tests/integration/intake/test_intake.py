from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from clients.kubernetes import Cluster, Kind
from domain import ids
from domain.deliveries import DeployRequest
from domain.resources.classes import DEFAULT_SERVICE_CLASS
from intake.service import WATCHED, Intake

pytestmark = pytest.mark.integration


class Organization:
    """Writes resources of one organization and reads what became of them."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name

    async def apply(self, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
        return await self.cluster.apply(
            {
                "apiVersion": "choreo.dev/v1alpha1",
                "kind": kind,
                "metadata": {"name": name, "namespace": self.name},
                "spec": spec,
            },
            manager="person",
        )

    async def platform(self) -> None:
        """Everything a component needs."""
        await self.apply("DataPlane", "local", {})
        await self.apply("BuildPlane", "local", {})
        await self.apply("Environment", "dev", {"dataPlaneRef": "local"})
        path = {"sourceEnvironmentRef": "dev"}
        await self.apply("DeploymentPipeline", "default", {"promotionPaths": [path]})
        await self.apply("ServiceClass", DEFAULT_SERVICE_CLASS, {})
        await self.apply("Project", "shop", {"deploymentPipelineRef": "default"})

    async def component(self, name: str, *, auto_build: bool = False) -> None:
        await self.apply(
            "Component",
            name,
            {
                "componentOwner": {"projectRef": "shop"},
                "autoBuild": auto_build,
                "buildSpecInComponent": {"repository": "https://git.example.com/web.git"},
            },
        )

    async def deployable(self, name: str) -> None:
        await self.component(name)
        image = f"registry.example.com/{name}@sha256:{'a' * 64}"
        await self.apply(
            "Workload",
            name,
            {"componentRef": name, "containers": [{"name": "main", "image": image}]},
        )
        await self.apply("DeployableArtifact", f"{name}-1", {"componentRef": name, "image": image})

    async def binding(self, name: str, **more: Any) -> dict[str, Any]:
        wanted = {"environmentRef": "dev", "componentRef": name, "artifactRef": f"{name}-1"}
        return await self.apply("ServiceBinding", f"{name}-dev", wanted | more)

    async def ready(
        self, kind: str, name: str, holds: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """Returns the condition Ready once it is as wanted."""
        where = Kind("choreo.dev/v1alpha1", kind, WATCHED[kind].plural, namespaced=True)
        async with asyncio.timeout(10):
            while True:
                found = await self.cluster.get(where, name, self.name)
                for one in found.get("status", {}).get("conditions", ()):
                    if one["type"] == "Ready" and holds(one):
                        return dict(one)
                await asyncio.sleep(0.05)


@pytest.fixture
def org(cluster: Cluster, organization: str) -> Organization:
    return Organization(cluster, organization)


@asynccontextmanager
async def intake(cluster: Cluster, temporal: Client, organization: str) -> AsyncIterator[None]:
    """An active intake whose Lease lies in the organization, so that tests do not meet there."""
    running = asyncio.create_task(Intake(cluster, temporal, namespace=organization).run())
    try:
        yield
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.wait({running})


async def started(temporal: Client, workflow_id: str) -> WorkflowExecutionStatus | None:
    """Returns the status of a workflow once it exists."""
    async with asyncio.timeout(10):
        while True:
            try:
                return (await temporal.get_workflow_handle(workflow_id).describe()).status
            except RPCError:
                await asyncio.sleep(0.05)


async def requests(temporal: Client, workflow_id: str, count: int) -> list[str]:
    """Returns the ids of the first deployments a workflow was signalled for."""
    seen: list[str] = []
    signalled = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED
    handle = temporal.get_workflow_handle(workflow_id)
    async with asyncio.timeout(10):
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.event_type == signalled:
                payloads = event.workflow_execution_signaled_event_attributes.input.payloads
                (request,) = await temporal.data_converter.decode(payloads, [DeployRequest])
                seen.append(request.request_id)
                if len(seen) == count:
                    break
    return seen


async def test_build_of_a_person_starts_its_request(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.component("web")
    async with intake(cluster, temporal, org.name):
        await org.apply("Build", "try", {"componentRef": "web", "revision": {"branch": "main"}})

        status = await started(temporal, ids.build_request_id(org.name, "web", "try-1"))

    assert status is WorkflowExecutionStatus.RUNNING


async def test_new_component_asks_for_its_first_build(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    async with intake(cluster, temporal, org.name):
        await org.component("web", auto_build=True)
        await org.platform()
        async with asyncio.timeout(10):
            found: list[str] = []
            while not found:
                query = f"WorkflowId STARTS_WITH 'build-request/{org.name}/web/web-'"
                found = [one.id async for one in temporal.list_workflows(query)]

    assert len(found) == 1


async def test_binding_asks_for_each_of_its_generations_in_order(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.deployable("web")
    workflow = ids.deploy_id(org.name, "web", "dev")
    async with intake(cluster, temporal, org.name):
        binding = await org.binding("web")
        await started(temporal, workflow)
        await org.binding("web", workload={"replicas": 2})
        uid = binding["metadata"]["uid"][:8]
        wanted = [f"binding-{uid}-1", f"binding-{uid}-2"]
        assert await requests(temporal, workflow, 2) == wanted


async def test_what_changed_while_nobody_looked_is_found_at_the_start(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.deployable("web")
    await org.binding("web")

    async with intake(cluster, temporal, org.name):
        status = await started(temporal, ids.deploy_id(org.name, "web", "dev"))

    assert status is WorkflowExecutionStatus.RUNNING


async def test_restarted_intake_asks_for_the_same_request_again_and_for_no_other(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.deployable("web")
    await org.binding("web")
    workflow = ids.deploy_id(org.name, "web", "dev")
    async with intake(cluster, temporal, org.name):
        await started(temporal, workflow)
    async with intake(cluster, temporal, org.name):
        assert len(set(await requests(temporal, workflow, 2))) == 1


async def test_binding_tells_what_it_waits_for_and_goes_on_when_that_appears(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.deployable("web")
    async with intake(cluster, temporal, org.name):
        await org.binding("web", environmentRef="staging")
        waiting = await org.ready("ServiceBinding", "web-dev", lambda one: one["status"] == "False")
        assert waiting["reason"] == "ReferenceMissing"
        assert "Environment staging" in waiting["message"]

        await org.apply("Environment", "staging", {"dataPlaneRef": "local"})
        status = await started(temporal, ids.deploy_id(org.name, "web", "staging"))

    assert status is WorkflowExecutionStatus.RUNNING


async def test_conditions_follow_what_exists(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    async with intake(cluster, temporal, org.name):
        await org.apply("Environment", "dev", {"dataPlaneRef": "local"})
        waiting = await org.ready("Environment", "dev", lambda one: one["status"] == "False")
        assert "DataPlane local" in waiting["message"]

        await org.apply("DataPlane", "local", {})
        await org.ready("Environment", "dev", lambda one: one["status"] == "True")

        await cluster.delete(WATCHED["DataPlane"], "local", org.name)
        await org.ready("Environment", "dev", lambda one: one["status"] == "False")


async def test_second_process_takes_over_when_the_first_one_stops(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    await org.deployable("web")
    first = asyncio.create_task(Intake(cluster, temporal, namespace=org.name).run())
    await org.ready("Environment", "dev", lambda one: one["status"] == "True")
    async with intake(cluster, temporal, org.name):
        first.cancel()
        await asyncio.wait({first})
        await org.binding("web")
        status = await started(temporal, ids.deploy_id(org.name, "web", "dev"))

    assert status is WorkflowExecutionStatus.RUNNING


async def test_burst_of_bindings_is_asked_for_completely(
    cluster: Cluster, temporal: Client, org: Organization
) -> None:
    await org.platform()
    names = [f"web-{number}" for number in range(20)]
    async with intake(cluster, temporal, org.name):
        await asyncio.gather(*(org.deployable(name) for name in names))
        await asyncio.gather(*(org.binding(name) for name in names))
        found = await asyncio.gather(
            *(started(temporal, ids.deploy_id(org.name, name, "dev")) for name in names)
        )

    assert found == [WorkflowExecutionStatus.RUNNING] * 20
