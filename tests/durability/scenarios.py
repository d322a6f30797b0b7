"""What is done to the platform while its workers are killed: a new flow needs one more class.

A scenario says what exists before, what is asked for, and what must hold at the end; the points at
which workers die are found in its recorded history.
"""

from __future__ import annotations

from tests.durability.place import BETTER, CRASHING, GOOD, SHORT, SILENT, SLOW, Place
from tests.durability.state import State


class Scenario:
    """Base: what exists, what is asked for, what must hold."""

    name: str
    answers_throughout = False
    """True when what runs before must answer every request until what comes next does."""
    is_undone_by_cancel = True
    """False when a part of it is finished and stays, whatever is cancelled later."""

    async def before(self, place: Place) -> None:
        """Brings about what exists before; nobody is killed yet."""

    async def act(self, place: Place) -> None:
        """Asks for what the scenario is about."""
        raise NotImplementedError

    def facts(self, state: State) -> None:
        """Asserts what must hold at the end of an undisturbed run, so that it shows something."""
        raise NotImplementedError


def runs(state: State) -> list[str]:
    """The first letter of the version of each pod that is ready."""
    return [pod["version"][:1] for pod in state["plane Pod"] if pod["ready"]]


def phases(state: State, kind: str) -> list[str]:
    return sorted(one["status"]["phase"] for one in state[kind])


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


class Promotion(Scenario):
    name = "promote"

    async def before(self, place: Place) -> None:
        await place.add_staging()
        await place.deploy(GOOD)

    async def act(self, place: Place) -> None:
        await place.promote()

    def facts(self, state: State) -> None:
        assert runs(state) == ["a", "a"]
        assert phases(state, "Deployment") == ["Succeeded", "Succeeded"]


class Rollback(Scenario):
    name = "roll back"
    answers_throughout = True

    async def before(self, place: Place) -> None:
        await place.deploy(GOOD)
        await place.ended()
        await place.deploy(BETTER)

    async def act(self, place: Place) -> None:
        await place.roll_back()

    def facts(self, state: State) -> None:
        assert runs(state) == ["a"]
        assert phases(state, "Deployment") == ["Succeeded", "Succeeded", "Succeeded"]


class Build(Scenario):
    name = "build"

    async def act(self, place: Place) -> None:
        commit = await place.commit("Begin")
        await place.push()
        await place.build(commit)

    def facts(self, state: State) -> None:
        assert phases(state, "Build") == ["Succeeded"]
        assert len(state["DeployableArtifact"]) == len(state["ServiceBinding"]) == 1
        assert [one["phase"] for one in state["plane Workflow"]] == ["Succeeded"]


class RequestedBuild(Scenario):
    name = "build requested"

    async def act(self, place: Place) -> None:
        commit = await place.commit("Begin")
        await place.push()
        await place.request_build(commit)

    def facts(self, state: State) -> None:
        assert phases(state, "Build") == ["Succeeded"]
        assert [one["status"] for one in state["operation"]] == ["COMPLETED", "COMPLETED"]


class FailingTest(Scenario):
    name = "build failing"

    async def act(self, place: Place) -> None:
        commit = await place.commit("Break", broken="yes")
        await place.push()
        await place.build(commit)

    def facts(self, state: State) -> None:
        assert phases(state, "Build") == ["Failed"]
        assert state["DeployableArtifact"] == []


class Superseded(Scenario):
    name = "build superseded"

    async def act(self, place: Place) -> None:
        older = await place.commit("Begin", Dockerfile=SLOW)
        newer = await place.commit("Go on")
        await place.push()
        await place.build(older)
        await place.argo_is(older, "Running")
        await place.build(newer)

    def facts(self, state: State) -> None:
        assert phases(state, "Build") == ["Succeeded", "Superseded"]
        assert len(state["DeployableArtifact"]) == 1


class FaultOfThePlane(Scenario):
    """The repository cannot be read at first."""

    name = "build retried"

    async def act(self, place: Place) -> None:
        commit = await place.commit("Begin")
        await place.build(commit)
        await place.argo_is(commit, "Failed", "Error")
        await place.push()

    def facts(self, state: State) -> None:
        assert phases(state, "Build") == ["Succeeded"]
        assert len(state["DeployableArtifact"]) == 1


DEPLOYS: tuple[Scenario, ...] = (
    FirstDeployment(),
    SecondVersion(),
    Crash(),
    NeverReady(),
    Undeploy(),
    Queue(),
    Promotion(),
    Rollback(),
)

BUILDS: tuple[Scenario, ...] = (
    Build(),
    RequestedBuild(),
    FailingTest(),
    Superseded(),
    FaultOfThePlane(),
)
SCENARIOS = (*DEPLOYS, *BUILDS)
