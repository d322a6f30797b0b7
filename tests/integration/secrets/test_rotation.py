"""A PostgreSQL credential is turned over while somebody logs in with it all the time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.worker import Worker

from activities.secrets.rotations import RotationActivities
from clients.databases import DatabaseRoles
from clients.vault import SecretStore
from clients.vault.approles import AppRoles
from devstack.core.signing import ROLE as ROTATOR
from domain import ids
from domain.deliveries import FollowRollout, RolloutReady
from domain.deliveries.rotations import (
    DatabaseTarget,
    OldUsers,
    Rotation,
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
from domain.errors import DependencyUnavailable
from domain.records import FactBatch, Recorded
from tests.integration.secrets.conftest import SessionOf
from tests.postgresql import postgresql
from workflows.secrets.rotation import RotationWorkflow

pytestmark = pytest.mark.integration
PATH, ADMIN = "shop/production/db", "shop/production/db-admin"
ROLES = ("shop_a", "shop_b")
CANARY = "canary-5d1e"
EFFECTS = (
    "inspect_secret",
    "create_version",
    "give_to_target",
    "test_version",
    "use_version",
    "observe_old_users",
    "lock_old",
    "destroy_old",
)


@dataclass
class Shop:
    """A database with two roles, and a consumer that holds what was delivered to it last."""

    host: str
    port: int
    store: SecretStore
    organization: str = ""
    held: dict[str, str] = field(default_factory=dict)
    logins: int = 0
    failures: list[str] = field(default_factory=list)
    valid: set[int] = field(default_factory=set)
    is_over: bool = False
    seen: set[str] = field(default_factory=set)
    """Every value that was ever in use: none may be found anywhere else."""

    async def connect(self, user: str, password: str) -> asyncpg.Connection:
        return await asyncpg.connect(
            host=self.host, port=self.port, database="postgres", user=user, password=password
        )

    async def log_in(self) -> None:
        """What the consumer does with what it holds; a failure is a promise that was broken."""
        held = dict(self.held)
        self.seen.add(held["password"])
        try:
            connection = await self.connect(held["username"], held["password"])
        except (asyncpg.PostgresError, OSError) as error:
            self.failures.append(f"{held['username']}: {type(error).__name__}")
            return
        self.logins += 1
        connection.terminate()

    async def count_valid(self) -> None:
        connection = await self.connect("postgres", CANARY)
        query = "SELECT count(*) FROM pg_authid WHERE rolname = ANY($1) AND rolcanlogin"
        self.valid.add(await connection.fetchval(query, list(ROLES)))
        connection.terminate()

    async def observe(self) -> None:
        while not self.is_over:
            await asyncio.gather(self.log_in(), self.count_valid())
            await asyncio.sleep(0.05)

    def deliver(self) -> SecretDelivered:
        entry = self.store.describe(self.organization, PATH)
        self.held = dict(self.store.read(self.organization, PATH, entry.active))
        return SecretDelivered(changed=True, versions={PATH: entry.active})


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    with postgresql() as url:
        yield url


@pytest.fixture
async def shop(server: str, store: SecretStore, organization: str) -> AsyncIterator[Shop]:
    url = urlsplit(server)
    shop = Shop(url.hostname or "", url.port or 0, store, organization)
    admin = await shop.connect("postgres", CANARY)
    await admin.execute(
        f"ALTER ROLE postgres PASSWORD '{CANARY}';"
        f"DROP ROLE IF EXISTS {ROLES[0]}; DROP ROLE IF EXISTS {ROLES[1]};"
        f"CREATE ROLE {ROLES[0]} LOGIN PASSWORD '{CANARY}-first'; CREATE ROLE {ROLES[1]} NOLOGIN;"
    )
    hba = await admin.fetchval("SHOW hba_file")
    await admin.execute(f"COPY (SELECT 'host all all 127.0.0.1/32 scram-sha-256') TO '{hba}'")
    await admin.execute("SELECT pg_reload_conf()")
    await admin.close()
    first = {"username": ROLES[0], "password": f"{CANARY}-first"}
    await asyncio.to_thread(store.write, organization, PATH, first, expected=0)
    owner = {"username": "postgres", "password": CANARY}
    await asyncio.to_thread(store.write, organization, ADMIN, owner, expected=0)
    shop.deliver()
    shop.seen |= {CANARY}
    observing = asyncio.create_task(shop.observe())
    yield shop
    shop.is_over = True
    await observing


def others(shop: Shop, plan: RotationPlan, facts: list[Any]) -> list[Callable[..., Any]]:
    """What is not about secrets: the plane of one consumer, the resources, the records."""
    consumer = SecretConsumer(
        organization=shop.organization,
        project="shop",
        environment="production",
        component="web",
        namespace="x",
        kind="Deployment",
        name="web",
        secret="web-secrets",
    )

    @activity.defn(name="plan_rotation")
    async def plan_rotation(_request: RotationRequest) -> RotationPlan:
        return plan

    @activity.defn(name="find_consumers")
    async def find(_request: FindConsumers) -> SecretConsumers:
        return SecretConsumers(items=(consumer,))

    @activity.defn(name="deliver_secret")
    async def deliver(_request: DeliverSecret) -> SecretDelivered:
        return await asyncio.to_thread(shop.deliver)

    @activity.defn(name="restart_consumer")
    async def restart(_request: RestartConsumer) -> ConsumerRestarted:
        return ConsumerRestarted(restarted=True)

    @activity.defn(name="follow_rollout")
    async def follow(_request: FollowRollout) -> RolloutReady:
        return RolloutReady(replicas=1)

    @activity.defn(name="record")
    async def record(batch: FactBatch) -> Recorded:
        facts.extend(batch.facts)
        return Recorded()

    return [plan_rotation, find, deliver, restart, follow, record]


class Faulty:
    """The real steps, of which one ends its first try as a worker that dies does: the work is
    done, and nobody hears of it; or before anything is done."""

    def __init__(self, steps: RotationActivities, fault: str, *, after: bool) -> None:
        self.steps, self.fault, self.after = steps, fault, after

    def all(self) -> list[Callable[..., Any]]:
        names = [*EFFECTS, "use_version_before", "unlock_old", "withdraw_new"]
        return [self._wrapped(name) for name in names]

    def _wrapped(self, name: str) -> Callable[..., Any]:
        method: Callable[..., Any] = getattr(self.steps, name)
        if name != self.fault:
            return method

        async def once(turn: SecretTurn) -> Any:
            if activity.info().attempt > 1:
                return await method(turn)
            if self.after:
                await method(turn)
            raise DependencyUnavailable("the worker died")

        once.__annotations__["return"] = {
            "observe_old_users": OldUsers,
            "inspect_secret": SecretTurn,
            "create_version": SecretTurn,
        }.get(name, type(None))
        return activity.defn(name=name)(once)


@asynccontextmanager
async def serving(
    temporal: Client,
    shop: Shop,
    session_of: SessionOf,
    fault: str = "",
    *,
    after: bool = True,
    **more: Any,
) -> AsyncIterator[WorkflowHandle[Any, Rotation]]:
    target = DatabaseTarget(
        host=shop.host, port=shop.port, name="postgres", roles=ROLES, admin_path=ADMIN
    )
    content = {"engine": "Database", "database": target, "quiet_seconds": 1, **more}
    queue = f"test-{uuid4().hex[:8]}"
    plan = RotationPlan(
        organization=shop.organization,
        rotation="db",
        path=PATH,
        planes=(queue,),
        **{"destroy_after_seconds": 1, **content},
    )
    session = session_of(ROTATOR)
    steps = RotationActivities(SecretStore(session), AppRoles(session), DatabaseRoles())
    served = others(shop, plan, [])
    async with (
        Worker(temporal, task_queue=queue, workflows=[RotationWorkflow], activities=served),
        Worker(temporal, task_queue=ids.CONTROL_QUEUE, activities=served),
        Worker(
            temporal,
            task_queue=ids.SECRETS_QUEUE,
            activities=Faulty(steps, fault, after=after).all(),
        ),
    ):
        yield await temporal.start_workflow(
            RotationWorkflow.run,
            RotationRequest(organization=shop.organization, rotation="db"),
            id=ids.rotation_id(shop.organization, "db"),
            task_queue=queue,
        )


async def nothing_leaked(handle: WorkflowHandle[Any, Any], shop: Shop) -> None:
    history = (await handle.fetch_history()).to_json()
    assert [value for value in shop.seen if value in history] == []


def kept_its_promises(shop: Shop) -> None:
    """Not one failed login; never more than two credentials that work, and never none."""
    assert shop.failures == []
    assert shop.logins > 10
    assert shop.valid <= {1, 2}


@pytest.mark.parametrize("after", [True, False], ids=["after", "before"])
@pytest.mark.parametrize("fault", EFFECTS)
async def test_a_database_credential_is_turned_over_without_a_failed_login_whatever_step_dies(
    temporal: Client, shop: Shop, session_of: SessionOf, fault: str, after: bool
) -> None:
    async with serving(temporal, shop, session_of, fault, after=after) as handle:
        done = await handle.result()
        await nothing_leaked(handle, shop)
    entry = await asyncio.to_thread(shop.store.describe, shop.organization, PATH)
    await shop.log_in()

    kept_its_promises(shop)
    assert (done.before, done.version, done.consumers) == (1, 2, ("web in production",))
    assert shop.held["username"] == ROLES[1]
    assert (entry.active, entry.newest, entry.rotation) == (2, 2, "")
    assert [version.is_readable for version in entry.versions] == [False, True]
    with pytest.raises(asyncpg.InvalidAuthorizationSpecificationError):
        await shop.connect(ROLES[0], f"{CANARY}-first")


@pytest.mark.parametrize("waits_in", ["observe", "finish"])
async def test_a_rotation_is_rolled_back_until_it_has_finished(
    temporal: Client, shop: Shop, session_of: SessionOf, waits_in: str
) -> None:
    waits: dict[str, Any] = {
        "quiet_seconds" if waits_in == "observe" else "destroy_after_seconds": 3000
    }
    async with serving(temporal, shop, session_of, **waits) as handle:
        while True:
            steps = (await handle.query(RotationWorkflow.status)).steps
            if any(step.name == waits_in and step.phase.value == "Running" for step in steps):
                break
            await asyncio.sleep(0.1)
        await handle.cancel()
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        await nothing_leaked(handle, shop)
    entry = await asyncio.to_thread(shop.store.describe, shop.organization, PATH)
    connection = await shop.connect("postgres", CANARY)
    valid = "SELECT rolname FROM pg_authid WHERE rolcanlogin AND rolname = ANY($1)"
    left = await connection.fetchval(valid, list(ROLES))
    await connection.close()
    await shop.log_in()

    if waits_in == "observe":
        # While the old one is locked its consumers hold the new one: no login can fail either.
        kept_its_promises(shop)
    assert (entry.active, entry.rotation, left) == (1, "", ROLES[0])
    assert shop.held == {"username": ROLES[0], "password": f"{CANARY}-first"}
    assert [version.is_readable for version in entry.versions] == [True, False]


async def test_a_second_writer_ends_the_rotation_and_its_value_comes_into_use(
    temporal: Client, shop: Shop, session_of: SessionOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = SecretStore.write
    foreign = {"username": ROLES[0], "password": f"{CANARY}-first", "note": "by somebody else"}

    def beaten(self: SecretStore, *place: Any, **about: Any) -> int:
        write(self, shop.organization, PATH, foreign, expected=1)
        return write(self, *place, **about)

    monkeypatch.setattr(SecretStore, "write", beaten)
    async with serving(temporal, shop, session_of) as handle:
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
    entry = await asyncio.to_thread(shop.store.describe, shop.organization, PATH)

    assert shop.failures == []
    assert "somebody else wrote version 2" in str(failed.value.cause)
    assert (entry.active, entry.newest, entry.rotation) == (2, 2, "")
