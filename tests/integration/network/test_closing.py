"""A connection that is removed closes when the last pod that used it is gone, and can come back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from activities.common.kinds import PODS, platform
from clients.kubernetes import Cluster
from domain import ids
from domain.deliveries import Deployment
from domain.resources import Release
from tests.integration.drift.places import Place
from tests.integration.network.test_connections import called

pytestmark = [pytest.mark.integration, pytest.mark.sampled]


async def connected(place: Place) -> Deployment:
    """Deploys ``web`` with a connection to ``api``."""
    await place.component("api")
    endpoints = [{"name": "http", "port": 9090}]
    await place.apply("Workload", "api", {"componentRef": "api", "endpoints": endpoints})
    target = {"componentRef": "web", "target": {"componentRef": "api"}}
    await place.apply("Connection", "api", target)
    return await place.deploy(interfaces="")


async def ending_pod(place: Place, plane: Cluster) -> str:
    """Makes a pod of the component that was told to end and, on a node that is away, has not."""
    live = await place.until("Deployment", "web", lambda _: True)
    template = live["spec"]["template"]
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": "web-old",
            "namespace": place.namespace,
            "labels": template["metadata"]["labels"],
        },
        "spec": {**template["spec"], "nodeName": "away"},
    }
    await plane.create(pod)
    await plane.delete(PODS, "web-old", place.namespace)
    found = await plane.get(PODS, "web-old", place.namespace)
    assert found["metadata"]["deletionTimestamp"]
    return "web-old"


async def let_go(plane: Cluster, name: str, namespace: str) -> None:
    """Ends a pod as its node does when the containers have stopped."""
    await plane.session.json(
        "DELETE",
        PODS.path(namespace, name),
        what="the pod",
        body={"apiVersion": "v1", "kind": "DeleteOptions", "gracePeriodSeconds": 0},
    )


def has_no_right(live: dict[str, Any]) -> bool:
    labels = live["spec"]["template"]["metadata"]["labels"]
    return not any(one.startswith("calls.choreo.dev/") for one in labels)


async def test_a_removed_connection_closes_after_the_last_pod_that_used_it(
    place: Place, plane: Cluster
) -> None:
    first = await connected(place)
    assert called(await place.until("NetworkPolicy", "web", lambda _: True)) == ["api"]
    pod = await ending_pod(place, plane)

    await plane.delete(platform("Connection"), "api", place.name)
    deploying = asyncio.create_task(place.deploy(interfaces="none"))
    await place.until("Deployment", "web", has_no_right)
    watched = place.temporal.get_workflow_handle(ids.deploy_id(place.name, "web", "dev"))
    async with asyncio.timeout(30):
        while not await _waits_for_pods(watched):  # noqa: ASYNC110 - told by nobody
            await asyncio.sleep(0.05)
    assert called(await place.until("NetworkPolicy", "web", lambda _: True)) == ["api"]
    assert not deploying.done()

    await let_go(plane, pod, place.namespace)
    second = await deploying
    assert called(await place.until("NetworkPolicy", "web", lambda _: True)) == []

    assert second.release != first.release
    await place.deploy(rollback=first.release, artifact=first.artifact)
    assert called(await place.until("NetworkPolicy", "web", lambda _: True)) == ["api"]
    kept = await plane.get(platform(Release.kind), second.release, place.name)
    (stored,) = (
        one
        for one in kept["spec"]["objects"]
        if one["kind"] == "NetworkPolicy" and one["metadata"]["name"] == "web"
    )
    assert called(stored) == []


async def _waits_for_pods(handle: Any) -> bool:
    """Tells whether the plane is asked to close what is still open."""
    described = await handle.describe()
    pending = described.raw_description.pending_activities
    return any(one.activity_type.name == "close_ways" for one in pending)
