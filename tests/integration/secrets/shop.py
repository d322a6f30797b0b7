"""Secrets with real targets, a consumer that logs in all the time, and workers that rotate."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar
from uuid import uuid4

import asyncpg
import hvac
from hvac import exceptions
from temporalio import activity, workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.worker import Worker

from activities.secrets.rotations import RotationActivities
from activities.secrets.trust import TrustActivities
from clients.databases import DatabaseRoles
from clients.registry_users import hashed
from clients.vault import SecretStore, VaultSession
from clients.vault.approles import AppRoles
from clients.vault.issuers import Issuers
from devstack.core.signing import ROLE as ROTATOR
from domain import ids
from domain.deliveries import FollowRollout, OperationStatus, RolloutReady
from domain.deliveries.approvals import ApprovalOutcome, ApprovalRequest, ApprovalResult
from domain.deliveries.rotations import (
    DatabaseTarget,
    OldUsers,
    RegistryTarget,
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
    RestartConsumer,
    SecretConsumer,
    SecretConsumers,
    SecretDelivered,
)
from domain.errors import DependencyUnavailable, NotFound, RolloutFailed
from domain.phases import StepPhase
from domain.records import AuditFact, FactBatch, Recorded
from domain.records.stops import Place, Standing, Stop
from tests.registries import GuardedRegistry
from tests.serving import own_client, served
from workflows.secrets.rotation import RotationWorkflow

SessionOf = Callable[[str], VaultSession]
PATH, ADMIN = "shop/production/db", "shop/production/db-admin"
HTPASSWD = "shared/registry-users"
ROLES = ("shop_a", "shop_b")
APP_ROLE = "shop-web"
CANARY = "canary-5d1e"
STEPS = (
    "inspect_secret",
    "create_version",
    "give_to_target",
    "test_version",
    "use_version",
    "observe_old_users",
    "lock_old",
    "destroy_old",
)
UNDOS = ("use_version_before", "unlock_old", "withdraw_new")
TRUST = (
    *("make_trust", "use_trust", "make_last", "use_last", "forget_issuers"),
    *("use_first", "withdraw_trust"),
)
_ANSWERS = {
    "make_trust": SecretTurn,
    "make_last": SecretTurn,
    "observe_old_users": OldUsers,
    "inspect_secret": SecretTurn,
    "create_version": SecretTurn,
}


@dataclass
class Shop:
    """A target of credentials, and a consumer that holds what was delivered to it last."""

    store: SecretStore
    organization: str
    held: dict[str, str] = field(default_factory=dict)
    logins: int = 0
    failures: list[str] = field(default_factory=list)
    valid: set[int] = field(default_factory=set)
    is_over: bool = False
    seen: set[str] = field(default_factory=lambda: {CANARY})
    """Every value that was ever in use: none may be found anywhere else."""
    consumers: int = 1
    delivered: set[str] = field(default_factory=set)
    is_unready: bool = False
    """Pods that begin anew do not become ready."""
    facts: list[AuditFact] = field(default_factory=list)
    notes: list[RotationNote] = field(default_factory=list)
    stops: list[Stop] = field(default_factory=list)
    secret_field: ClassVar[str] = "password"

    @property
    def target(self) -> dict[str, Any]:
        """What the plan of a rotation says of it."""
        raise NotImplementedError

    async def accepts(self, held: dict[str, str]) -> str:
        """Logs in; returns why not, empty when it could."""
        raise NotImplementedError

    async def count_valid(self) -> int:
        """How many credentials work now."""
        raise NotImplementedError

    async def log_in(self) -> None:
        """What the consumer does with what it holds; a failure is a promise that was broken."""
        held = dict(self.held)
        self.seen.add(held[self.secret_field])
        problem = await self.accepts(held)
        if problem and held == self.held:  # what was exchanged meanwhile nobody holds any more
            self.failures.append(problem)
        elif not problem:
            self.logins += 1

    async def observe(self) -> None:
        while not self.is_over:
            _, valid = await asyncio.gather(self.log_in(), self.count_valid())
            self.valid.add(valid)
            await asyncio.sleep(0.05)

    def deliver(self) -> SecretDelivered:
        entry = self.store.describe(self.organization, PATH)
        self.held = dict(self.store.read(self.organization, PATH, entry.active))
        return SecretDelivered(changed=True, versions={PATH: entry.active})

    async def deliver_to(self, consumer: str) -> SecretDelivered:
        """Fills what a consumer has; here all have the same."""
        self.delivered.add(consumer)
        return await asyncio.to_thread(self.deliver)

    def restarted(self, consumer: str) -> None:
        """The pods of a consumer began anew with what was delivered to them."""

    async def keep(self, path: str, values: dict[str, str]) -> None:
        await asyncio.to_thread(self.store.write, self.organization, path, values, expected=0)

    def kept_its_promises(self) -> None:
        """Not one failed login; never more than two credentials that work, and never none."""
        assert self.failures == []
        assert self.logins > 3
        assert self.valid <= {1, 2}

    @asynccontextmanager
    async def observed(self) -> AsyncIterator[None]:
        self.deliver()
        observing = asyncio.create_task(self.observe())
        try:
            yield
        finally:
            self.is_over = True
            await observing


@dataclass
class Database(Shop):
    """PostgreSQL with two roles."""

    host: str = ""
    port: int = 0

    @property
    def target(self) -> dict[str, Any]:
        found = DatabaseTarget(
            host=self.host, port=self.port, name="postgres", roles=ROLES, admin_path=ADMIN
        )
        return {"engine": "Database", "database": found}

    async def connect(self, user: str, password: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=self.host, port=self.port, database="postgres", user=user, password=password
        )

    async def accepts(self, held: dict[str, str]) -> str:
        try:
            connection = await self.connect(held["username"], held["password"])
        except (asyncpg.PostgresError, OSError) as error:
            return f"{held['username']}: {type(error).__name__}"
        connection.terminate()
        return ""

    async def count_valid(self) -> int:
        connection = await self.connect("postgres", CANARY)
        query = "SELECT count(*) FROM pg_authid WHERE rolname = ANY($1) AND rolcanlogin"
        valid: int = await connection.fetchval(query, list(ROLES))
        connection.terminate()
        return valid


@dataclass
class SecretIds(Shop):
    """An AppRole of the organization in OpenBao."""

    bao: hvac.Client = None
    """Signed in with the root token: it looks from outside."""
    secret_field: ClassVar[str] = "secret_id"

    @property
    def target(self) -> dict[str, Any]:
        return {"engine": "AppRole", "app_role": APP_ROLE}

    @property
    def _role(self) -> str:
        return f"auth/org/{self.organization}/role/{APP_ROLE}"

    async def accepts(self, held: dict[str, str]) -> str:
        return await asyncio.to_thread(self._sign_in, held["role_id"], held["secret_id"])

    def _sign_in(self, role_id: str, secret_id: str) -> str:
        own = hvac.Client(self.bao.url)
        body = {"role_id": role_id, "secret_id": secret_id}
        try:
            own.adapter.post(f"/v1/auth/org/{self.organization}/login", json=body)
        except exceptions.VaultError as error:
            return type(error).__name__
        return ""

    async def count_valid(self) -> int:
        found = await asyncio.to_thread(self.bao.list, f"{self._role}/secret-id")
        return len(found["data"]["keys"]) if found else 0

    async def set_up(self) -> None:
        """Makes the role, and its first secret id."""

        def make() -> str:
            post = self.bao.adapter.post
            post(f"/v1/{self._role}", json={"token_ttl": "1m", "secret_id_ttl": "2h"})
            post(f"/v1/{self._role}/custom-secret-id", json={"secret_id": f"{CANARY}-first"})
            return str(self.bao.read(f"{self._role}/role-id")["data"]["role_id"])

        role_id = await asyncio.to_thread(make)
        await self.keep(PATH, {"role_id": role_id, "secret_id": f"{CANARY}-first"})


@dataclass
class Pulls(Shop):
    """A registry of which two users take turns; the consumer pulls from it."""

    registry: GuardedRegistry | None = None

    @property
    def users(self) -> tuple[str, str]:
        return f"{self.organization}-blue", f"{self.organization}-green"

    @property
    def target(self) -> dict[str, Any]:
        found = RegistryTarget(url=self._own.url, users=self.users, htpasswd_path=HTPASSWD)
        return {"engine": "Registry", "registry": found}

    @property
    def _own(self) -> GuardedRegistry:
        assert self.registry is not None
        return self.registry

    async def accepts(self, held: dict[str, str]) -> str:
        return await self._own.pull(held["username"], held["password"])

    async def count_valid(self) -> int:
        return self._own.count(self.users)

    @property
    def first(self) -> dict[str, str]:
        """What is in use at first."""
        return {"username": self.users[0], "password": f"{CANARY}-first"}

    async def keep_users(self) -> None:
        """Puts the first user into the file, and keeps both."""
        password = self.first["password"]
        await self.keep(HTPASSWD, {"htpasswd": f"{self.users[0]}:{hashed(password)}\n"})
        await self.keep(PATH, self.first)

    async def set_up(self) -> None:
        """As ``keep_users``, and brings the file to the registry."""
        await self.keep_users()
        await self._own.follow(self.organization, partial(file_of, self.store, self.organization))


def file_of(store: SecretStore, organization: str) -> str:
    """What brings secrets to the registry reads the newest version."""
    newest = store.describe(organization, HTPASSWD).newest
    return store.read(organization, HTPASSWD, newest)["htpasswd"]


@dataclass
class Values(Shop):
    """A value that nobody checks: it works as long as it can be read."""

    secret_field: ClassVar[str] = "value"

    @property
    def target(self) -> dict[str, Any]:
        return {"engine": "KV"}

    async def accepts(self, held: dict[str, str]) -> str:
        return "" if held["value"] in await self._readable() else "its value is destroyed"

    async def count_valid(self) -> int:
        return len(await self._readable())

    async def _readable(self) -> list[str]:
        def read() -> list[str]:
            entry = self.store.describe(self.organization, PATH)
            numbers = [one.number for one in entry.versions if one.is_readable]
            found = []
            for number in numbers:
                with suppress(NotFound):  # destroyed since it was listed
                    found.append(self.store.read(self.organization, PATH, number)["value"])
            return found

        return await asyncio.to_thread(read)


@workflow.defn(name="ApprovalWorkflow", sandboxed=False)
class Approving:
    """Somebody who answers what is signalled; the real approval has tests of its own."""

    def __init__(self) -> None:
        self._answer = ""

    @workflow.signal
    def answer(self, answer: str) -> None:
        self._answer = answer

    @workflow.run
    async def run(self, request: ApprovalRequest) -> ApprovalResult:
        await workflow.wait_condition(lambda: bool(self._answer))
        outcome = ApprovalOutcome(self._answer)
        return ApprovalResult(
            subject=request.subject, outcome=outcome, hash=request.hash, message=self._answer
        )


class Around:
    """What is not about secrets: the planes of some consumers, the resources, the records."""

    def __init__(self, shop: Shop, plan: RotationPlan) -> None:
        self._shop = shop
        self._plan = plan

    @activity.defn
    async def plan_rotation(self, _request: RotationRequest) -> RotationPlan:
        return self._plan

    @activity.defn
    async def find_consumers(self, _request: FindConsumers) -> SecretConsumers:
        names = ["web", *(f"web-{number}" for number in range(2, self._shop.consumers + 1))]
        return SecretConsumers(
            items=tuple(
                SecretConsumer(
                    organization=self._shop.organization,
                    project="shop",
                    environment="production",
                    component=name,
                    namespace="x",
                    kind="Deployment",
                    name=name,
                    secret=f"{name}-secrets",
                )
                for name in names
            )
        )

    @activity.defn
    async def deliver_secret(self, request: DeliverSecret) -> SecretDelivered:
        return await self._shop.deliver_to(request.consumer.name)

    @activity.defn
    async def restart_consumer(self, request: RestartConsumer) -> ConsumerRestarted:
        self._shop.restarted(request.consumer.name)
        return ConsumerRestarted(restarted=True)

    @activity.defn
    async def follow_rollout(self, _request: FollowRollout) -> RolloutReady:
        if self._shop.is_unready:
            raise RolloutFailed("web in production: its pods do not become ready")
        return RolloutReady(replicas=1)

    @activity.defn
    async def record(self, batch: FactBatch) -> Recorded:
        self._shop.facts.extend(batch.facts)
        return Recorded()

    @activity.defn
    async def note_rotation(self, note: RotationNote) -> None:
        self._shop.notes.append(note)

    @activity.defn
    async def read_stops(self, place: Place) -> Standing:
        return Standing(stops=tuple(one for one in self._shop.stops if one.place.covers(place)))

    def all(self) -> list[Callable[..., Any]]:
        names = (name for name in vars(type(self)) if not name.startswith("_") and name != "all")
        return [getattr(self, name) for name in names]


@dataclass(frozen=True)
class Fault:
    """One step ends its first tries as with a worker that dies: the work is done and nobody hears
    of it; or before anything is done."""

    step: str = ""
    after: bool = True
    error: Exception | None = None
    """None = the worker died."""
    tries: int = 1


class Faulty:
    """The real steps, of which one is disturbed."""

    def __init__(self, steps: Any, *faults: Fault) -> None:
        self._steps = steps
        self._faults = {one.step: one for one in faults}

    def of(self, names: tuple[str, ...]) -> list[Callable[..., Any]]:
        return [self._wrapped(name) for name in names]

    def _wrapped(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self._steps, name)
        fault = self._faults.get(name)
        if fault is None:
            return method
        tried = 0

        async def disturbed(turn: SecretTurn) -> Any:
            nonlocal tried
            tried += 1
            if tried > fault.tries:
                return await method(turn)
            if fault.after:
                await method(turn)
            raise fault.error or DependencyUnavailable("the worker died")

        disturbed.__annotations__["return"] = _ANSWERS.get(name, type(None))
        return activity.defn(name=name)(disturbed)


@asynccontextmanager
async def serving(
    temporal: Client, shop: Shop, session_of: SessionOf, *faults: Fault, **more: Any
) -> AsyncIterator[WorkflowHandle[Any, Rotation]]:
    """Serves all queues and starts the rotation."""
    client = await own_client(temporal)
    plane = f"test-{uuid4().hex[:8]}"
    content = {"quiet_seconds": 0, "destroy_after_seconds": 1, **shop.target, **more}
    plan = RotationPlan(
        organization=shop.organization, rotation="db", path=PATH, planes=(plane,), **content
    )
    session = session_of(ROTATOR)
    parts = (SecretStore(session), AppRoles(session), DatabaseRoles(), Issuers(session))
    steps = Faulty(RotationActivities(*parts), *faults).of((*STEPS, *UNDOS))
    trust = Faulty(TrustActivities(*parts), *faults).of(TRUST)
    around = Around(shop, plan)
    flows = [RotationWorkflow, Approving]
    workers = [
        Worker(client, task_queue=ids.LANES_QUEUE, workflows=flows),
        Worker(client, task_queue=plane, activities=around.all()),
        Worker(client, task_queue=ids.CONTROL_QUEUE, activities=around.all()),
        Worker(client, task_queue=ids.SECRETS_QUEUE, activities=[*steps, *trust]),
    ]
    async with served(workers):
        yield await client.start_workflow(
            RotationWorkflow.run,
            RotationRequest(organization=shop.organization, rotation="db"),
            id=ids.rotation_id(shop.organization, "db"),
            task_queue=ids.LANES_QUEUE,
        )


async def until(
    handle: WorkflowHandle[Any, Any], holds: Callable[[OperationStatus], bool]
) -> OperationStatus:
    """Waits until a rotation stands so."""
    async with asyncio.timeout(60):
        while True:
            status: OperationStatus = await handle.query(RotationWorkflow.status)
            if holds(status):
                return status
            await asyncio.sleep(0.05)


def in_step(name: str) -> Callable[[OperationStatus], bool]:
    """Tells whether a step runs."""
    return lambda status: any(
        (one.name, one.phase) == (name, StepPhase.RUNNING) for one in status.steps
    )


async def nothing_leaked(handle: WorkflowHandle[Any, Any], shop: Shop) -> None:
    """Neither the history nor what was written down knows a value."""
    told = (await handle.fetch_history()).to_json() + str(shop.facts) + str(shop.notes)
    assert [value for value in shop.seen if value in told] == []
