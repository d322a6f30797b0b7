"""Ways that close when the last old pod is gone or open again, and ways that pods try."""

from __future__ import annotations

from typing import Any

from activities.common.kinds import platform
from domain import ids
from domain.rendering import labels as names
from tests.durability.declared import COMPONENT
from tests.durability.place import (
    BETTER,
    CRASHING,
    ENVIRONMENT,
    GOOD,
    PROJECT,
    Place,
    runtime_image,
)
from tests.durability.scenario import Scenario, phases, runs
from tests.durability.state import State


class ClosedWay(Scenario):
    name = "close a way"
    answers_throughout = True
    only = ("apply_release", "close_ways")
    wanted, ways, ends = BETTER, 0, ["Succeeded", "Succeeded"]

    async def before(self, place: Place) -> None:
        target = {"cidr": "192.0.2.0/24", "port": 5432}
        await place.apply("Connection", "far", {"componentRef": COMPONENT, "target": target})
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        await place.cluster.delete(platform("Connection"), "far", place.name)
        await place.deploy(self.wanted, interfaces="none")

    def facts(self, state: State) -> None:
        assert runs(state) == ["a" if self.ways else "b"]
        assert phases(state, "Deployment") == self.ends
        assert str(state["plane NetworkPolicy"]).count("192.0.2.0/24") == self.ways


class RestoredWay(ClosedWay):
    name = "restore a way"
    only = ("apply_release", "follow_rollout")
    wanted, ways, ends = CRASHING, 1, ["Failed", "Succeeded"]


class ProbedWays(Scenario):
    name = "probe ways"
    only = ("probe_ways",)
    hole, ends, version = False, ["Succeeded", "Succeeded"], "b"

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)
        await place.ended()  # what is asked for below is about the next one only
        image = await runtime_image(place.environment)
        await place.apply("DataPlane", "local", {"network": {"probeImage": image}})
        asks = {"dataPlaneRef": "local", "network": {"probes": "Enforce"}}
        await place.apply("Environment", ENVIRONMENT, asks)
        if self.hole:
            await place.cluster.apply(hole(place), manager="somebody")

    async def act(self, place: Place) -> None:
        target = {"cidr": "192.0.2.0/24", "port": 5432}
        await place.apply("Connection", "far", {"componentRef": COMPONENT, "target": target})
        await place.deploy(BETTER, interfaces="any")

    def facts(self, state: State) -> None:
        assert runs(state) == [self.version]
        assert phases(state, "Deployment") == self.ends
        assert "probe-web" not in str(state["plane NetworkPolicy"])


class RevertedByProbes(ProbedWays):
    name = "revert by probes"
    hole, ends, version = True, ["Failed", "Succeeded"], "a"


def hole(place: Place) -> dict[str, Any]:
    """A policy by which strangers reach the component, as somebody else would add it."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {
            "name": "hole",
            "namespace": ids.namespace(place.name, PROJECT, ENVIRONMENT),
        },
        "spec": {
            "podSelector": {"matchLabels": {names.COMPONENT: COMPONENT}},
            "policyTypes": ["Ingress"],
            "ingress": [{}],
        },
    }


NETWORK = (ClosedWay(), RestoredWay(), ProbedWays(), RevertedByProbes())
