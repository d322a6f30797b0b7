"""A platform of its own for drift: API server, Temporal and workers with the real activities."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from temporalio.client import Client
from temporalio.worker import Worker

from activities.common.kinds import DEPLOYMENTS
from activities.looks.log_copies import LogCopyActivities
from activities.looks.logs import LogActivities
from activities.looks.past_logs import PastLogs
from activities.looks.places import LookPlanActivities
from activities.looks.places_of_logs import LogPlanActivities
from activities.looks.trees import TreeActivities
from activities.planes.drift import DriftPlaneActivities
from activities.planes.rollouts import RolloutActivities
from activities.releases.drift import DriftActivities
from activities.releases.rendering import ReleaseActivities
from clients.kubernetes import Cluster, SharedWatches
from clients.kubernetes.watch import DELETED
from clients.objects import ObjectStore
from clients.records import SqlRecords
from clients.web import Loki, Web
from domain import ids
from intake.drift import DriftWatch
from settings import Settings
from tests.integration.drift.places import Place
from tests.integration.own_api_server import OwnApiServer
from tests.integration.resources.conftest import CRDS, established
from tests.integration.vaults import askers
from tests.servers import temporal_server
from tests.serving import served
from workflows.deployments.queues import TemporalDeployQueues
from workflows.promotions.standings import TemporalStandings
from workflows.registry import WORKFLOWS


@pytest.fixture(scope="session")
async def plane(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Cluster]:
    """An API server without controllers, so that only the test and Pavane change anything."""
    server = OwnApiServer(tmp_path_factory.mktemp("drift-api-server"))
    try:
        await server.start()
        cluster = await Cluster.connect(server.kubeconfig)
        for path in sorted(CRDS.glob("*.yaml")):
            content = yaml.safe_load(path.read_text())
            await cluster.apply(content, force=True)
            await established(cluster, content["metadata"]["name"])
        controller = asyncio.create_task(_deployment_controller(cluster))
        yield cluster
        controller.cancel()
        await asyncio.wait({controller})
        await cluster.close()
    finally:
        await server.stop()


async def _deployment_controller(cluster: Cluster) -> None:
    """Says of each Deployment what its controller would say once all pods are ready."""
    watches = SharedWatches(cluster)
    try:
        async with watches.of(DEPLOYMENTS).subscribe() as events:
            async for event in events:
                live = event.object
                generation, wanted = live["metadata"]["generation"], live["spec"]["replicas"]
                seen = live.get("status", {}).get("observedGeneration")
                if event.type == DELETED or seen == generation:
                    continue
                status = {"observedGeneration": generation}
                status |= dict.fromkeys(
                    ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas"), wanted
                )
                meta = live["metadata"]
                await cluster.patch(
                    DEPLOYMENTS, meta["name"], meta["namespace"], {"status": status}, "status"
                )
    finally:
        await watches.close()


@pytest.fixture(scope="session")
async def durable(temporal_program: Path) -> AsyncIterator[Client]:
    """A Temporal server that no other test leaves procedures in."""
    async with temporal_server(temporal_program) as client:
        yield client


@pytest.fixture(scope="session")
def objects() -> ObjectStore:
    """What all workers of the platform keep large things in."""
    return ObjectStore.open("memory:///")


def _planned_looks(plane: Cluster, objects: ObjectStore) -> list[Callable[..., Any]]:
    return [
        LookPlanActivities(plane).prepare_look,
        LogPlanActivities(plane).prepare_log,
        LogCopyActivities(objects).drop_log_copy,
    ]


@pytest.fixture(scope="session")
async def platform(
    plane: Cluster,
    durable: Client,
    objects: ObjectStore,
    tmp_path_factory: pytest.TempPathFactory,
    stack: dict[str, str],
) -> AsyncIterator[None]:
    """Workers of all queues that drift needs, with the real activities."""
    watches = SharedWatches(plane)
    history = SqlRecords.open(f"sqlite:///{tmp_path_factory.mktemp('records') / 'records.db'}")
    await history.migrate()
    releases = ReleaseActivities(
        plane, objects, Settings(), history, watches=watches, standings=TemporalStandings(durable)
    )
    rollouts = RolloutActivities(plane, watches, objects)
    control = DriftActivities(plane, TemporalDeployQueues(durable))
    on_plane = DriftPlaneActivities(plane, objects)
    web = Web()
    async with AsyncExitStack() as opened:
        opened.push_async_callback(web.close)
        opened.push_async_callback(watches.close)
        opened.push_async_callback(history.close)
        workers = [Worker(durable, task_queue=ids.ORCHESTRATION_QUEUE, workflows=WORKFLOWS)]
        queues: dict[str, list[Callable[..., Any]]] = {
            ids.CONTROL_QUEUE: [
                releases.prepare_release,
                releases.record_deployment,
                control.read_drift_place,
                control.await_deployments,
                control.record_drift,
                control.ask_put_back,
                control.await_put_back,
                *_planned_looks(plane, objects),
            ],
            ids.plane_queue("local"): [
                rollouts.apply_release,
                rollouts.follow_rollout,
                rollouts.close_ways,
                on_plane.inspect_release,
                on_plane.put_back_objects,
                TreeActivities(plane, watches, objects).see_tree,
                LogActivities(plane, watches, objects, PastLogs(Loki(web), askers(stack))).copy_log,
            ],
        }
        workers += [
            Worker(durable, task_queue=queue, activities=activities)
            for queue, activities in queues.items()
        ]
        await opened.enter_async_context(served(workers))
        yield


@pytest.fixture
async def place(plane: Cluster, durable: Client, platform: None) -> AsyncIterator[Place]:
    """A component that runs in an environment of an organization of its own."""
    name = f"org-{secrets.token_hex(4)}"
    await plane.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    place = Place(plane, durable, name)
    await place.prepare()
    yield place
    await place.clean()


@asynccontextmanager
async def watching(place: Place) -> AsyncIterator[None]:
    """The drift watch of a worker, whose Lease lies in the organization."""
    watch = DriftWatch(
        place.cluster,
        place.temporal,
        namespace=place.name,
        only=f"choreo.dev/organization={place.name}",
    )
    running = asyncio.create_task(watch.run())
    try:
        yield
        assert not running.done(), running.exception()
    finally:
        running.cancel()
        await asyncio.wait({running})
