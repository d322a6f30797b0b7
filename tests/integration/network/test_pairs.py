"""Which pairs a release opens is judged with what really runs around it."""

from __future__ import annotations

import secrets
from typing import Any

import pytest

from activities.common.kinds import platform
from activities.common.reading import read
from activities.promotions.neighbours import NeighbourReader
from clients.kubernetes import Cluster, SharedWatches
from clients.objects import ObjectStore
from domain.deliveries import DeployRequest
from domain.resources import Release
from tests.integration.drift.places import Place
from workflows.starting import signal_deployment

pytestmark = [pytest.mark.integration, pytest.mark.sampled]


async def running(place: Place, plane: Cluster) -> tuple[dict[str, Any], ...]:
    """The objects of what runs of ``web``."""
    bound = await place.bound()
    return (await read(plane, Release, bound.status.release_ref, place.name)).spec.objects


async def deploy_api(place: Place, plane: Cluster) -> str:
    """Deploys the component that is called and returns its release."""
    await place.deployable("api")
    image = f"registry.example.com/api@sha256:{'b' * 64}"
    await place.apply(
        "Workload",
        "api",
        {
            "componentRef": "api",
            "containers": [{"name": "main", "image": image}],
            "endpoints": [{"name": "http", "port": 9090}],
        },
    )
    await place.binding("api")
    request = DeployRequest(
        organization=place.name,
        component="api",
        environment="dev",
        request_id=secrets.token_hex(4),
    )
    return (await (await signal_deployment(place.temporal, request)).result()).release


async def test_a_pair_opens_when_both_run_and_a_closed_end_keeps_it_closed(
    place: Place, plane: Cluster
) -> None:
    watches = SharedWatches(plane)
    reader = NeighbourReader(plane, ObjectStore.open("memory:///"), watches)
    where = (place.name, "web", "dev")
    try:
        release = await deploy_api(place, plane)
        await place.deploy()
        before = await running(place, plane)
        target = {"componentRef": "web", "target": {"componentRef": "api"}}
        await place.apply("Connection", "api", target)
        await place.deploy(interfaces="any")
        after = await running(place, plane)

        assert await reader.pairs(where, before, before) == ()
        async with watches.of(platform("ServiceBinding")).subscribe() as events:
            told = await reader.pairs(where, before, after)
            async for _ in events:  # the watch follows a moment later than the write
                if told:
                    break
                told = await reader.pairs(where, before, after)
        assert told == ("+ web may call api at TCP 9090",)
        assert await reader.pairs(where, after, ()) == ("- web may call api at TCP 9090",)

        await plane.delete(platform("Release"), release, place.name)
        assert await reader.pairs(where, before, after) == ()
    finally:
        await watches.close()
