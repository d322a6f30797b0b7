"""Releases of configuration whose workers are killed."""

from __future__ import annotations

from typing import Any

from domain.deliveries import ConfigurationRequest
from tests.durability.declared import COMPONENT
from tests.durability.place import GOOD, PROJECT, Place
from tests.durability.scenario import Scenario, phases, runs
from tests.durability.state import State
from workflows.configurations.starting import signal_configuration

GROUP = "settings"


def says(value: str) -> dict[str, Any]:
    values = [{"environmentGroupRef": "non-production", "value": value}]
    return {"configurations": [{"key": "level", "values": values}]}


class Configuration(Scenario):
    name = "configuration"
    answers_throughout = True
    is_undone_by_cancel = False

    async def before(self, place: Place) -> None:
        await place.apply("ConfigurationGroup", GROUP, says("1"))
        owner = {"componentOwner": {"projectRef": PROJECT}, "autoDeploy": False}
        await place.apply("Component", COMPONENT, {**owner, "configurationGroupRefs": [GROUP]})
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        await place.apply("ConfigurationGroup", GROUP, says("2"))
        asked = ConfigurationRequest(organization=place.name, group=GROUP)
        for _ in range(self.times):
            place.remember(await signal_configuration(place.client, asked))

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert phases(state, "Deployment") == ["Succeeded", "Succeeded"]
        assert len(state["plane ReplicaSet"]) == 2


CONFIGURATIONS: tuple[Scenario, ...] = (Configuration(),)
