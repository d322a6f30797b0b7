from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from clients.kubernetes import Cluster, Kind

CRDS = Path(__file__).parents[3] / "crds"
NAMESPACES = Kind("v1", "Namespace", "namespaces", namespaced=False)


@pytest.fixture(scope="session")
async def cluster() -> AsyncIterator[Cluster]:
    """The API server of the stack, with the definitions of this checkout."""
    kubeconfig = os.environ.get("PAVANE_KUBERNETES__KUBECONFIG") or os.environ["KUBECONFIG"]
    cluster = await Cluster.connect(Path(kubeconfig), user_agent="pavane-test")
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
    async with asyncio.timeout(20):
        while True:
            found = await cluster.get(kind, name)
            conditions = found.get("status", {}).get("conditions") or ()
            if any(one["type"] == "Established" and one["status"] == "True" for one in conditions):
                return
            await asyncio.sleep(0.05)
