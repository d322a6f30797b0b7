"""The API in this process, with a real Temporal server and the real API server of the stack."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from temporalio.client import Client

from api.app import create_app
from api.services import Services
from clients.identity import Person
from clients.kubernetes import Cluster, Kind
from clients.objects import ObjectStore
from clients.records import SqlRecords
from domain.errors import Unauthenticated
from settings import ApiSettings, OidcSettings, Settings
from tests.workflows.conftest import World, workers

CRDS = Path(__file__).parents[3] / "crds"
NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)
WEBHOOK_SECRET = secrets.token_hex(20)

PEOPLE = {
    "ada": Person("ada", "Ada", "ada@example.test", ("platform-engineers",)),
    "dev": Person("dev", "Dev", "dev@example.test", ("developers",)),
    "viewer": Person("viewer", "Vi", "viewer@example.test", ("auditors",)),
    "stranger": Person("stranger", "Stranger", "stranger@example.test", ("others",)),
}


class KnownPeople:
    """A verifier whose tokens are names; the real one has tests of its own."""

    async def verify(self, token: str) -> Person:
        if token not in PEOPLE:
            raise Unauthenticated("the token is not valid")
        return PEOPLE[token]


@pytest.fixture(scope="session")
async def cluster(stack: dict[str, str]) -> AsyncIterator[Cluster]:
    """The API server of the stack, with the definitions of this checkout."""
    cluster = await Cluster.connect(Path(stack["KUBECONFIG"]), user_agent="pavane-test-api")
    for path in sorted(CRDS.glob("*.yaml")):
        content = yaml.safe_load(path.read_text())
        await cluster.apply(content, force=True)
        await _established(cluster, content["metadata"]["name"])
    yield cluster
    await cluster.close()


async def _established(cluster: Cluster, name: str) -> None:
    kind = await cluster.kind_of("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    async with asyncio.timeout(60):
        while True:
            found = await cluster.get(kind, name)
            conditions = found.get("status", {}).get("conditions") or ()
            if any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
                return
            await asyncio.sleep(0.05)


@pytest.fixture
def organization() -> str:
    return f"org{secrets.token_hex(5)}"


@pytest.fixture
def settings(tmp_path: Path, organization: str) -> Settings:
    (tmp_path / organization).write_text(WEBHOOK_SECRET)
    return Settings(
        api=ApiSettings(webhook_secrets=tmp_path, body_limit=64 * 1024),
        oidc=OidcSettings(
            issuer=os.environ.get("PAVANE_OIDC__ISSUER", ""),
            discovery_url=os.environ.get("PAVANE_OIDC__DISCOVERY_URL", ""),
            audience=os.environ.get("PAVANE_OIDC__AUDIENCE", ""),
        ),
    )


@pytest.fixture
async def services(
    settings: Settings, temporal: Client, cluster: Cluster, tmp_path: Path
) -> AsyncIterator[Services]:
    store = ObjectStore.open((tmp_path / "objects").as_uri())
    records = SqlRecords.open(f"sqlite:///{tmp_path / 'records.db'}")
    await records.migrate()
    services = Services(
        settings,
        verifier=KnownPeople(),
        client=temporal,
        control_plane=await Cluster.connect(Path(os.environ["KUBECONFIG"])),
        store=store,
        database=records,
    )
    yield services
    await services.close()


@pytest.fixture
def sign_in(services: Services) -> Callable[[str], httpx.AsyncClient]:
    def made(person: str) -> httpx.AsyncClient:
        headers = {"Authorization": f"Bearer {person}"} if person else {}
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(create_app(services)),
            base_url="http://pavane.test",
            headers=headers,
            timeout=30,
        )

    return made


@pytest.fixture
async def dev(sign_in: Callable[[str], httpx.AsyncClient]) -> AsyncIterator[httpx.AsyncClient]:
    async with sign_in("dev") as client:
        yield client


@pytest.fixture
async def acme(
    sign_in: Callable[[str], httpx.AsyncClient], organization: str, cluster: Cluster
) -> AsyncIterator[str]:
    """An organization with a project and the component `web`, applied through the API."""
    async with sign_in("ada") as admin:
        answer = await admin.post("/v1/apply", json=platform(organization))
        assert answer.status_code == 200, answer.text
    yield organization
    await cluster.delete(
        Kind("choreo.dev/v1alpha1", "Organization", "organizations", False), organization
    )
    await cluster.delete(NAMESPACES, organization)


def platform(organization: str) -> list[dict[str, Any]]:
    return [
        component(organization, "web"),
        resource("Project", "shop", organization, {"deploymentPipelineRef": "standard"}),
        resource(
            "Organization",
            organization,
            "",
            {
                "access": [
                    {"group": "developers", "role": "developer"},
                    {"group": "auditors", "role": "viewer"},
                ]
            },
        ),
        resource(
            "DeploymentPipeline",
            "standard",
            organization,
            {
                "promotionPaths": [
                    {
                        "sourceEnvironmentRef": "development",
                        "targetEnvironmentRefs": [{"name": "production"}],
                    }
                ]
            },
        ),
    ]


def component(organization: str, name: str, branch: str = "main") -> dict[str, Any]:
    return resource(
        "Component",
        name,
        organization,
        {
            "componentOwner": {"projectRef": "shop"},
            "componentType": "Service",
            "buildSpecInComponent": {
                "repository": "https://Git.example/acme/web.git",
                "branch": branch,
            },
        },
    )


def resource(kind: str, name: str, namespace: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {
        "apiVersion": "choreo.dev/v1alpha1",
        "kind": kind,
        "metadata": metadata,
        "spec": spec,
    }


@pytest.fixture
async def world(temporal: Client) -> AsyncIterator[World]:
    """Workers whose activities only remember what they were asked."""
    world = World()
    async with workers(temporal, world):
        yield world
