"""What tests of drift do to one place and see of it."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError

from activities.common.kinds import (
    DEPLOYMENTS,
    NETWORK_POLICIES,
    SERVICE_ACCOUNTS,
    SERVICES,
    platform,
)
from clients.kubernetes import Cluster, Kind
from domain import ids
from domain.deliveries import Deployment, DeployRequest, Trigger, TriggerKind
from domain.resources import ServiceBinding, parse_as
from domain.resources.conditions import Condition
from tests.integration.intake.organizations import Organization
from workflows.starting import signal_deployment

KINDS: dict[str, Kind] = {
    kind.kind: kind for kind in (DEPLOYMENTS, NETWORK_POLICIES, SERVICE_ACCOUNTS, SERVICES)
}
_PATIENCE = 30


class Place(Organization):
    """Component ``web`` in environment ``dev``."""

    def __init__(self, cluster: Cluster, temporal: Client, name: str) -> None:
        super().__init__(cluster, name)
        self.temporal = temporal
        self.namespace = ids.namespace(name, "shop", "dev")
        self.component_name = "web"

    async def prepare(self) -> None:
        """Everything the component needs, with values the API server writes in other words."""
        await self.platform()
        main = {"name": "main", "resources": {"limits": {"cpu": "1000m"}}}
        pod = {"hostNetwork": False, "containers": [main]}
        template = {"replicas": 2, "template": {"spec": pod}}
        await self.apply("ServiceClass", "standard-service", {"deploymentTemplate": template})
        await self.deployable("web")
        image = f"registry.example.com/web@sha256:{'a' * 64}"
        endpoint = {"name": "http", "port": 8080, "visibility": "project"}
        await self.apply(
            "Workload",
            "web",
            {
                "componentRef": "web",
                "containers": [{"name": "main", "image": image}],
                "endpoints": [endpoint],
            },
        )
        await self.binding("web")

    async def policy(self, **spec: Any) -> None:
        """Sets the policy of the environment."""
        await self.apply("Environment", "dev", {"dataPlaneRef": "local", **spec})

    async def deploy(self, **more: Any) -> Deployment:
        """Deploys what the binding wants and returns how that went."""
        request = DeployRequest(
            organization=self.name,
            component="web",
            environment="dev",
            request_id=secrets.token_hex(4),
            **more,
        )
        handle = await signal_deployment(self.temporal, request)
        return await handle.result()

    async def change(self, kind: str, name: str, patch: dict[str, Any], manager: str) -> None:
        """Changes an object as another tool does: forced server-side apply by another manager."""
        identity = {"name": name, "namespace": self.namespace}
        metadata = identity | patch.get("metadata", {})
        obj = {"apiVersion": KINDS[kind].api_version, "kind": kind, **patch, "metadata": metadata}
        await self.cluster.apply(obj, manager=manager, force=True)

    async def live(self, kind: str, name: str) -> dict[str, Any] | None:
        """Reads an object of the plane."""
        return await self.cluster.find(KINDS[kind], name, self.namespace)

    async def until(
        self, kind: str, name: str, holds: Callable[[dict[str, Any]], bool]
    ) -> dict[str, Any]:
        """Returns an object of the plane once it is there and as expected."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                found = await self.live(kind, name)
                if found is not None and holds(found):
                    return found
                await asyncio.sleep(0.05)

    async def bound(self) -> ServiceBinding:
        """Reads the binding."""
        name = ids.binding_name("web", "dev")
        found = await self.cluster.get(platform("ServiceBinding"), name, self.name)
        return parse_as(ServiceBinding, found)

    async def drifted(self, holds: Callable[[Condition | None], bool]) -> Condition | None:
        """Returns the condition once it is as expected."""
        async with asyncio.timeout(_PATIENCE):
            while True:
                found = (await self.bound()).status.condition("Drifted")
                if holds(found):
                    return found
                await asyncio.sleep(0.05)

    async def looked_at(self) -> bool:
        """Tells whether anything asked for a look at the place."""
        handle = self.temporal.get_workflow_handle(ids.drift_id(self.name, "web", "dev"))
        try:
            await handle.describe()
        except RPCError:
            return False
        return True

    async def clean(self) -> None:
        """Ends what would go on for an hour."""
        if await self.looked_at():
            handle = self.temporal.get_workflow_handle(ids.drift_id(self.name, "web", "dev"))
            try:
                await handle.terminate("end of the test")
            except RPCError:
                return


PERSON = Trigger(kind=TriggerKind.API, actor="ada")
