"""Workers for the set-up of organizations, with activities that remember their calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from domain import ids
from domain.deliveries.secrets import EnsureVaultTenant, VaultTenant
from domain.deliveries.tenants import (
    TenantApplied,
    TenantLeaving,
    TenantLeft,
    TenantPlan,
    TenantPlane,
    TenantRecord,
    TenantRequest,
)
from domain.records import FactBatch, Recorded
from tests.serving import own_client, served
from workflows.registry import PROCEDURES

_THROTTLE = {"max_heartbeat_throttle_interval": timedelta(milliseconds=100)}


class TenantWorld:
    """Answers each activity; what a test replaced by name is done instead."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.behaviours: dict[str, Any] = {}
        self.planes: tuple[str, ...] = ("local",)
        self.leaving: tuple[TenantLeaving, ...] = ()
        self.gone = False

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    def all(self, name: str) -> list[Any]:
        return [argument for called, argument in self.calls if called == name]

    def actions(self) -> list[str]:
        return [fact.action for batch in self.all("record") for fact in batch.facts]

    async def _done(self, name: str, argument: Any) -> None:
        self.calls.append((name, argument))
        if name in self.behaviours:
            await self.behaviours[name](argument)

    @activity.defn
    async def plan_tenant(self, request: TenantRequest) -> TenantPlan:
        await self._done("plan_tenant", request)
        return TenantPlan(
            organization=request.organization,
            generation=3,
            gone=self.gone,
            leaving=self.leaving,
            planes=tuple(
                TenantPlane(organization=request.organization, plane=one, task_queue=f"plane.{one}")
                for one in self.planes
            ),
        )

    @activity.defn
    async def set_up_tenant(self, plan: TenantPlan) -> TenantApplied:
        await self._done("set_up_tenant", plan)
        return TenantApplied(objects=9)

    @activity.defn
    async def record_tenant(self, record: TenantRecord) -> None:
        await self._done("record_tenant", record)

    @activity.defn
    async def set_up_tenant_plane(self, plane: TenantPlane) -> TenantApplied:
        await self._done("set_up_tenant_plane", plane)
        return TenantApplied(objects=4)

    @activity.defn
    async def leave_namespaces(self, leaving: TenantLeaving) -> TenantLeft:
        await self._done("leave_namespaces", leaving)
        if not leaving.look:
            return TenantLeft()  # a worker before it removed them and died
        return TenantLeft(removed=leaving.namespaces[:1], kept=leaving.namespaces[1:])

    @activity.defn
    async def ensure_vault_tenant(self, request: EnsureVaultTenant) -> VaultTenant:
        await self._done("ensure_vault_tenant", request)
        return VaultTenant(mount="kv")

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        await self._done("record", batch)
        return Recorded()


@asynccontextmanager
async def tenant_workers(client: Client, world: TenantWorld) -> AsyncIterator[None]:
    """Runs the task queues in this process; plane ``away`` has no worker."""
    own = await own_client(client)
    control = [world.plan_tenant, world.set_up_tenant, world.record_tenant, world.record]
    made = [
        Worker(own, task_queue=ids.ORCHESTRATION_QUEUE, workflows=PROCEDURES),
        Worker(own, task_queue=ids.CONTROL_QUEUE, activities=control, **_THROTTLE),  # type: ignore[arg-type] # a dict of options
        Worker(own, task_queue=ids.SECRETS_QUEUE, activities=[world.ensure_vault_tenant]),
        Worker(
            own,
            task_queue="plane.local",
            activities=[world.set_up_tenant_plane, world.leave_namespaces],
            **_THROTTLE,  # type: ignore[arg-type] # a dict of options
        ),
    ]
    async with served(made):
        yield
