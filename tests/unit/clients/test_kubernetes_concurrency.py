from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from aiohttp import web

from clients.kubernetes import Cluster, Kind
from clients.kubernetes import session as session_module
from tests.unit.clients.scripted_api import ScriptedApi

pytestmark = pytest.mark.unit

PODS = Kind("v1", "Pod", "pods", namespaced=True)
POD = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"name": "web", "namespace": "acme", "resourceVersion": "1"},
}


class Slow:
    """Answers nothing until it is told to; counts what is under way."""

    def __init__(self) -> None:
        self.under_way = 0
        self.most = 0
        self.go_on = asyncio.Event()
        self.full = asyncio.Event()

    async def handle(self, request: web.Request) -> web.StreamResponse:
        if request.method == "PUT":
            return web.json_response(POD)
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        if self.under_way == session_module._AT_ONCE:
            self.full.set()
        await self.go_on.wait()
        self.under_way -= 1
        return web.json_response(POD)


async def test_more_requests_than_the_limit_wait_and_an_urgent_one_does_not(
    api: ScriptedApi, cluster: Cluster
) -> None:
    slow = Slow()
    api.handler = slow.handle
    await cluster.kind_of("v1", "Pod")
    readings = [asyncio.create_task(cluster.get(PODS, "web", "acme")) for _ in range(50)]
    async with asyncio.timeout(10):
        await slow.full.wait()
        await cluster.replace(POD, urgent=True)
        slow.go_on.set()
        await asyncio.gather(*readings)

    assert slow.most == session_module._AT_ONCE


async def test_no_password_file_is_read_for_requests_without_a_proxy(
    api: ScriptedApi, cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password wrong\n")
    monkeypatch.setenv("NETRC", str(netrc))
    api.answers(200, POD)

    await cluster.get(PODS, "web", "acme")

    assert api.requests[-1].headers["Authorization"] == "Bearer t0ken"
