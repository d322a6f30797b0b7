"""Workers for upgrades of classes and runs of tasks, with activities that remember their calls."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from temporalio import activity
from temporalio.client import Client
from temporalio.worker import Worker

from domain import ids
from domain.deliveries import (
    BindingUpgrade,
    ClassConsumer,
    ClassUpgradePlan,
    ClassUpgradeRequest,
    PreparedRun,
    TaskRun,
    TaskRunRequest,
    UpgradeBinding,
)
from domain.phases import Phase
from domain.records import FactBatch, Recorded
from tests.serving import own_client, served
from workflows.registry import PROCEDURES

_THROTTLE = {"max_heartbeat_throttle_interval": timedelta(milliseconds=100)}


def consumer(component: str, environment: str) -> ClassConsumer:
    return ClassConsumer(
        binding_kind="ServiceBinding",
        binding=f"{component}-{environment}",
        component=component,
        environment=environment,
        revision="old",
        needs=True,
    )


class GoldenWorld:
    """Answers each activity; what a test replaced by name is done instead."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.plans: list[ClassUpgradePlan] = []
        """Answers to the next looks at who follows the class; the last one stays."""
        self.failing: set[str] = set()
        """Components whose deployment fails."""
        self.behaviours: dict[str, Any] = {}

    def names(self) -> list[str]:
        return [name for name, _ in self.calls]

    async def _done(self, name: str, argument: Any) -> None:
        self.calls.append((name, argument))
        if name in self.behaviours:
            await self.behaviours[name](argument)

    @activity.defn
    async def plan_class_upgrade(self, request: ClassUpgradeRequest) -> ClassUpgradePlan:
        await self._done("plan_class_upgrade", request)
        return self.plans.pop(0) if len(self.plans) > 1 else self.plans[0]

    @activity.defn
    async def upgrade_binding(self, request: UpgradeBinding) -> BindingUpgrade:
        await self._done("upgrade_binding", request)
        failed = request.consumer.component in self.failing
        return BindingUpgrade(
            binding=request.consumer.binding,
            component=request.consumer.component,
            environment=request.consumer.environment,
            phase=Phase.FAILED if failed else Phase.SUCCEEDED,
            message="pods are missing" if failed else "",
        )

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        await self._done("record", batch)
        return Recorded()

    @activity.defn
    async def prepare_task_run(self, request: TaskRunRequest) -> PreparedRun:
        await self._done("prepare_task_run", request)
        metadata = {"name": "report-run-1", "namespace": "acme-shop-dev"}
        return PreparedRun(
            organization=request.organization,
            component=request.component,
            environment=request.environment,
            namespace="acme-shop-dev",
            task_queue="plane.local",
            job={"apiVersion": "batch/v1", "kind": "Job", "metadata": metadata},
        )

    @activity.defn
    async def start_task_run(self, run: PreparedRun) -> None:
        await self._done("start_task_run", run)

    @activity.defn
    async def follow_task_run(self, run: PreparedRun) -> TaskRun:
        await self._done("follow_task_run", run)
        return TaskRun(
            organization=run.organization,
            component=run.component,
            environment=run.environment,
            job="report-run-1",
            message="Job report-run-1 is complete",
        )

    @activity.defn
    async def stop_task_run(self, run: PreparedRun) -> None:
        await self._done("stop_task_run", run)


@asynccontextmanager
async def golden_workers(client: Client, world: GoldenWorld) -> AsyncIterator[None]:
    """Runs the task queues in this process."""
    own = await own_client(client)
    control = [
        world.plan_class_upgrade,
        world.upgrade_binding,
        world.prepare_task_run,
        world.record,
    ]
    plane = [world.start_task_run, world.follow_task_run, world.stop_task_run]
    made = [
        Worker(own, task_queue=ids.ORCHESTRATION_QUEUE, workflows=PROCEDURES),
        Worker(own, task_queue=ids.CONTROL_QUEUE, activities=control, **_THROTTLE),  # type: ignore[arg-type]
        Worker(own, task_queue="plane.local", activities=plane, **_THROTTLE),  # type: ignore[arg-type]
    ]
    async with served(made):
        yield
