"""What is done to the platform while its workers are killed: a new flow needs one more class.

A scenario says what exists before, what is asked for, and what must hold at the end; the points at
which workers die are found in its recorded history.
"""

from __future__ import annotations

from tests.durability.build_scenarios import BUILDS
from tests.durability.configuration_scenarios import CONFIGURATIONS
from tests.durability.freeze_scenarios import FREEZES
from tests.durability.health_scenarios import HEALTH
from tests.durability.network_scenarios import NETWORK
from tests.durability.place import BETTER, CRASHING, GOOD, SHORT, SILENT, Place
from tests.durability.promotion_scenarios import PROMOTIONS
from tests.durability.rotation_scenarios import ROTATIONS
from tests.durability.scenario import Scenario, phases, runs
from tests.durability.state import State
from tests.durability.tenant_scenarios import TENANTS
from tests.durability.waiting_scenarios import WAITING


class FirstDeployment(Scenario):
    name = "deploy first"

    async def act(self, place: Place) -> None:
        await place.deploy(GOOD)

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert phases(state, "Deployment") == ["Succeeded"]
        assert len(state["plane ReplicaSet"]) == 1


class SecondVersion(Scenario):
    name = "deploy next"
    answers_throughout = True

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        await place.deploy(BETTER)

    def facts(self, state: State) -> None:
        assert runs(state) == ["b"]
        assert phases(state, "Deployment") == ["Succeeded", "Succeeded"]
        assert len(state["plane ReplicaSet"]) == 2


class Crash(Scenario):
    name = "deploy crashing"
    answers_throughout = True

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        await place.deploy(CRASHING)

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert phases(state, "Deployment") == ["Failed", "Succeeded"]


class NeverReady(Scenario):
    name = "deploy silent"

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        await place.rollouts_may_take(SHORT)
        await place.deploy(SILENT)

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert phases(state, "Deployment") == ["Failed", "Succeeded"]


class Undeploy(Scenario):
    name = "undeploy"

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        await place.undeploy()

    def facts(self, state: State) -> None:
        assert runs(state) == []
        assert state["plane Deployment"] == []


class Queue(Scenario):
    name = "deploy queued"
    is_undone_by_cancel = False

    async def act(self, place: Place) -> None:
        await place.deploy(GOOD)
        await place.deploy(BETTER)

    def facts(self, state: State) -> None:
        assert runs(state) == ["b"]
        assert phases(state, "Deployment") == ["Succeeded", "Succeeded"]


class ClassUpgrade(Scenario):
    name = "class upgrade"
    answers_throughout = True
    is_undone_by_cancel = False

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        await place.upgrade_class()

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert phases(state, "Deployment") == ["Succeeded", "Succeeded"]


class TaskRun(Scenario):
    name = "task run"

    async def before(self, place: Place) -> None:
        await place.deploy_task()

    async def act(self, place: Place) -> None:
        await place.run_task()

    def facts(self, state: State) -> None:
        assert {one["status"] for one in state["operation"]} == {"COMPLETED"}
        assert phases(state, "Deployment") == ["Succeeded"]


class SentTwice(SecondVersion):
    """Two equal signals at once, one of which may start the run."""

    name = "deploy sent twice"
    is_undone_by_cancel = False
    times = 2
    only = ("workflow start", "signal requested", "activity prepare_release", "workflow end")


class Enqueued(SecondVersion):
    """By update with start, as the API asks; sent twice it has one place."""

    name = "deploy enqueued"
    is_undone_by_cancel = False
    times = 2
    only = ("update", "workflow start", "workflow end")

    async def act(self, place: Place) -> None:
        assert await place.enqueue(BETTER) == 0


class Withdrawn(Scenario):
    """What waited and was taken back is never deployed."""

    name = "deploy withdrawn"
    is_undone_by_cancel = False
    only = ("update",)

    async def act(self, place: Place) -> None:
        await place.enqueue(GOOD)
        await place.enqueue(BETTER)
        assert await place.withdraw(BETTER)

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert phases(state, "Deployment") == ["Succeeded"]


class ChangedBinding(SecondVersion):
    """Somebody changes the binding; who asks for the deployment dies."""

    name = "intake deploy"
    answers_throughout = False
    by_intake = True

    async def before(self, place: Place) -> None:
        await place.set_up()
        await place.bind(GOOD)

    async def act(self, place: Place) -> None:
        await place.bind(BETTER)


DEPLOYS: tuple[Scenario, ...] = (
    FirstDeployment(),
    SecondVersion(),
    Crash(),
    NeverReady(),
    Undeploy(),
    Queue(),
    ClassUpgrade(),
    TaskRun(),
    SentTwice(),
    Enqueued(),
    Withdrawn(),
    ChangedBinding(),
)

SCENARIOS = (
    *DEPLOYS,
    *PROMOTIONS,
    *FREEZES,
    *CONFIGURATIONS,
    *WAITING,
    *BUILDS,
    *TENANTS,
    *HEALTH,
    *NETWORK,
    *ROTATIONS,
)
