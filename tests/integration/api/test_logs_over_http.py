from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import httpx
import pytest
from temporalio import activity
from temporalio.client import Client

from activities.looks.log_copies import LogCopyActivities
from activities.looks.places_of_logs import LogPlanActivities
from api.services import Services
from clients.kubernetes import Cluster
from clients.objects import LogArchive
from domain.deliveries import BuildFollow, BuildOutcome
from tests.integration.api.conftest import resource
from tests.workflows.conftest import World, workers

COMMIT = "0f1e2d3c" * 5


@pytest.fixture
async def looking(temporal: Client, cluster: Cluster, services: Services) -> AsyncIterator[World]:
    """Workers that find the pods of a component as the platform does."""
    world = World()
    drop = LogCopyActivities(services.objects()).drop_log_copy
    world.more = (LogPlanActivities(cluster).prepare_log, drop)
    async with workers(temporal, world):
        yield world


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


async def test_a_component_that_is_deployed_nowhere_has_no_log(
    acme: str, sign_in: Callable[[str], httpx.AsyncClient], looking: World
) -> None:
    path = f"/v1/components/{acme}/web/logs?environment=development"
    async with sign_in("dev") as dev, sign_in("stranger") as stranger:
        missing, followed = await dev.get(path), await dev.get(f"{path}&follow=true")
        refused = await stranger.get(path)

    assert (missing.status_code, followed.status_code) == (404, 404)
    assert "not deployed in development" in missing.json()["detail"]
    assert refused.status_code == 404


async def test_the_log_of_a_component_that_was_deleted_is_asked_for_by_its_project(
    acme: str, sign_in: Callable[[str], httpx.AsyncClient], looking: World
) -> None:
    path = f"/v1/components/{acme}/gone/logs?environment=development&since=2h"
    async with sign_in("dev") as dev, sign_in("stranger") as stranger:
        unknown, known = await dev.get(path), await dev.get(f"{path}&project=shop")
        refused = await stranger.get(f"{path}&project=shop")
        crafted = await dev.get(f"{path}&project=shop/other")

    assert (unknown.status_code, crafted.status_code) == (404, 422)
    assert "`--project NAME`" in unknown.json()["detail"]
    # Where it was is looked for: here nobody declared that environment.
    assert "the log of gone needs Environment development" in known.json()["detail"]
    assert refused.json()["detail"] == f"there is no organization {acme}"
    assert "deployed" not in refused.json()["detail"]
