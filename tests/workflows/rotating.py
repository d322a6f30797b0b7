"""The turning over of a secret whose steps only remember that they were asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from temporalio import activity
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from domain import ids
from domain.deliveries import FollowRollout, RolloutReady
from domain.deliveries.rotations import (
    OldUsers,
    Rotation,
    RotationNote,
    RotationPlan,
    RotationRequest,
    SecretTurn,
)
from domain.deliveries.secrets import (
    ConsumerRestarted,
    DeliverSecret,
    FindConsumers,
    PlaneQueues,
    RestartConsumer,
    SecretConsumer,
    SecretConsumers,
    SecretDelivered,
)
from domain.records.stops import Place, Standing
from tests.serving import own_client, served
from tests.workflows.approving import Approvals
from workflows.approvals.approval import ApprovalWorkflow
from workflows.secrets.changes import SecretChangeWorkflow
from workflows.secrets.rotation import RotationWorkflow
from workflows.secrets.starting import start_rotation

PATH = "shop/production/db"
PLANE = "plane.here"
_SILENT = ("use_version", "use_version_before", "unlock_old", "lock_old", "destroy_old")
_TARGET = ("give_to_target", "test_version", "withdraw_new")


class Rotating(Approvals):
    """One secret, used by `web`; version 1 is in use, version 2 is the new one."""

    def __init__(self, client: Client, keys: Path, organization: str) -> None:
        super().__init__(client, keys)
        self.organization = organization
        self.did: list[str] = []
        """The steps on the secret, its target and those who use it, in order."""
        self.on: dict[str, Callable[[], Coroutine[Any, Any, Any]]] = {}
        """What happens while a step is done."""
        self.about: dict[str, Any] = {"quiet_seconds": 0, "destroy_after_seconds": 0}
        """What its SecretRotation says."""
        self.users: list[tuple[str, ...]] = []
        """Who still uses the old credential, look by look; nobody after these."""
        self.kind = "Deployment"
        self.components = ["web"]
        """Who uses the secret."""
        self.readers: tuple[str, ...] = ()
        """Service accounts that read the old version themselves; what runs as `web` still runs."""
        self.awaited: tuple[str, ...] = ()
        """Those that are waited for."""
        self.is_new = True
        """Their pods have another version than the one they are to get."""
        self.notes: list[RotationNote] = []
        self.followed = 0
        """How many rollouts were waited for."""

    async def _does(self, step: str) -> None:
        self.did.append(step)
        if step in self.on:
            await self.on[step]()

    @activity.defn
    async def plan_rotation(self, request: RotationRequest) -> RotationPlan:
        await self._does("plan")
        return RotationPlan(
            organization=request.organization,
            rotation=request.rotation,
            engine="KV",
            **{"path": PATH, "planes": (PLANE,), **self.about},
        )

    @activity.defn
    async def inspect_secret(self, turn: SecretTurn) -> SecretTurn:
        return turn.model_copy(update={"before": 1, "newest": 1, "readers": self.readers})

    @activity.defn
    async def create_version(self, turn: SecretTurn) -> SecretTurn:
        await self._does("create_version")
        return turn.model_copy(update={"version": 2})

    @activity.defn
    async def observe_old_users(self, turn: SecretTurn) -> OldUsers:
        self.awaited = turn.readers
        await self._does("observe_old_users")
        users = self.users.pop(0) if self.users else ()
        return OldUsers(unused=not users, users=users)

    @activity.defn
    async def list_planes(self, _request: FindConsumers) -> PlaneQueues:
        return PlaneQueues(queues=(PLANE,))

    @activity.defn
    async def find_consumers(self, request: FindConsumers) -> SecretConsumers:
        about = {
            "organization": self.organization,
            "project": "shop",
            "environment": "production",
            "namespace": "x",
            "kind": self.kind,
        }
        items = [
            SecretConsumer(**about, component=name, name=name, secret=f"{name}-secrets")
            for name in self.components
        ]
        if "x/web" in request.readers:
            own: dict[str, Any] = {"component": "own", "name": "own", "secret": ""}
            items.append(SecretConsumer(**about, **own, reads=True, account="web"))
        return SecretConsumers(items=tuple(items))

    @activity.defn
    async def deliver_secret(self, _request: DeliverSecret) -> SecretDelivered:
        await self._does("deliver")
        return SecretDelivered(changed=True)

    @activity.defn
    async def restart_consumer(self, request: RestartConsumer) -> ConsumerRestarted:
        (version,) = request.versions.values()
        await self._does(f"restart with {version}")
        return ConsumerRestarted(restarted=self.is_new)

    @activity.defn
    async def follow_rollout(self, _request: FollowRollout) -> RolloutReady:
        self.followed += 1
        return RolloutReady(replicas=1)

    @activity.defn
    async def note_rotation(self, note: RotationNote) -> None:
        self.notes.append(note)

    @activity.defn
    async def read_stops(self, _place: Place) -> Standing:
        return Standing()

    def _step(self, name: str) -> Callable[..., Any]:
        @activity.defn(name=name)
        async def step(_turn: SecretTurn) -> None:
            await self._does(name)

        return step

    @asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Serves all queues a rotation needs."""
        own = await own_client(self.client)
        control: list[Any] = [
            self.plan_rotation,
            self.list_planes,
            self.note_rotation,
            self.read_stops,
        ]
        secrets: list[Any] = [self.inspect_secret, self.create_version, self.observe_old_users]
        plane: list[Any] = [
            self.find_consumers,
            self.deliver_secret,
            self.restart_consumer,
            self.follow_rollout,
        ]
        made = [
            Worker(own, task_queue=ids.LANES_QUEUE, workflows=[RotationWorkflow, ApprovalWorkflow]),
            Worker(own, task_queue=ids.ORCHESTRATION_QUEUE, workflows=[SecretChangeWorkflow]),
            Worker(
                own,
                task_queue=ids.CONTROL_QUEUE,
                activities=[*control, *self.people(), self.record],
            ),
            Worker(
                own,
                task_queue=ids.SECRETS_QUEUE,
                activities=[*secrets, *(self._step(one) for one in (*_SILENT, *_TARGET))],
            ),
            Worker(own, task_queue=PLANE, activities=plane),
        ]
        async with served(made):
            yield

    async def rotate(self) -> WorkflowHandle[RotationWorkflow, Rotation]:
        """Asks for the turning over."""
        request = RotationRequest(organization=self.organization, rotation="db")
        return await start_rotation(self.client, request)

    @property
    def handle(self) -> WorkflowHandle[RotationWorkflow, Rotation]:
        """The rotation that runs."""
        rotation = ids.rotation_id(self.organization, "db")
        return self.client.get_workflow_handle_for(RotationWorkflow.run, rotation)
