from __future__ import annotations

import asyncio

import httpx
from temporalio import activity

from api.services import Services
from clients.kubernetes import Cluster
from clients.objects import LogArchive
from domain.deliveries import BuildFollow, BuildOutcome
from tests.integration.api.conftest import resource
from tests.workflows.conftest import World

COMMIT = "0f1e2d3c" * 5


async def archive(cluster: Cluster, services: Services, organization: str) -> LogArchive:
    """A Build that says where its log is, as the platform writes it."""
    spec = {"componentRef": "web", "revision": {"commit": COMMIT}}
    build = resource("Build", "web-build", organization, spec)
    await cluster.apply(build)
    key = f"logs/builds/{organization}/web-build/run"
    await cluster.apply_status({**build, "status": {"commit": COMMIT, "log": key}})
    return await LogArchive.open(services.objects(), key)


async def test_the_log_of_a_build_is_read_while_it_grows(
    acme: str, dev: httpx.AsyncClient, cluster: Cluster, services: Services
) -> None:
    log = await archive(cluster, services, acme)
    await log.write(b"step 1\n")
    await log.flush()

    answer = await dev.get(f"/v1/builds/{acme}/web/{COMMIT[:12]}/logs")

    assert answer.status_code == 200
    assert answer.text == "step 1\n"


async def test_a_followed_log_ends_when_it_is_complete(
    acme: str, dev: httpx.AsyncClient, cluster: Cluster, services: Services, world: World
) -> None:
    written = asyncio.Event()

    async def build(_: BuildFollow) -> BuildOutcome:
        while not written.is_set():
            activity.heartbeat()
            await asyncio.sleep(0.05)
        return BuildOutcome(image="i")

    world.behaviours["follow_build"] = build
    order = {"organization": acme, "component": "web", "revision": COMMIT}
    assert (await dev.post("/v1/builds", json=order)).status_code == 202
    log = await archive(cluster, services, acme)
    await log.write(b"first\n")
    await log.flush()
    following = asyncio.create_task(dev.get(f"/v1/builds/{acme}/web/{COMMIT}/logs?follow=true"))
    await log.write(b"last\n")
    await log.finish()
    answer = await asyncio.wait_for(following, 60)
    written.set()

    assert answer.text == "first\nlast\n"


async def test_an_unknown_build_has_no_log(acme: str, dev: httpx.AsyncClient) -> None:
    plain = await dev.get(f"/v1/builds/{acme}/web/{'9' * 40}/logs")
    followed = await dev.get(f"/v1/builds/{acme}/web/{'9' * 40}/logs?follow=true")
    short = await dev.get(f"/v1/builds/{acme}/web/9/logs")

    assert (plain.status_code, followed.status_code, short.status_code) == (404, 404, 422)


async def test_a_component_without_pods_has_no_log(acme: str, dev: httpx.AsyncClient) -> None:
    answer = await dev.get(f"/v1/components/{acme}/web/logs?environment=development")

    assert answer.status_code == 404
    assert "no pods" in answer.json()["detail"]
