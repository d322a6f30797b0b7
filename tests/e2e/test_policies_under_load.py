"""Pods call each other all the time while the policies between them change: no call is lost."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from activities.common.kinds import NETWORK_POLICIES
from clients.kubernetes import Cluster
from tests.e2e.test_types import PUBLIC, SERVE, Tenant, answer, cluster, temporal, tenant

__all__ = ["cluster", "temporal", "tenant"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]

CALLS = 50
"""How many calls have to be made between two changes."""
CALLER = """
import http.server, json, os, threading, urllib.request

told = {"done": 0, "lost": []}

def call():
    while True:
        try:
            urllib.request.urlopen(os.environ["BACK_URL"], timeout=5).read()
            told["done"] += 1
        except OSError as error:
            told["lost"].append(str(error))

class Telling(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(told).encode())

for _ in range(2):
    threading.Thread(target=call, daemon=True).start()
http.server.ThreadingHTTPServer(("", 8080), Telling).serve_forever()
"""


async def told(stack: dict[str, str], url: str, calls: int) -> dict[str, Any]:
    """What the caller says when it has made so many calls more."""
    found: dict[str, Any] = (await answer(stack, url)).json()
    wanted = found["done"] + calls
    async with asyncio.timeout(240):
        while found["done"] < wanted and not found["lost"]:
            await asyncio.sleep(0.2)
            found = (await answer(stack, url)).json()
    return found


async def test_calls_go_on_while_policies_are_opened_and_closed_around_them(
    tenant: Tenant, cluster: Cluster, stack: dict[str, str]
) -> None:
    inner = {**PUBLIC, "visibility": "project"}
    back = {"containers": [{"name": "main", "command": [*SERVE, "/srv"]}], "endpoints": [inner]}
    await tenant.component("Service", "back", workload=back)
    assert (await tenant.judged("Service", "back"))["ready"]["status"] == "True"
    target = {"componentRef": "back", "endpoint": "http"}
    await tenant.declare("Connection", "back", {"componentRef": "front", "target": target})
    main = {"name": "main", "command": ["python3", "-c", CALLER]}
    front = {"containers": [main], "endpoints": [PUBLIC]}
    await tenant.component("Service", "front", workload=front)
    status = await tenant.judged("Service", "front")
    assert status["ready"]["status"] == "True", status["ready"]
    first = last = await told(stack, status["url"], CALLS)
    assert first["lost"] == []

    seen = set()
    for visibility in ("organization", "public", "project"):
        opened = {"backendRef": target, "visibility": visibility}
        await tenant.declare("Endpoint", "back", opened)
        seen.add(await _policy_with(cluster, tenant, visibility))
        last = await told(stack, status["url"], CALLS)
        assert last["lost"] == []

    assert len(seen) == 3
    assert last["done"] >= first["done"] + 3 * CALLS


async def _policy_with(cluster: Cluster, tenant: Tenant, visibility: str) -> str:
    """The version of the callee's policy when it admits as many sorts of callers as that."""
    sorts = {"project": 1, "organization": 1, "public": 2}[visibility]
    async with asyncio.timeout(240):
        while True:
            found = await cluster.get(NETWORK_POLICIES, "back", tenant.namespace)
            rules = found["spec"]["ingress"]  # two while what closes is held open
            wide = "namespaceSelector" in rules[0]["from"][0]
            if [len(one["from"]) for one in rules] == [sorts] and wide == (visibility != "project"):
                return str(found["metadata"]["resourceVersion"])
            await asyncio.sleep(0.2)
