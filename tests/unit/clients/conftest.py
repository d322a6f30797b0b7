from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from clients.kubernetes import Cluster
from tests.unit.clients.scripted_api import ScriptedApi, kubeconfig_for


@pytest.fixture
def api() -> ScriptedApi:
    return ScriptedApi()


@pytest.fixture
async def cluster(api: ScriptedApi, tmp_path: Path) -> AsyncIterator[Cluster]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", api.handle)
    async with TestServer(app) as server:
        kubeconfig = tmp_path / "kubeconfig"
        kubeconfig.write_text(json.dumps(kubeconfig_for(str(server.make_url("")))))
        cluster = await Cluster.connect(kubeconfig, user_agent="pavane-test")
        yield cluster
        await cluster.close()
