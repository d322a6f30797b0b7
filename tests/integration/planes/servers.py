"""Two API servers that know nothing of each other."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from clients.kubernetes import Cluster
from tests.integration.own_api_server import OwnApiServer
from tests.integration.tenants.conftest import with_definitions


async def two_servers(
    stack: AsyncExitStack, folders: pytest.TempPathFactory, first: str, second: str
) -> tuple[dict[str, OwnApiServer], Cluster, Cluster]:
    """Starts both; the first one knows Pavane's kinds. Returns them by name, and both clusters."""
    servers = {}
    for name in (first, second):
        servers[name] = OwnApiServer(folders.mktemp(name))
        stack.push_async_callback(servers[name].stop)
    await asyncio.gather(*(one.start() for one in servers.values()))
    known = await with_definitions(servers[first].kubeconfig)
    other = await Cluster.connect(servers[second].kubeconfig)
    for one in (known, other):
        stack.push_async_callback(one.close)
    return servers, known, other
