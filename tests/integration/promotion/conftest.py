"""A platform of its own for promotions: API server, Temporal, intake and real activities."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import httpx
import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.common.notices import NoticeActivities
from activities.guards.freezes import FreezeActivities
from activities.planes.release_watch import ReleaseWatchActivities
from activities.planes.rollouts import RolloutActivities
from activities.promotions.approvals import ApprovalActivities
from activities.promotions.rollbacks import RollbackActivities
from activities.promotions.standing import PromotionActivities
from activities.records.facts import RecordActivities
from activities.releases.rendering import ReleaseActivities
from activities.serving import Activities
from activities.teardown.planes import TeardownPlaneActivities
from activities.teardown.surveys import TeardownActivities
from activities.tenants.grants import GrantActivities
from api.app import create_app
from api.services import Services
from clients.assertions import AssertionVerifier
from clients.kubernetes import Cluster, SharedWatches
from clients.notifications import Notifier
from clients.objects import ObjectStore
from clients.records import SqlRecords
from devstack.pki import Pki, SigningKey
from domain import ids
from settings import ApprovalSettings, Settings
from tests.integration.api.conftest import KnownPeople
from tests.integration.drift.conftest import durable, plane
from tests.integration.intake.organizations import intake
from tests.integration.promotion.lines import Line
from tests.serving import served
from workflows.deployments.queues import TemporalDeployQueues
from workflows.promotions.standings import TemporalStandings
from workflows.registry import LANES, PROCEDURES

__all__ = ["durable", "plane"]


@pytest.fixture(scope="session")
def decisions(tmp_path_factory: pytest.TempPathFactory) -> SigningKey:
    """The key by which the API vouches for who decides, and workers believe it."""
    return Pki(tmp_path_factory.mktemp("decisions")).signing_key("approvals")


@pytest.fixture(scope="session")
async def history(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SqlRecords]:
    """The records that workers write and the API reads."""
    records = SqlRecords.open(f"sqlite:///{tmp_path_factory.mktemp('records') / 'records.db'}")
    await records.migrate()
    yield records
    await records.close()


@pytest.fixture(scope="session")
async def platform(
    plane: Cluster, durable: Client, decisions: SigningKey, history: SqlRecords
) -> AsyncIterator[None]:
    """Workers of all queues that promotions need, with the real activities."""
    objects = ObjectStore.open("memory:///")
    watches = SharedWatches(plane)
    verifier = AssertionVerifier(decisions.public)
    control = _control(plane, durable, history, objects, watches, verifier)
    on_plane = _on_plane(plane, objects, watches)
    workers = [
        Worker(durable, task_queue=ids.ORCHESTRATION_QUEUE, workflows=PROCEDURES),
        Worker(durable, task_queue=ids.LANES_QUEUE, workflows=LANES),
        Worker(durable, task_queue=ids.CONTROL_QUEUE, activities=control),
        Worker(durable, task_queue=ids.plane_queue("local"), activities=on_plane),
    ]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(watches.close)
        await stack.enter_async_context(served(workers))
        yield


def _control(  # noqa: PLR0917 - what is outside, each once
    plane: Cluster,
    durable: Client,
    history: SqlRecords,
    objects: ObjectStore,
    watches: SharedWatches,
    verifier: AssertionVerifier,
) -> Activities:
    queues, standings = TemporalDeployQueues(durable), TemporalStandings(durable)
    releases = ReleaseActivities(
        plane, objects, Settings(), history, watches=watches, standings=standings
    )
    promotions = PromotionActivities(plane, objects, standings, queues, Settings(), watches=watches)
    teardown, grants = TeardownActivities(plane, standings), GrantActivities(plane)
    return [
        grants.plan_break_glass,
        grants.place_grant,
        grants.lift_grant,
        releases.prepare_release,
        releases.record_deployment,
        RecordActivities(history).record,
        RollbackActivities(plane, standings, watches).read_rollback,
        ApprovalActivities(plane, verifier, Settings()).check_people,
        NoticeActivities(Notifier(())).send_notice,
        teardown.survey_teardown,
        teardown.delete_parts,
        teardown.note_teardown,
        teardown.let_go,
        *promotions.all(),
        FreezeActivities(plane, watches).read_freeze,
    ]


def _on_plane(plane: Cluster, objects: ObjectStore, watches: SharedWatches) -> Activities:
    rollouts = RolloutActivities(plane, watches, objects)
    sweeping = TeardownPlaneActivities(plane, watches)
    return [
        rollouts.apply_release,
        rollouts.follow_rollout,
        rollouts.close_ways,
        sweeping.sweep_plane,
        sweeping.await_namespaces_gone,
        ReleaseWatchActivities(plane, watches, objects).watch_release,
    ]


@pytest.fixture
def services(
    plane: Cluster, durable: Client, decisions: SigningKey, history: SqlRecords
) -> Services:
    """What the API of one test stands on, with the key it signs decisions with."""
    settings = Settings(approvals=ApprovalSettings(signing_key=decisions.private))
    return Services(
        settings,
        verifier=KnownPeople(),
        client=durable,
        control_plane=plane,
        database=history,
    )


@pytest.fixture
async def http(services: Services) -> AsyncIterator[httpx.AsyncClient]:
    """The API."""
    transport = httpx.ASGITransport(create_app(services))
    async with httpx.AsyncClient(transport=transport, base_url="http://api") as made:
        yield made


@pytest.fixture
async def line(
    plane: Cluster, durable: Client, platform: None, http: httpx.AsyncClient
) -> AsyncIterator[Line]:
    """dev -> staging by itself -> prod by approval, of an organization of its own."""
    name = f"org-{secrets.token_hex(4)}"
    await plane.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    line = Line(plane, durable, name, http)
    await line.prepare()
    async with intake(plane, durable, name):
        yield line
