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
_SMOKE = f"""
import urllib.request
print(urllib.request.urlopen("http://{COMPONENT}:8080", timeout=20).read().decode())
"""


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


class TestedByArgo(Promotion):
    """The tests call the component they test; one Argo Workflow ran, whoever was killed."""

    name = "promote tested by argo"
    only = ("run_gate_tests",)

    async def before(self, place: Place) -> None:
        await super().before(place)
        gate = {"name": "smoke", "check": "Tests", "template": "smoke"}
        path = {"sourceEnvironmentRef": ENVIRONMENT,
                "targetEnvironmentRefs": [{"name": STAGING, "gates": [gate]}]}  # fmt: skip
        await place.apply("DeploymentPipeline", "default", {"promotionPaths": [path]})
        await place.ended()  # the namespace of the source is there
        tests = {"name": "smoke", "container": await place.runtime("-c", _SMOKE)}
        await place.cluster.apply({
            "apiVersion": "argoproj.io/v1alpha1",
            "kind": "WorkflowTemplate",
            "metadata": {"name": "smoke", "namespace": place.namespace},
            "spec": {"entrypoint": "smoke", "templates": [tests]},
        })  # fmt: skip

    def facts(self, state: State) -> None:
        super().facts(state)
        gates = [gate for one in state["operation"] for gate in one["result"].get("gates", ())]
        assert [one["evidence"] for one in gates if one["name"] == "smoke"] == [{"report": GOOD}]
        assert [one["action"] for one in state["fact"]].count("gate.passed") == 1
        assert [one["phase"] for one in state["plane Workflow"]] == ["Succeeded"]


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


PROMOTIONS: tuple[Scenario, ...] = (Promotion(), TestedByArgo(), Set(), Rollback())
