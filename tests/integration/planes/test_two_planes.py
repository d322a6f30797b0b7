"""Two planes on two API servers: each has its own, and one that is away holds up nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
from temporalio.client import Client

from clients.kubernetes import Cluster, Kind
from clients.objects import ObjectStore
from clients.records import SqlRecords
from intake.service import Intake
from tests.integration.own_api_server import OwnApiServer
from tests.integration.planes.servers import two_servers
from tests.integration.planes.setting import a_task, control_workers, declared, plane_worker
from tests.integration.resources.conftest import established
from tests.integration.tenants.conftest import ORGANIZATIONS
from tests.serving import own_client, served

pytestmark = [pytest.mark.integration, pytest.mark.sampled]
ORG = "twoplanes"
NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)
PLANES = Kind("choreo.dev/v1alpha1", "DataPlane", "dataplanes", namespaced=True)


@dataclass
class Two:
    """East is the control plane as well; west is a cluster of its own."""

    east: Cluster
    west: Cluster
    west_server: OwnApiServer
    client: Client

    async def plane(self, name: str, holds: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Returns the status of a plane once it is so."""
        async with asyncio.timeout(90):
            while True:
                status = (await self.east.get(PLANES, name, ORG)).get("status", {})
                if holds(status):
                    return dict(status)
                await asyncio.sleep(0.1)


def connected(status: dict[str, Any]) -> dict[str, Any]:
    found = [one for one in status.get("conditions", ()) if one["type"] == "Connected"]
    return found[0] if found else {"status": "", "message": ""}


@pytest.fixture(scope="module")
async def two(tmp_path_factory: pytest.TempPathFactory, own_temporal: Client) -> AsyncIterator[Two]:
    async with AsyncExitStack() as stack:
        servers, east, west = await two_servers(stack, tmp_path_factory, "east", "west")
        own = await own_client(own_temporal)
        records = SqlRecords.open(f"sqlite:///{tmp_path_factory.mktemp('records')}/records.db")
        await records.migrate()
        stack.push_async_callback(records.close)
        objects = ObjectStore.open(tmp_path_factory.mktemp("objects").as_uri())
        each = {"east": east, "west": west}
        made = [
            *control_workers(stack, own, records, objects, east),
            *(plane_worker(stack, own, objects, name, one) for name, one in each.items()),
        ]
        await stack.enter_async_context(served(made))
        intake = asyncio.create_task(Intake(east, own).run())
        stack.callback(intake.cancel)
        await _declare(east)
        yield Two(east, west, servers["west"], own)


async def _declare(cluster: Cluster) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": ORG}}
    await cluster.apply(namespace, manager="person")
    await declared(
        cluster,
        ORG,
        ("Organization", ORG, {}),
        ("DataPlane", "east", {}),
        ("DataPlane", "west", {}),
        ("Environment", "dev", {"dataPlaneRef": "east"}),
        ("Environment", "prod", {"dataPlaneRef": "west"}),
        ("DeploymentPipeline", "default", {"promotionPaths": [{"sourceEnvironmentRef": "dev"}]}),
        ("Project", "shop", {"deploymentPipelineRef": "default"}),
    )


async def test_each_plane_gets_the_namespaces_of_its_environments_alone(two: Two) -> None:
    await two.plane("west", lambda status: connected(status)["status"] == "True")
    async with asyncio.timeout(60):
        while await two.west.find(NAMESPACES, f"{ORG}-shop-prod") is None:  # noqa: ASYNC110 - told by nobody
            await asyncio.sleep(0.1)

    assert await two.east.find(NAMESPACES, f"{ORG}-shop-dev") is not None
    assert await two.east.find(NAMESPACES, f"{ORG}-shop-prod") is None
    assert await two.west.find(NAMESPACES, f"{ORG}-shop-dev") is None


async def test_what_is_installed_on_a_plane_is_found_by_event(two: Two) -> None:
    before = await two.plane("west", lambda status: connected(status)["status"] == "True")
    assert before["capabilities"]["kubernetesVersion"].startswith("v1.")
    assert "gatewayAPI" not in before["capabilities"]

    name = "httproutes.gateway.networking.k8s.io"
    schema = {"openAPIV3Schema": {"type": "object"}}
    names = {"kind": "HTTPRoute", "plural": "httproutes", "singular": "httproute"}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    await two.west.apply(
        {
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {
                "name": name,
                "annotations": {"api-approved.kubernetes.io": "unapproved, a test"},
            },
            "spec": {
                "group": "gateway.networking.k8s.io",
                "names": names,
                "scope": "Namespaced",
                "versions": [version],
            },
        }
    )
    await established(two.west, name)

    found = await two.plane("west", lambda status: "gatewayAPI" in status["capabilities"])
    assert found["capabilities"]["gatewayAPI"] == "v1"
    east = (await two.east.get(PLANES, "east", ORG))["status"]
    assert "gatewayAPI" not in east["capabilities"]


async def test_what_runs_follows_its_environment_to_another_plane(two: Two) -> None:
    task = Kind("batch/v1", "CronJob", "cronjobs", namespaced=True)
    bindings = Kind(
        "choreo.dev/v1alpha1", "ScheduledTaskBinding", "scheduledtaskbindings", namespaced=True
    )
    where = f"{ORG}-move-moving"
    await declared(two.east, ORG, *a_task("moving", "east"))

    async def runs_on(plane: str) -> None:
        status: dict[str, Any] = {}
        try:
            async with asyncio.timeout(90):
                while status.get("planeRef") != plane:
                    found = await two.east.get(bindings, "report-moving", ORG)
                    status = found.get("status", {})
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pytest.fail(f"not on {plane}: {status}")

    await runs_on("east")
    assert await two.east.find(task, "report", where) is not None
    assert await two.west.find(task, "report", where) is None

    await declared(two.east, ORG, ("Environment", "moving", {"dataPlaneRef": "west"}))

    await runs_on("west")
    assert await two.west.find(task, "report", where) is not None
    assert await two.east.find(task, "report", where) is None
    # An API server without controllers only begins to remove a namespace.
    async with asyncio.timeout(90):
        while not await _goes(two.east, where):  # noqa: ASYNC110 - told by nobody
            await asyncio.sleep(0.1)
    assert not await _goes(two.west, where)
    assert not await _goes(two.east, f"{ORG}-shop-dev")


async def test_a_plane_that_is_away_is_named_and_holds_up_nothing_else(two: Two) -> None:
    await two.plane("west", lambda status: connected(status)["status"] == "True")
    await two.west_server.kill_api()

    silent = await two.plane("west", lambda status: connected(status)["status"] == "False")
    east = (await two.east.get(PLANES, "east", ORG))["status"]
    assert connected(silent)["reason"] == "PlaneSilent"
    assert connected(silent)["message"]
    assert connected(east)["status"] == "True"

    access = {"spec": {"access": [{"user": "ann", "role": "viewer"}]}}
    await two.east.patch(ORGANIZATIONS, ORG, "", access)
    roles = Kind("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", namespaced=True)
    async with asyncio.timeout(30):
        while "ann" not in str(await two.east.get(roles, "pavane-read", ORG)):  # noqa: ASYNC110 - told by nobody
            await asyncio.sleep(0.1)
    async with asyncio.timeout(30):
        while "west" not in await _waited_for(two.east):  # noqa: ASYNC110 - told by a status
            await asyncio.sleep(0.1)

    await two.west_server.start_api()
    await two.plane("west", lambda status: connected(status)["status"] == "True")


async def _goes(cluster: Cluster, namespace: str) -> bool:
    found = await cluster.find(NAMESPACES, namespace)
    return found is None or "deletionTimestamp" in found["metadata"]


async def _waited_for(cluster: Cluster) -> str:
    """What the set-up of the organization waits for on its planes."""
    told = (await cluster.get(ORGANIZATIONS, ORG))["status"]["conditions"]
    waits = [one for one in told if one["type"] == "Planes" and one["status"] == "False"]
    return str(waits[0]["message"]) if waits else ""
