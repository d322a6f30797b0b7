"""What is done with builds while workers are killed."""

from __future__ import annotations

from domain import ids
from tests.durability.declared import COMPONENT
from tests.durability.place import Place
from tests.durability.scenario import Scenario, phases, runs
from tests.durability.source import SLOW
from tests.durability.state import State


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


class BuildSentTwice(Build):
    name = "build sent twice"
    is_undone_by_cancel = False
    times = 2
    only = ("workflow start", "activity register_build", "effect 1 activity submit_build")


class NewComponent(Build):
    """A component appears: it is built and what was built is deployed, both asked by the intake."""

    name = "intake build"
    by_intake = True

    async def before(self, place: Place) -> None:
        await place.set_up()

    async def act(self, place: Place) -> None:
        commit = await place.commit("Begin")
        await place.push()
        await place.component(builds=True)
        await place.begun(ids.build_id(place.name, COMPONENT, commit))
        await place.begun(place.queue)

    def facts(self, state: State) -> None:
        super().facts(state)
        assert len(runs(state)) == 1


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


BUILDS: tuple[Scenario, ...] = (
    Build(),
    BuildSentTwice(),
    NewComponent(),
    RequestedBuild(),
    FailingTest(),
    Superseded(),
    FaultOfThePlane(),
)
