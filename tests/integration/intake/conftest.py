from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
import yaml

from clients.kubernetes import Cluster, Kind
from tests.integration.own_api_server import OwnApiServer
from tests.integration.resources.conftest import CRDS, established

ORGANIZATIONS = Kind("choreo.dev/v1alpha1", "Organization", "organizations", namespaced=False)
NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)


@pytest.fixture(scope="session")
async def api_server(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[OwnApiServer]:
    """The stack's own platform would answer the tests' resources, so they get another server."""
    server = OwnApiServer(tmp_path_factory.mktemp("api-server"))
    try:
        await server.start()
        yield server
    finally:
        await server.stop()


@pytest.fixture(scope="session")
async def cluster(api_server: OwnApiServer) -> AsyncIterator[Cluster]:
    """That server with the definitions of this checkout."""
    cluster = await Cluster.connect(api_server.kubeconfig)
    for path in sorted(CRDS.glob("*.yaml")):
        content = yaml.safe_load(path.read_text())
        await cluster.apply(content, force=True)
        await established(cluster, content["metadata"]["name"])
    yield cluster
    await cluster.close()


@pytest.fixture
async def organization(cluster: Cluster) -> AsyncIterator[str]:
    """A fresh organization with its namespace; nothing else is in it."""
    name = f"org-{secrets.token_hex(4)}"
    await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    await cluster.create(
        {
            "apiVersion": "choreo.dev/v1alpha1",
            "kind": "Organization",
            "metadata": {"name": name},
            "spec": {},
        }
    )
    yield name
    await cluster.delete(ORGANIZATIONS, name)
    await cluster.delete(NAMESPACES, name)
