"""A platform of its own for promotions: API server, Temporal, intake and real activities."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
from temporalio.client import Client
from temporalio.worker import Worker

from activities.promotions import PromotionActivities
from activities.records import RecordActivities
from activities.release_watch import ReleaseWatchActivities
from activities.releases import ReleaseActivities
from activities.rollbacks import RollbackActivities
from activities.rollouts import RolloutActivities
from clients.kubernetes import Cluster, SharedWatches
from clients.objects import ObjectStore
from clients.records import SqlRecords
from domain import ids
from settings import Settings
from tests.integration.drift.conftest import durable, plane
from tests.integration.intake.organizations import intake
from tests.integration.promotion.lines import Line
from tests.serving import served
from tests.workflows.promoting import ScriptedApproval
from workflows.deploy_queues import TemporalDeployQueues
from workflows.registry import LANES, PROCEDURES
from workflows.standings import TemporalStandings

__all__ = ["durable", "plane"]


@pytest.fixture(scope="session")
async def platform(
    plane: Cluster, durable: Client, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[None]:
    """Workers of all queues that promotions need, with the real activities."""
    objects = ObjectStore.open("memory:///")
    watches = SharedWatches(plane)
    history = SqlRecords.open(f"sqlite:///{tmp_path_factory.mktemp('records') / 'records.db'}")
    await history.migrate()
    queues, standings = TemporalDeployQueues(durable), TemporalStandings(durable)
    releases = ReleaseActivities(
        plane, objects, Settings(), history, watches=watches, standings=standings
    )
    rollouts = RolloutActivities(plane, watches, objects)
    promotions = PromotionActivities(plane, objects, standings, queues, Settings())
    lanes = [*(one for one in LANES if one.__name__ != "ApprovalWorkflow"), ScriptedApproval]
    workers = [
        Worker(durable, task_queue=ids.ORCHESTRATION_QUEUE, workflows=PROCEDURES),
        Worker(durable, task_queue=ids.LANES_QUEUE, workflows=lanes),
        Worker(
            durable,
            task_queue=ids.CONTROL_QUEUE,
            activities=[
                releases.prepare_release,
                releases.record_deployment,
                RecordActivities(history).record,
                RollbackActivities(plane, standings).read_rollback,
                *promotions.all(),
            ],
        ),
        Worker(
            durable,
            task_queue=ids.plane_queue("local"),
            activities=[
                rollouts.apply_release,
                rollouts.follow_rollout,
                ReleaseWatchActivities(plane, watches, objects).watch_release,
            ],
        ),
    ]
    async with AsyncExitStack() as stack:
        stack.push_async_callback(history.close)
        stack.push_async_callback(watches.close)
        await stack.enter_async_context(served(workers))
        yield


@pytest.fixture
async def line(plane: Cluster, durable: Client, platform: None) -> AsyncIterator[Line]:
    """dev -> staging by itself -> prod by approval, of an organization of its own."""
    name = f"org-{secrets.token_hex(4)}"
    await plane.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    line = Line(plane, durable, name)
    await line.prepare()
    async with intake(plane, durable, name):
        yield line
