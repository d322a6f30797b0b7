from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from clients.kubernetes import Cluster, Kind
from tests.integration.own_api_server import OwnApiServer

CRDS = Path(__file__).parents[3] / "crds"
NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)


@pytest.fixture(scope="session")
async def bare_api_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnApiServer]:
    """The stack's own platform would write statuses meanwhile, so there is another server."""
    server = OwnApiServer(tmp_path_factory.mktemp("bare-api-server"))
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


@pytest.fixture(scope="session")
async def cluster(bare_api_server: OwnApiServer) -> AsyncIterator[Cluster]:
    """That server with the definitions of this checkout."""
    cluster = await Cluster.connect(bare_api_server.kubeconfig, user_agent="pavane-test")
    for path in sorted(CRDS.glob("*.yaml")):
        content = yaml.safe_load(path.read_text())
        await cluster.apply(content, force=True)
        await established(cluster, content["metadata"]["name"])
    yield cluster
    await cluster.close()


@pytest.fixture
async def organization(cluster: Cluster) -> AsyncIterator[str]:
    """A fresh namespace, as an organization has one."""
    name = f"org-{secrets.token_hex(4)}"
    await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await cluster.delete(NAMESPACES, name)


async def established(cluster: Cluster, name: str) -> None:
    """Returns when the API server serves a definition and its schema."""
    kind = await cluster.kind_of("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    async with asyncio.timeout(60):
        while True:
            found = await cluster.get(kind, name)
            conditions = found.get("status", {}).get("conditions") or ()
            if any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
                return
            await asyncio.sleep(0.05)
