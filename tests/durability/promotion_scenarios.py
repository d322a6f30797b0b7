"""Promotions and rollbacks whose workers are killed."""

from __future__ import annotations

from domain.deliveries.promotions import PromotionRequest
from domain.deliveries.rollbacks import RollbackRequest
from domain.deliveries.sets import SetMember, SetRequest
from tests.durability.declared import COMPONENT
from tests.durability.place import BETTER, ENVIRONMENT, GOOD, Place
from tests.durability.scenario import Scenario, phases, runs
from tests.durability.state import State
from workflows.promotions.starting import signal_promotion, start_rollback
from workflows.sets.starting import start_set

STAGING = "staging"


class Promotion(Scenario):
    name = "promote"

    async def before(self, place: Place) -> None:
        await place.apply("Environment", STAGING, {"dataPlaneRef": "local"})
        target = {"name": STAGING, "watchSeconds": 2}
        path = {"sourceEnvironmentRef": ENVIRONMENT, "targetEnvironmentRefs": [target]}
        await place.apply("DeploymentPipeline", "default", {"promotionPaths": [path]})
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        asked = PromotionRequest(
            organization=place.name, component=COMPONENT, environment=STAGING, request_id="promote"
        )
        place.remember(await signal_promotion(place.client, asked))

    def facts(self, state: State) -> None:
        assert runs(state) == ["a", "a"]
        assert phases(state, "Deployment") == ["Succeeded", "Succeeded"]


class Set(Promotion):
    """One member is what there is a place for; the order of several is shown without one."""

    name = "promote a set"

    async def act(self, place: Place) -> None:
        asked = SetRequest(
            organization=place.name,
            name="shop",
            environment=STAGING,
            request_id="set",
            members=(SetMember(component=COMPONENT),),
        )
        place.remember(await start_set(place.client, asked))


class Rollback(Scenario):
    name = "roll back"
    answers_throughout = True

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)
        await place.ended()
        await place.deploy(BETTER)

    async def act(self, place: Place) -> None:
        asked = RollbackRequest(
            organization=place.name, component=COMPONENT, environment=ENVIRONMENT, request_id="back"
        )
        place.remember(await start_rollback(place.client, asked))

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert phases(state, "Deployment") == ["Succeeded", "Succeeded", "Succeeded"]


PROMOTIONS: tuple[Scenario, ...] = (Promotion(), Set(), Rollback())
