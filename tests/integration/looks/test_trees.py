from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Any

import pytest

from activities.common.kinds import SERVICES, platform
from api.looks import trees
from clients.kubernetes import SharedWatches
from domain.resources import Component, parse_as
from tests.integration.drift.places import Place

pytestmark = [pytest.mark.integration, pytest.mark.sampled]
_PATIENCE = 90


@asynccontextmanager
async def following(place: Place) -> AsyncIterator[Callable[[Callable[[Any], bool]], Any]]:
    """Gives what waits for the first tree of ``web`` in ``dev`` of which something holds."""
    found = await place.cluster.get(platform("Component"), "web", place.name)
    where = trees.Place(place.name, parse_as(Component, found), "dev")
    watches = SharedWatches(place.cluster)
    try:
        async with aclosing(trees.follow(place.temporal, watches, where)) as events:

            async def told(holds: Callable[[Any], bool]) -> Any:
                async with asyncio.timeout(_PATIENCE):
                    async for event in events:
                        assert event.event == "tree", event.data
                        tree = json.loads(str(event.data))
                        if holds(tree):
                            return tree
                raise AssertionError("the stream ended")

            yield told
    finally:
        await watches.close()


def _ids(tree: Any) -> dict[str, str]:
    return {one["id"]: one["health"] for one in tree["nodes"]}


async def test_a_tree_tells_what_runs_and_what_becomes_of_it(place: Place) -> None:
    async with following(place) as told:
        nothing = await told(lambda _: True)
        done = await place.deploy()
        well = await told(lambda tree: tree["health"] == "Healthy" and tree["nodes"])

        await place.cluster.delete(SERVICES, "web", place.namespace)
        missing = await told(lambda tree: tree["health"] == "Missing")
        image = f"registry.example.com/web@sha256:{'b' * 64}"
        containers = [{"name": "main", "image": image}]
        await place.apply("Workload", "web", {"componentRef": "web", "containers": containers})
        again = await place.deploy()
        later = await told(lambda tree: tree["release"] == again.release)

    assert (nothing["release"], nothing["message"]) == ("", "nothing is deployed there")
    assert (well["release"], well["plane"]) == (done.release, "local")
    assert {"Deployment/web", "Service/web", f"Namespace/{place.namespace}"} <= set(_ids(well))
    assert _ids(missing)["Service/web"] == "Missing"
    assert missing["message"] == "Service web is not on the plane"
    assert "Service/web" not in _ids(later)
