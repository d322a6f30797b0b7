"""A Connection that leads nowhere heals by itself and reaches what runs, and goes again."""

from __future__ import annotations

from typing import Any

import pytest

from activities.common.kinds import platform
from clients.kubernetes import Cluster
from tests.integration.drift.places import Place
from tests.integration.intake.organizations import intake

pytestmark = pytest.mark.integration

LABEL = "calls.choreo.dev/api.http"


def told(deployment: dict[str, Any]) -> dict[str, str]:
    (main,) = deployment["spec"]["template"]["spec"]["containers"]
    return {one["name"]: one.get("value", "") for one in main["env"]}


def called(policy: dict[str, Any]) -> list[str]:
    """Components that the policy lets calls out to."""
    return [
        peer["podSelector"]["matchLabels"]["choreo.dev/component"]
        for rule in policy["spec"]["egress"]
        for peer in rule["to"]
        if "choreo.dev/component" in peer.get("podSelector", {}).get("matchLabels", {})
    ]


async def test_a_connection_heals_when_what_it_names_appears_and_reaches_what_runs(
    place: Place, plane: Cluster
) -> None:
    await place.deploy()
    async with intake(plane, place.temporal, place.name):
        target = {"componentRef": "web", "target": {"componentRef": "api"}}
        await place.apply("Connection", "api", target)
        waits = await place.ready("Connection", "api", lambda one: one["status"] == "False")
        assert waits["reason"] == "ReferenceMissing"
        assert "API_HOST" not in told(await place.until("Deployment", "web", lambda _: True))

        await place.component("api")
        endpoints = [{"name": "http", "port": 9090}]
        await place.apply("Workload", "api", {"componentRef": "api", "endpoints": endpoints})

        await place.ready("Connection", "api", lambda one: one["status"] == "True")
        live = await place.until("Deployment", "web", lambda one: "API_HOST" in told(one))
        assert told(live)["API_HOST"] == f"api.{place.namespace}.svc"
        assert live["spec"]["template"]["metadata"]["labels"][LABEL] == "allowed"
        assert called(await place.until("NetworkPolicy", "web", lambda _: True)) == ["api"]

        await plane.delete(platform("Connection"), "api", place.name)
        live = await place.until("Deployment", "web", lambda one: "API_HOST" not in told(one))
        assert LABEL not in live["spec"]["template"]["metadata"]["labels"]
        await place.until("NetworkPolicy", "web", lambda one: called(one) == [])
