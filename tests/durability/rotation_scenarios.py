"""Secrets that are turned over while workers are killed, with somebody who logs in all the time."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any, ClassVar

from domain.deliveries.rotations import RotationRequest
from tests.durability.declared import COMPONENT
from tests.durability.place import GOOD, PROJECT, Place
from tests.durability.scenario import Scenario, runs
from tests.durability.state import State
from tests.durability.vaults import APP_ROLE, PATH, Vault, logging_in
from workflows.secrets.starting import start_rotation

ROTATION = "word"


class ValueRotation(Scenario):
    name = "rotation"
    answers_throughout = True
    field: ClassVar[str] = "value"
    engine: ClassVar[dict[str, Any]] = {"engine": "KV"}

    async def before(self, place: Place) -> None:
        await Vault(place).set_up(self.field, "the-first-one")
        values = [{"environmentGroupRef": "non-production", "vaultKey": f"{PATH}/{self.field}"}]
        key = {"key": "word", "values": values}
        await place.apply("ConfigurationGroup", "secrets", {"configurations": [key]})
        owner = {"componentOwner": {"projectRef": PROJECT}, "autoDeploy": False}
        await place.apply("Component", COMPONENT, {**owner, "configurationGroupRefs": ["secrets"]})
        times = {"graceSeconds": 0, "destroyAfterSeconds": 1}
        await place.apply("SecretRotation", ROTATION, {**self.engine, "vaultPath": PATH, **times})
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        asked = RotationRequest(organization=place.name, rotation=ROTATION)
        for _ in range(self.times):
            place.remember(await start_rotation(place.client, asked))

    def observers(
        self, place: Place, failures: list[str]
    ) -> list[AbstractAsyncContextManager[None]]:
        return [*super().observers(place, failures), logging_in(place, self.field, failures)]

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert [one["readable"] for one in state["secret"]] == [[False, True]]
        assert [one["status"]["version"] for one in state["SecretRotation"]] == [2]


class SecretIdRotation(ValueRotation):
    name = "rotation secret id"
    field = "secret_id"
    engine: ClassVar[dict[str, Any]] = {"engine": "AppRole", "appRole": APP_ROLE}


ROTATIONS: tuple[Scenario, ...] = (ValueRotation(), SecretIdRotation())
