"""A project whose secrets leaked: its resources, the rotations of its secrets, and people."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from uuid import uuid4

import pytest
from temporalio import activity, workflow
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ApplicationError
from temporalio.service import RPCError
from temporalio.worker import Worker

from domain import ids
from domain.deliveries.leaks import (
    Confirmation,
    LeakReport,
    LeakRequest,
    LeakResources,
    LeakRotation,
    ListSecrets,
    SecretPaths,
)
from domain.deliveries.rotations import Rotation, RotationRequest
from domain.deliveries.secrets import FindConsumers, SecretConsumer, SecretConsumers
from domain.records import FactBatch, Recorded
from workflows.leaks.response import LeakResponseWorkflow
from workflows.leaks.starting import confirm_leak, start_leak_response

Leak = WorkflowHandle[LeakResponseWorkflow, LeakReport]
SILENT = f"plane.silent-{uuid4().hex[:8]}"


@workflow.defn(name="RotationWorkflow")
class ScriptedRotation:
    """Ends by its name: `bad` fails, `slow` when it is told to or stopped, all others at once."""

    def __init__(self) -> None:
        self._may_end = False

    @workflow.run
    async def run(self, request: RotationRequest) -> Rotation:
        if request.rotation.startswith("bad"):
            raise ApplicationError("the target is gone", type="Errored", non_retryable=True)
        if request.rotation.startswith("slow"):
            await self._told_to_end(request.rotation.endswith("stubborn"))
        return Rotation(
            organization=request.organization,
            rotation=request.rotation,
            path=f"shop/production/{request.rotation}",
            before=1,
            version=2,
            message="the leaked one is gone" if request.leaked else "as planned",
        )

    @workflow.signal
    def end(self) -> None:
        self._may_end = True

    async def _told_to_end(self, is_stubborn: bool) -> None:
        try:
            await workflow.wait_condition(lambda: self._may_end)
        except asyncio.CancelledError:
            if not is_stubborn:
                raise
            await workflow.wait_condition(lambda: self._may_end)


class Place:
    """A project with one secret that can be turned over and one that cannot."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.organization = f"o-{uuid4().hex[:8]}"
        self.facts: list[str] = []
        self.rotations = ["db"]
        self.paths = ["shop/production/db", "shop/staging/smtp"]
        self.planes = [SILENT]
        self.problem: Exception | None = None
        """Why the resources cannot be read."""
        self.looked = asyncio.Event()
        """Somebody reads the resources."""
        self.may_look = asyncio.Event()
        """Set = they can be read."""
        self.may_look.set()
        self.confirmed_now = asyncio.Event()
        """It is being written down that a person confirmed the plan."""
        self.may_confirm = asyncio.Event()
        """Set = that can be written down."""
        self.may_confirm.set()

    @activity.defn
    async def read_leak(self, _request: LeakRequest) -> LeakResources:
        self.looked.set()
        await self.may_look.wait()
        if self.problem is not None:
            raise self.problem
        known = [
            LeakRotation(
                name=name, path=f"shop/production/{name}", engine="KV", approvers=("security",)
            )
            for name in self.rotations
        ]
        return LeakResources(rotations=tuple(known), planes=tuple(self.planes))

    @activity.defn
    async def list_secrets(self, _request: ListSecrets) -> SecretPaths:
        return SecretPaths(paths=tuple(self.paths))

    @activity.defn
    async def find_consumers(self, _request: FindConsumers) -> SecretConsumers:
        web = SecretConsumer(
            organization=self.organization,
            project="shop",
            environment="production",
            component="web",
            namespace="x",
            kind="Deployment",
            name="web",
            secret="web-secrets",
            keys={"PASSWORD": "shop/production/db/password"},
        )
        return SecretConsumers(items=(web,))

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        if any(one.action == "leak.confirmed" for one in batch.facts):
            self.confirmed_now.set()
            await self.may_confirm.wait()
        self.facts += [f"{one.action} {one.result.value}" for one in batch.facts]
        return Recorded()

    def workers(self, client: Client) -> list[Worker]:
        lanes = [LeakResponseWorkflow, ScriptedRotation]
        own: list[Any] = [self.read_leak, self.record, self.find_consumers]
        return [
            Worker(client, task_queue=ids.LANES_QUEUE, workflows=lanes),
            Worker(client, task_queue=ids.CONTROL_QUEUE, activities=own),
            Worker(client, task_queue=ids.SECRETS_QUEUE, activities=[self.list_secrets]),
        ]

    def rotates(self, *names: str) -> None:
        """Makes a project of only these secrets, all of which can be turned over."""
        self.rotations, self.planes = list(names), [ids.CONTROL_QUEUE]
        self.paths = [f"shop/production/{name}" for name in names]

    async def report(self) -> Leak:
        """Somebody reports a leak."""
        request = LeakRequest(organization=self.organization, project="shop", reason="lost")
        return await start_leak_response(self.client, request)

    async def begin(self, name: str) -> None:
        """Begins a rotation at its own pace."""
        asked = RotationRequest(organization=self.organization, rotation=name)
        await self.client.start_workflow(
            "RotationWorkflow",
            asked,
            id=ids.rotation_id(self.organization, name),
            task_queue=ids.LANES_QUEUE,
        )

    async def begun(self, name: str) -> None:
        """Returns once a rotation is there that a response to a leak began."""
        async with asyncio.timeout(60):
            while True:
                with suppress(RPCError):  # not there yet
                    if (await self.rotation(name).describe()).parent_id:
                        return
                await asyncio.sleep(0.05)

    async def planned(self) -> tuple[Leak, LeakReport]:
        """Returns what was reported, once it waits for a person."""
        handle = await self.report()
        return handle, await told(handle, lambda report: report.awaits_confirmation)

    async def confirmed(self) -> Leak:
        """Returns a response that a person has confirmed."""
        handle, report = await self.planned()
        await confirm_leak(handle, Confirmation(plan=report.plan.hash, actor="ada"))
        return handle

    def rotation(self, name: str) -> WorkflowHandle[Any, Any]:
        return self.client.get_workflow_handle(ids.rotation_id(self.organization, name))


async def accepted(leak: Leak, number: int) -> None:
    """Returns once so many words of people were let in, which are being looked at."""
    kind = EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED
    async with asyncio.timeout(60):
        while True:
            history = await leak.fetch_history()
            if sum(one.event_type == kind for one in history.events) == number:
                return
            await asyncio.sleep(0.05)


async def told(leak: Leak, holds: Callable[[LeakReport], bool]) -> LeakReport:
    """Returns the report once it is as expected."""
    async with asyncio.timeout(60):
        while not holds(report := await leak.query(LeakResponseWorkflow.report)):  # noqa: ASYNC110 - a server
            await asyncio.sleep(0.05)
        return report


async def why(leak: Leak) -> str:
    """Returns why the response did not end well."""
    with pytest.raises(WorkflowFailureError) as failed:
        await leak.result()
    return str(failed.value.cause)
