"""Public endpoints of a real pod behind the gateway: what is asked of it, and what it lacks."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from clients.kubernetes import Cluster, Kind, Object
from domain.rendering.labels import COMPONENT
from tests.e2e.test_types import (
    PATIENCE,
    PUBLIC,
    SERVE,
    Tenant,
    answer,
    cluster,
    temporal,
    tenant,
)

__all__ = ["cluster", "temporal", "tenant"]

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600), pytest.mark.sampled]

GRPC_ROUTES = Kind("gateway.networking.k8s.io/v1", "GRPCRoute", "grpcroutes", namespaced=True)
MIDDLEWARES = Kind("traefik.io/v1alpha1", "Middleware", "middlewares", namespaced=True)
MOST = 30
"""Requests an hour: more than the test makes before it goes over the limit."""
RPC = {"name": "rpc", "port": 9000, "type": "gRPC", "visibility": "public"}
DATABASE = {"name": "db", "port": 5432, "type": "TCP", "visibility": "public"}


async def test_the_gateway_does_what_an_endpoint_says_and_each_kind_has_its_address(
    tenant: Tenant, cluster: Cluster, stack: dict[str, str]
) -> None:
    said = {
        "rewritePath": "/inner/",
        "responseHeaders": {"set": [{"name": "X-Shop", "value": "open"}], "remove": ["Server"]},
        "rateLimit": {"requests": MOST, "per": "Hour"},
        "circuitBreaker": {"errorPercent": 90},
        "retries": 2,
    }
    backend = {"componentRef": "front", "endpoint": "http"}
    own = f"www.{tenant.name}.example.org"
    await tenant.declare(
        "Organization", tenant.name, {"hostDomains": [f"{tenant.name}.example.org"]}
    )
    opened = {"backendRef": backend, "visibility": "public", "gateway": said}
    named = {"hosts": [{"environmentRef": "dev", "host": own}]}
    await tenant.declare("Endpoint", "front", {**opened, **named})
    await tenant.component(
        "Service",
        "front",
        workload={
            "containers": [{"name": "main", "command": [*SERVE, "/srv"]}],
            "files": [{"path": "/srv/inner/index.html", "content": "inside"}],
            "endpoints": [{**PUBLIC, "basePath": "/outer/"}, RPC],
        },
    )
    status = await tenant.judged("Service", "front")
    assert status["ready"]["status"] == "True", status["ready"]

    http, rpc = status["endpoints"]
    assert (http["name"], rpc["name"]) == ("http", "rpc")
    assert http["url"] == status["url"]
    assert urlsplit(status["url"]).hostname == own
    assert rpc["url"].startswith(f"grpc://rpc.front.shop.{tenant.name}.dev.localhost:")
    made = status["url"].replace(own, f"front.shop.{tenant.name}.dev.localhost")
    assert (await answer(stack, made)).text == "inside"
    told = await answer(stack, status["url"])
    assert told.text == "inside"
    assert told.headers["X-Shop"] == "open"
    assert "Server" not in told.headers
    told_of = [(await answer(stack, status["url"])).status_code for _ in range(MOST + 1)]
    assert set(told_of) == {200, 429}
    route = await cluster.get(GRPC_ROUTES, "front.rpc", tenant.namespace)
    (accepted,) = accepted_of(route)
    assert accepted["status"] == "True"
    assert accepted["observedGeneration"] == route["metadata"]["generation"]


def accepted_of(route: Object) -> list[dict[str, Any]]:
    """What each gateway says about taking a route."""
    return [
        one
        for parent in route["status"]["parents"]
        for one in parent["conditions"]
        if one["type"] == "Accepted"
    ]


async def test_what_the_gateway_of_the_plane_lacks_is_refused_by_name(tenant: Tenant) -> None:
    listener = {"name": "db", "port": 15432, "environmentRef": "dev", "componentRef": "store"}
    gateway = {"domain": "localhost", "tcpListeners": [{**listener, "endpoint": "db"}]}
    await tenant.declare("DataPlane", "local", {"gateway": gateway})
    main = {"name": "main", "command": [*SERVE, "/srv"]}
    await tenant.component(
        "Service", "store", workload={"containers": [main], "endpoints": [DATABASE]}
    )
    ready = (await tenant.judged("Service", "store"))["ready"]
    assert ready["status"] == "False"
    assert "store needs a TCPRoute" in ready["message"]

    strange = {"environmentRef": "dev", "host": "www.example.net"}
    stolen = {"backendRef": {"componentRef": "thief"}, "visibility": "public", "hosts": [strange]}
    await tenant.declare("Endpoint", "thief", stolen)
    await tenant.component(
        "Service", "thief", workload={"containers": [main], "endpoints": [PUBLIC]}
    )
    ready = (await tenant.judged("Service", "thief"))["ready"]
    assert ready["status"] == "False"
    assert "host name www.example.net refused" in ready["message"]

    cors = {"cors": {"allowOrigins": ["https://example.org"]}}
    backend = {"componentRef": "shop"}
    await tenant.declare(
        "Endpoint", "shop", {"backendRef": backend, "visibility": "public", "gateway": cors}
    )
    await tenant.component(
        "Service", "shop", workload={"containers": [main], "endpoints": [PUBLIC]}
    )
    ready = (await tenant.judged("Service", "shop"))["ready"]
    assert ready["status"] == "False"
    assert "needs HTTPRouteCORS" in ready["message"]


async def test_no_request_is_lost_while_a_limit_comes_and_goes(
    tenant: Tenant, cluster: Cluster, stack: dict[str, str]
) -> None:
    workload = {"containers": [{"name": "main", "command": [*SERVE, "/srv"]}]}
    files = [{"path": "/srv/index.html", "content": "here"}]
    await tenant.component(
        "Service", "calm", workload={**workload, "files": files, "endpoints": [PUBLIC]}
    )
    status = await tenant.judged("Service", "calm")
    assert status["ready"]["status"] == "True", status["ready"]
    assert (await answer(stack, status["url"])).status_code == 200
    over = asyncio.Event()
    asked = asyncio.create_task(statuses(stack, status["url"], over))
    try:
        for limit, wanted in ({"rateLimit": {"requests": 1_000_000}}, 1), ({}, 0):
            backend = {"componentRef": "calm"}
            spec = {"backendRef": backend, "visibility": "public", "gateway": limit}
            await tenant.declare("Endpoint", "calm", spec)
            await becomes(cluster, tenant.namespace, wanted)
        # Traefik reads at most every two seconds what was changed.
        assert set(await statuses(stack, status["url"], over, most=150)) == {200}
    finally:
        over.set()
    assert set(await asked) == {200}


async def statuses(
    stack: dict[str, str], url: str, over: asyncio.Event, most: int = 1_000_000
) -> Counter[int]:
    """Asks a URL through the gateway until it is over, and counts what is answered."""
    found: Counter[int] = Counter()
    parts = urlsplit(url)
    async with httpx.AsyncClient(timeout=60) as http:
        while not over.is_set() and found.total() < most:
            asked = f"{stack['PAVANE_GATEWAY__URL']}{parts.path}"
            answered = await http.get(asked, headers={"Host": parts.hostname or ""})
            found[answered.status_code] += 1
            await asyncio.sleep(0.02)
    return found


async def becomes(cluster: Cluster, namespace: str, wanted: int) -> None:
    """Waits until the component `calm` has as many Middlewares."""
    async with asyncio.timeout(PATIENCE):
        while True:
            found = await cluster.list(MIDDLEWARES, namespace, f"{COMPONENT}=calm")
            if len(found.items) == wanted:
                return
            await asyncio.sleep(0.2)
