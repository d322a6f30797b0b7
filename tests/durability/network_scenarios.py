"""A way that is closed when the last old pod is gone, or opened again by a restore."""

from __future__ import annotations

from activities.common.kinds import platform
from tests.durability.declared import COMPONENT
from tests.durability.place import BETTER, CRASHING, GOOD, Place
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


NETWORK = (ClosedWay(), RestoredWay())
