"""A plane that is reached by credentials which are kept in OpenBao, from missing to withdrawn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import yaml
from temporalio.client import Client
from temporalio.worker import Interceptor, Worker

from activities.secrets.tenants import VaultTenantActivities
from activities.serving import Activities, Outside
from clients.assertions import AssertionVerifier
from clients.git import GitRemotes
from clients.kubernetes import Cluster, Kind, SharedWatches
from clients.notifications import Notifier
from clients.objects import ObjectStore
from clients.records import SqlRecords
from clients.registry import Registry
from clients.vault import SecretStore, VaultSession, VaultTenants
from clients.web import Web
from devstack.core import roles
from devstack.core.signing import ROLE as ROTATOR
from devstack.state import StateDir
from domain import ids
from domain.deliveries.secrets import EnsureVaultTenant
from domain.errors import Errored
from intake.service import Intake
from plane_workers import PlaneWorkers
from settings import Settings, WorkerSettings
from tests.integration.own_api_server import OwnApiServer
from tests.integration.planes.servers import two_servers
from tests.integration.planes.setting import a_task, control_workers, declared, plane_worker
from tests.serving import own_client, served
from workflows.deployments.queues import TemporalDeployQueues
from workflows.promotions.standings import TemporalStandings

pytestmark = [pytest.mark.integration, pytest.mark.sampled]
PATH = "_planes/west"
PLANES = Kind("choreo.dev/v1alpha1", "DataPlane", "dataplanes", namespaced=True)
BINDINGS = Kind(
    "choreo.dev/v1alpha1", "ScheduledTaskBinding", "scheduledtaskbindings", namespaced=True
)
TASKS = Kind("batch/v1", "CronJob", "cronjobs", namespaced=True)
SessionOf = Callable[[str], VaultSession]


@dataclass
class Scene:
    """East is the control plane and has a worker of its own; west is reached by credentials."""

    organization: str
    east: Cluster
    west: Cluster
    kubeconfig: dict[str, Any]
    store: SecretStore
    session_of: SessionOf

    @property
    def place(self) -> str:
        """The namespace of what is deployed."""
        return ids.namespace(self.organization, "move", "afar")

    async def keep(self, **values: str) -> None:
        """Writes the next version of the credentials, as the API does."""
        entry = await asyncio.to_thread(self.store.find, self.organization, PATH)
        expected = entry.newest if entry else 0
        await asyncio.to_thread(
            self.store.write, self.organization, PATH, values, expected=expected
        )

    async def connected(self, *, to_be: str, saying: str) -> dict[str, Any]:
        """Returns the status of the plane once its condition says so."""
        status: dict[str, Any] = {}
        try:
            async with asyncio.timeout(120):
                while True:
                    found = await self.east.get(PLANES, "west", self.organization)
                    status = found.get("status", {})
                    for one in status.get("conditions", ()):
                        told = one["type"] == "Connected" and one["status"] == to_be
                        if told and saying in one.get("message", ""):
                            return status
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pytest.fail(f"not {to_be} with {saying!r}: {status.get('conditions')}")


@pytest.fixture(scope="module")
def session_of(stack: dict[str, str]) -> SessionOf:
    state = StateDir(Path(stack["PAVANE_AUDIT__VERIFY_KEYS"]).parent.parent)

    def session(role: str) -> VaultSession:
        return VaultSession(stack["PAVANE_VAULT__ADDRESS"], role, roles.secret_id_file(state, role))

    return session


@pytest.fixture(scope="module")
async def scene(
    tmp_path_factory: pytest.TempPathFactory, own_temporal: Client, session_of: SessionOf
) -> AsyncIterator[Scene]:
    organization = f"far-{uuid4().hex[:8]}"
    setup = VaultTenantActivities(VaultTenants(session_of(roles.TENANTS)))
    request = EnsureVaultTenant(organization=organization, places=())
    await asyncio.to_thread(setup.ensure_vault_tenant, request)
    async with AsyncExitStack() as stack:
        servers, east, west = await two_servers(stack, tmp_path_factory, "control", "west")
        own = await own_client(own_temporal)
        records = SqlRecords.open(f"sqlite:///{tmp_path_factory.mktemp('records')}/records.db")
        await records.migrate()
        stack.push_async_callback(records.close)
        objects = ObjectStore.open(tmp_path_factory.mktemp("objects").as_uri())
        made = control_workers(stack, own, records, objects, east)
        made.append(plane_worker(stack, own, objects, "east", east))
        await stack.enter_async_context(served(made))
        outside = await _outside(stack, own, records, objects, east)
        reader = SecretStore(session_of(roles.PLANES))
        planes = PlaneWorkers(outside, own, reader, _serving(own), look=timedelta(seconds=1))
        for running in (Intake(east, own).run(), planes.run()):
            task = asyncio.create_task(running)
            stack.push_async_callback(_ended, task)
        await _declare(east, organization)
        yield Scene(
            organization,
            east,
            west,
            _trusting(servers["west"]),
            SecretStore(session_of(ROTATOR)),
            session_of,
        )


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


async def _outside(
    stack: AsyncExitStack,
    client: Client,
    records: SqlRecords,
    objects: ObjectStore,
    cluster: Cluster,
) -> Outside:
    watches = SharedWatches(cluster)
    git, registry, notifier = GitRemotes(), Registry("http://127.0.0.1:1", "none"), Notifier(())
    web = Web()
    for one in (watches, git, registry, notifier, web):
        stack.push_async_callback(one.close)
    return Outside(
        settings=Settings(worker=WorkerSettings(graceful_shutdown=timedelta(seconds=1))),
        cluster=cluster,
        watches=watches,
        records=records,
        objects=objects,
        registry=registry,
        git=git,
        notifier=notifier,
        web=web,
        decisions=AssertionVerifier(None),
        queues=TemporalDeployQueues(client),
        standings=TemporalStandings(client),
    )


def _serving(client: Client) -> Any:
    def serve(
        queue: str, activities: Activities, at_once: int, *, guards: Sequence[Interceptor]
    ) -> Worker:
        return Worker(client, task_queue=queue, activities=activities, interceptors=guards)

    return serve


def _trusting(server: OwnApiServer) -> dict[str, Any]:
    """The kubeconfig of an API server, trusting its certificate instead of any."""
    config: dict[str, Any] = yaml.safe_load(server.kubeconfig.read_text())
    cluster = config["clusters"][0]["cluster"]
    del cluster["insecure-skip-tls-verify"]
    cluster["certificate-authority-data"] = server.authority()
    return config


async def _declare(cluster: Cluster, organization: str) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": organization}}
    await cluster.apply(namespace, manager="person")
    await declared(
        cluster,
        organization,
        ("Organization", organization, {}),
        ("DataPlane", "east", {}),
        ("DataPlane", "west", {"credentials": {"vaultPath": PATH}}),
        *a_task("afar", "west"),
    )


@pytest.mark.timeout(600)
async def test_a_plane_is_reached_by_credentials_that_come_are_mended_and_withdrawn(
    scene: Scene,
) -> None:
    await scene.connected(to_be="False", saying=f"pavane secret set {PATH}")

    by_program = {"users": [{"name": "own", "user": {"exec": {"command": "/bin/sh"}}}]}
    await scene.keep(kubeconfig=yaml.safe_dump(scene.kubeconfig | by_program))
    await scene.connected(to_be="False", saying="has exec, which is not allowed here")

    wrong = {"users": [{"name": "own", "user": {"token": "wrong"}}]}
    await scene.keep(kubeconfig=yaml.safe_dump(scene.kubeconfig | wrong))
    await scene.connected(to_be="False", saying="the API server refuses the credentials")
    assert await scene.west.find(TASKS, "report", scene.place) is None

    await scene.keep(kubeconfig=yaml.safe_dump(scene.kubeconfig))
    found = await scene.connected(to_be="True", saying="")
    assert found["capabilities"]["kubernetesVersion"].startswith("v1.")
    await _runs(scene)
    assert await scene.west.find(TASKS, "report", scene.place) is not None
    assert await scene.east.find(TASKS, "report", scene.place) is None

    await scene.keep(note="withdrawn")
    await scene.connected(to_be="False", saying="there is no field server")


async def _runs(scene: Scene) -> None:
    """Returns when what waited for the plane is deployed to it."""
    status: dict[str, Any] = {}
    try:
        async with asyncio.timeout(180):
            while status.get("planeRef") != "west":
                found = await scene.east.get(BINDINGS, "report-afar", scene.organization)
                status = found.get("status", {})
                await asyncio.sleep(0.1)
    except TimeoutError:
        pytest.fail(f"it does not run: {status}")


async def test_each_role_reads_only_what_it_is_for(scene: Scene) -> None:
    await asyncio.to_thread(
        scene.store.write, scene.organization, "_planes/other", {"token": "x"}, expected=0
    )
    await asyncio.to_thread(
        scene.store.write, scene.organization, "shop/all/smtp", {"value": "x"}, expected=0
    )
    connecting = SecretStore(scene.session_of(roles.PLANES))
    delivering = SecretStore(scene.session_of(roles.PLANE))
    read = asyncio.to_thread

    assert await read(connecting.read, scene.organization, "_planes/other", 1) == {"token": "x"}
    with pytest.raises(Errored, match="refused to role pavane-planes"):
        await read(connecting.read, scene.organization, "shop/all/smtp", 1)
    assert await read(delivering.read, scene.organization, "shop/all/smtp", 1) == {"value": "x"}
    with pytest.raises(Errored, match="refused to role pavane-plane:"):
        await read(delivering.read, scene.organization, "_planes/other", 1)


async def test_the_queue_of_such_a_plane_cannot_be_named_by_another(scene: Scene) -> None:
    queue = ids.own_plane_queue(scene.organization, "DataPlane", "west")
    other = f"other-{uuid4().hex[:8]}"
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": other}}
    await scene.east.apply(namespace, manager="person")
    await declared(
        scene.east, other, ("Organization", other, {}), ("DataPlane", "mine", {"taskQueue": queue})
    )

    async with asyncio.timeout(120):
        while True:
            found = (await scene.east.get(PLANES, "mine", other)).get("status", {})
            told = [one for one in found.get("conditions", ()) if one["type"] == "Connected"]
            if told:
                break
            await asyncio.sleep(0.1)

    assert told[0]["status"] == "False"
    assert f"does not serve organization {other}" in told[0]["message"]
