from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest

from clients.kubernetes import Cluster, Kind


@pytest.fixture(scope="session")
def kubeconfig(stack: dict[str, str]) -> Path:
    return Path(stack["PAVANE_KUBERNETES__KUBECONFIG"])


@pytest.fixture
async def cluster(kubeconfig: Path) -> AsyncIterator[Cluster]:
    cluster = await Cluster.connect(kubeconfig)
    yield cluster
    await cluster.close()


@pytest.fixture
async def namespace(cluster: Cluster) -> AsyncIterator[str]:
    """A fresh namespace."""
    kind = Kind("v1", "Namespace", "namespaces", namespaced=False)
    name = f"test-{uuid4().hex[:10]}"
    await cluster.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    await cluster.delete(kind, name)
