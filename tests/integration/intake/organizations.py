"""What the tests of the intake do to an organization and see of Temporal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError

from clients.kubernetes import Cluster, Kind
from domain.deliveries import DeployRequest
from domain.resources.classes import DEFAULT_SERVICE_CLASS
from intake.service import WATCHED, Intake

_PATIENCE = 60
"""Seconds: intake looks after the organizations of all tests of a run."""


class Organization:
    """Writes resources of one organization and reads what became of them."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.name = name

    async def apply(
        self, kind: str, name: str, spec: dict[str, Any], *, labels: dict[str, str] | None = None
    ) -> dict[str, Any]:
        return await self.cluster.apply(
            {
                "apiVersion": "choreo.dev/v1alpha1",
                "kind": kind,
                "metadata": {"name": name, "namespace": self.name, "labels": labels or {}},
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
        async with asyncio.timeout(_PATIENCE):
            while True:
                found = await self.cluster.get(where, name, self.name)
                for one in found.get("status", {}).get("conditions", ()):
                    if one["type"] == "Ready" and holds(one):
                        return dict(one)
                await asyncio.sleep(0.05)


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
    async with asyncio.timeout(_PATIENCE):
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
    async with asyncio.timeout(_PATIENCE):
        async for event in handle.fetch_history_events(wait_new_event=True):
            if event.event_type == signalled:
                payloads = event.workflow_execution_signaled_event_attributes.input.payloads
                (request,) = await temporal.data_converter.decode(payloads, [DeployRequest])
                seen.append(request.request_id)
                if len(seen) == count:
                    break
    return seen
