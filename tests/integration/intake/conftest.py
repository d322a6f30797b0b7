from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from clients.kubernetes import Cluster, Kind
from tests.integration.resources.conftest import CRDS, established

ORGANIZATIONS = Kind("choreo.dev/v1alpha1", "Organization", "organizations", namespaced=False)
NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)


@pytest.fixture(scope="session")
async def cluster(stack: dict[str, str]) -> AsyncIterator[Cluster]:
    """The API server of the stack, with the definitions of this checkout."""
    cluster = await Cluster.connect(Path(stack["PAVANE_KUBERNETES__KUBECONFIG"]))
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
