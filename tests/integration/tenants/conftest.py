"""An API server of the tests' own with two organizations that the real procedure set up."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
import yaml
from temporalio.client import Client
from temporalio.worker import Worker

from activities.planes.rollouts import RolloutActivities
from activities.planes.tenants import TenantPlaneActivities
from activities.records.facts import RecordActivities
from activities.releases.rendering import ReleaseActivities
from activities.secrets.tenants import VaultTenantActivities
from activities.tenants.setup import TenantActivities
from api.app import create_app
from api.services import Services
from clients.identity import Person
from clients.kubernetes import Cluster, SharedWatches
from clients.objects import ObjectStore
from clients.records import SqlRecords
from domain import ids
from domain.errors import Unauthenticated
from domain.resources.classes import DEFAULT_SERVICE_CLASS
from intake.service import Intake
from runtime.ports import free_port
from runtime.tenancy import OnlyOrganizations
from settings import ApiSettings, RegistrySettings, Settings
from tests.integration.own_api_server import OwnApiServer
from tests.integration.resources.conftest import CRDS, established
from tests.integration.tenants.hostile import ALPHA, BETA, VALUABLE, Hands, Scene, kind, resource
from tests.serving import own_client, served
from workflows.promotions.standings import TemporalStandings
from workflows.registry import LANES, PROCEDURES

PEOPLE = {
    "ann": Person("ann", "Ann", "ann@alpha.test", ()),
    "amy": Person("amy", "Amy", "amy@alpha.test", ()),
}
ORGANIZATIONS = kind("Organization", "organizations", namespaced=False)


class KnownPeople:
    """A verifier whose tokens are names; the real one has tests of its own."""

    async def verify(self, token: str) -> Person:
        if token not in PEOPLE:
            raise Unauthenticated("the token is not valid")
        return PEOPLE[token]


@pytest.fixture(scope="module")
async def scene(
    tmp_path_factory: pytest.TempPathFactory, own_temporal: Client
) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("tenants")
    server = OwnApiServer(folder)
    kubectl = {name: server.person(name) for name in PEOPLE}
    async with AsyncExitStack() as stack:
        stack.push_async_callback(server.stop)
        await server.start()
        cluster = await with_definitions(server.kubeconfig)
        stack.push_async_callback(cluster.close)
        made = await _made(stack, cluster, own_temporal, folder)
        await _two_organizations(cluster)
        url = await _serve(stack, made["services"])
        hands = [
            Hands(
                name,
                await stack.enter_async_context(
                    httpx.AsyncClient(
                        base_url=url, headers={"Authorization": f"Bearer {name}"}, timeout=30
                    )
                ),
                await Cluster.connect(kubectl[name]),
                url,
                folder,
            )
            for name in ("ann", "amy")
        ]
        for one in hands:
            stack.push_async_callback(one.kubectl.close)
        yield Scene(
            hands[0],
            hands[1],
            cluster,
            made["releases"],
            made["rollouts"],
            own_temporal,
            {"alpha webhook secret": made["secret"]},
        )


async def with_definitions(kubeconfig: Path) -> Cluster:
    """Connects to an API server and gives it the definitions of this checkout."""
    cluster = await Cluster.connect(kubeconfig)
    for path in sorted(CRDS.glob("*.yaml")):
        content = yaml.safe_load(path.read_text())
        await cluster.apply(content, force=True)
        await established(cluster, content["metadata"]["name"])
    return cluster


async def _made(
    stack: AsyncExitStack, cluster: Cluster, client: Client, folder: Path
) -> dict[str, Any]:
    """The platform's own parts on that API server."""
    secret = secrets.token_hex(20)
    hooks = folder / "hooks"
    hooks.mkdir()
    (hooks / ALPHA).write_text(secret)
    (hooks / BETA).write_text(secrets.token_hex(20))
    # The registry that the tries name, whatever stack runs beside them.
    registry = RegistrySettings(url="http://127.0.0.1:5000", pull_host="127.0.0.1:5000")
    settings = Settings(api=ApiSettings(webhook_secrets=hooks), registry=registry)
    records = SqlRecords.open(f"sqlite:///{folder / 'records.db'}")
    await records.migrate()
    stack.push_async_callback(records.close)
    objects = ObjectStore.open((folder / "objects").as_uri())
    watches = SharedWatches(cluster)
    stack.push_async_callback(watches.close)
    own = await own_client(client)
    await stack.enter_async_context(served(_workers(stack, cluster, own, records, settings)))
    intake = asyncio.create_task(Intake(cluster, own).run())
    stack.callback(intake.cancel)
    services = Services(
        settings,
        verifier=KnownPeople(),
        client=own,
        control_plane=cluster,
        store=objects,
        database=records,
    )
    releases = ReleaseActivities(
        cluster, objects, settings, records, watches=watches, standings=TemporalStandings(own)
    )
    rollouts = RolloutActivities(cluster, watches, objects)
    return {
        "services": services, "releases": releases, "rollouts": rollouts, "secret": secret,
    }  # fmt: skip


def _workers(
    stack: AsyncExitStack,
    cluster: Cluster,
    own: Client,
    records: SqlRecords,
    settings: Settings,
) -> list[Worker]:
    """What sets organizations up, and a worker that serves beta alone."""
    tenants = TenantActivities(cluster, settings)
    control: list[Any] = [
        tenants.plan_tenant,
        tenants.set_up_tenant,
        tenants.record_tenant,
        RecordActivities(records).record,
    ]
    plane = [TenantPlaneActivities(cluster).set_up_tenant_plane]
    threads = stack.enter_context(ThreadPoolExecutor(2))
    return [
        Worker(own, task_queue=ids.ORCHESTRATION_QUEUE, workflows=PROCEDURES),
        Worker(own, task_queue=ids.LANES_QUEUE, workflows=LANES),
        Worker(own, task_queue=ids.CONTROL_QUEUE, activities=control),
        Worker(own, task_queue="plane.local", activities=plane),
        Worker(
            own,
            task_queue=ids.SECRETS_QUEUE,
            activities=[VaultTenantActivities(None).ensure_vault_tenant],
            activity_executor=threads,
        ),
        Worker(
            own,
            task_queue=f"plane.{BETA}",
            activities=plane,
            interceptors=[OnlyOrganizations({BETA})],
        ),
    ]


async def _serve(stack: AsyncExitStack, services: Services) -> str:
    """The API over HTTP, for the command line as well."""
    port = free_port()
    server = uvicorn.Server(
        uvicorn.Config(create_app(services), host="127.0.0.1", port=port, log_level="error")
    )
    serving = asyncio.create_task(server.serve())

    async def stop() -> None:
        server.should_exit = True
        await serving

    stack.push_async_callback(stop)
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.02)
    return f"http://127.0.0.1:{port}"


async def _two_organizations(cluster: Cluster) -> None:
    access = {
        ALPHA: [{"user": "ann", "role": "developer"}, {"user": "amy", "role": "admin"}],
        BETA: [{"user": "bob", "role": "admin"}],
    }
    for name, rules in access.items():
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        await cluster.apply(namespace, manager="person")
        await cluster.apply(resource("Organization", name, "", {"access": rules}), manager="person")
        for obj in _content(name):
            await cluster.apply(obj, manager="person")
    async with asyncio.timeout(60):
        for name in access:
            while not await _is_ready(cluster, name):  # noqa: ASYNC110 - told by a status
                await asyncio.sleep(0.1)
    there = f"{BETA}-shop-dev"
    for of_kind in ("Secret", "ConfigMap"):
        content = {"stringData" if of_kind == "Secret" else "data": {"key": VALUABLE}}
        metadata = {"name": "valuable", "namespace": there}
        await cluster.apply(
            {"apiVersion": "v1", "kind": of_kind, "metadata": metadata, **content}, manager="bob"
        )


def _content(organization: str) -> list[dict[str, Any]]:
    description = VALUABLE if organization == BETA else "ours"
    image = f"127.0.0.1:5000/{organization}/shop/web@sha256:{'b' * 64}"
    owner = {"componentOwner": {"projectRef": "shop"}}
    paths = {"promotionPaths": [{"sourceEnvironmentRef": "dev"}]}
    artifact = {"componentRef": "web", "image": image}
    content: list[tuple[str, str, dict[str, Any]]] = [
        ("DataPlane", "local", {"description": description}),
        ("Environment", "dev", {"dataPlaneRef": "local", "description": description}),
        ("DeploymentPipeline", "default", paths),
        ("ServiceClass", DEFAULT_SERVICE_CLASS, {}),
        ("Project", "shop", {"deploymentPipelineRef": "default", "description": description}),
        ("Component", "web", owner | {"description": description}),
        ("Workload", "web", {"componentRef": "web", "containers": [{"name": "main"}]}),
        ("DeployableArtifact", "web-1", artifact),
    ]
    if organization == BETA:
        content.append(("DeployableArtifact", f"{BETA}-only", artifact))
    return [resource(of_kind, name, organization, spec) for of_kind, name, spec in content]


async def _is_ready(cluster: Cluster, name: str) -> bool:
    found = await cluster.get(ORGANIZATIONS, name)
    conditions = found.get("status", {}).get("conditions", ())
    return any((one["type"], one["status"]) == ("Ready", "True") for one in conditions)
