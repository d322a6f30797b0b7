from __future__ import annotations

import pytest

from domain.deliveries import BuildRequest, TriggerKind
from domain.resources import Environment, Metadata
from domain.resources.configuration import ConfigurationGroupStatus
from domain.resources.environment import EnvironmentStatus, HealthSchedule
from domain.resources.organization import OrganizationStatus
from intake.bindings import Deploy
from intake.configurations import ReleaseConfiguration
from intake.decisions import (
    RequestBuild,
    StartBuild,
    TellLane,
    decide,
)
from intake.near import obstacles
from intake.planes import CheckPlane
from intake.rotations import KeepSweeps
from intake.tenants import SetUpTenant
from intake.world import Key
from tests.unit.intake import resources as given
from tests.unit.intake.resources import COMMIT, ORG, world

pytestmark = pytest.mark.unit


def test_new_build_asks_for_its_revision_once_per_resource() -> None:
    build = given.build("try", branch="main")

    decision = decide(build, world(build))

    assert isinstance(decision, RequestBuild)
    assert decision.key == "try-1"
    request = decision.request
    assert (request.organization, request.component) == (ORG, "web")
    assert (request.revision, request.build) == ("main", "try")
    assert request.trigger.kind is TriggerKind.RESOURCE


def test_build_without_a_revision_means_the_branch_of_its_component() -> None:
    build = given.build("try")

    decision = decide(build, world(build))

    assert isinstance(decision, RequestBuild)
    assert decision.request.revision == ""


def test_build_the_platform_wrote_down_is_not_asked_for_again() -> None:
    build = given.build(f"web-{COMMIT[:12]}", commit=COMMIT)

    decision = decide(build, world(build))

    assert isinstance(decision, StartBuild)
    assert isinstance(decision.request, BuildRequest)
    assert decision.request.commit == COMMIT


def test_build_of_a_commit_that_a_person_named_goes_through_the_request() -> None:
    build = given.build("try", commit=COMMIT)

    decision = decide(build, world(build))

    assert isinstance(decision, RequestBuild)
    assert (decision.request.revision, decision.request.build) == (COMMIT, "try")


def test_build_that_was_looked_at_asks_for_nothing() -> None:
    build = given.build("try", status=given.told("False", "Failed", message="no"))

    assert decide(build, world(build)) is None


@pytest.mark.parametrize("missing", ["Component", "Organization", "BuildPlane"])
def test_build_waits_for_what_it_needs(missing: str) -> None:
    build = given.build("try")

    assert decide(build, world(build, without=missing)) is None


def test_build_that_waited_is_asked_for_when_everything_is_there() -> None:
    build = given.build("try", status=given.held_up())

    assert isinstance(decide(build, world(build)), RequestBuild)


def test_changed_binding_asks_for_a_deployment_of_that_generation() -> None:
    binding = given.binding(generation=3, status=given.told("True", "Deployed", 2))

    decision = decide(binding, world(binding))

    assert isinstance(decision, Deploy)
    request = decision.request
    assert request.request_id == "binding-uid-Serv-3"
    assert (request.component, request.environment, request.binding) == ("web", "dev", "web-dev")
    assert request.trigger.is_automatic


def test_binding_that_was_looked_at_asks_for_nothing() -> None:
    for status in (
        given.told("True", "Deployed", 3),
        given.told("False", "RolloutFailed", 3, "crashed"),
    ):
        binding = given.binding(generation=3, status=status)
        assert decide(binding, world(binding)) is None


@pytest.mark.parametrize(
    "missing",
    ["Component", "Environment", "DataPlane", "ServiceClass", "DeployableArtifact", "Workload",
     "Project"],
)  # fmt: skip
def test_binding_waits_for_everything_it_leads_to(missing: str) -> None:
    for status in (None, given.held_up()):
        binding = given.binding(status=status)
        assert decide(binding, world(binding, without=missing)) is None


def test_binding_that_waited_is_asked_for_again_under_another_id() -> None:
    binding = given.binding(status=given.held_up())

    decision = decide(binding, world(binding))

    assert isinstance(decision, Deploy)
    assert decision.request.request_id.startswith("binding-uid-Serv-1-")
    assert decide(binding, world(binding)) == decision


def test_binding_that_still_waits_in_a_changed_world_asks_under_a_new_id() -> None:
    binding = given.binding(status=given.held_up())
    before = world(binding)
    after = world(binding)
    after.put(given.resource("Environment", "dev", {"dataPlaneRef": "local"}, generation=2))

    assert decide(binding, before) != decide(binding, after)


def test_binding_that_is_being_deleted_asks_for_removal_whatever_is_missing() -> None:
    binding = given.resource(
        "ServiceBinding",
        "web-dev",
        {"environmentRef": "dev", "componentRef": "web"},
        generation=2,
        status=given.told("True", "Deployed", 1),
        deletionTimestamp="2026-01-01T00:00:00Z",
    )

    assert isinstance(decide(binding, world(binding, without="Component")), Deploy)


def test_removal_that_was_held_up_is_asked_for_again_when_the_world_changed() -> None:
    binding = given.resource(
        "ServiceBinding",
        "web-dev",
        {"environmentRef": "dev", "componentRef": "web"},
        generation=2,
        status=given.held_up(2),
        deletionTimestamp="2026-01-01T00:00:00Z",
    )

    without = decide(binding, world(binding, without="DataPlane"))
    complete = decide(binding, world(binding))

    assert isinstance(without, Deploy)
    assert isinstance(complete, Deploy)
    assert without.request.request_id != complete.request.request_id


def test_binding_without_a_component_asks_for_nothing() -> None:
    binding = given.binding(componentRef="")

    assert decide(binding, world(binding)) is None


def test_new_component_is_built_once_for_its_build_specification() -> None:
    component = given.component()

    first = decide(component, world())
    again = decide(given.component(autoDeploy=False), world())
    other = given.component(buildSpecInComponent={"repository": "https://git.example.com/b.git"})

    assert isinstance(first, RequestBuild)
    assert first.request.revision == "main"
    assert first.request.trigger.kind is TriggerKind.AUTOMATIC
    assert first.key.startswith("web-")
    assert isinstance(again, RequestBuild)
    assert again.key == first.key
    decided = decide(other, world())
    assert isinstance(decided, RequestBuild)
    assert decided.key != first.key


def test_component_that_has_a_build_is_not_built_by_itself() -> None:
    assert decide(given.component(built="web-1"), world()) is None
    assert decide(given.component(), world(given.build("try"))) is None


def test_component_that_is_not_to_be_built_is_not() -> None:
    assert decide(given.component(autoBuild=False), world()) is None
    assert decide(given.component(buildSpecInComponent=None), world()) is None


@pytest.mark.parametrize("missing", ["Project", "ServiceClass", "BuildPlane", "Organization"])
def test_component_waits_for_what_its_build_needs(missing: str) -> None:
    assert decide(given.component(), world(without=missing)) is None


def test_organization_that_names_an_absent_build_plane_waits_for_that_one() -> None:
    made = world()
    made.put(given.resource("Organization", ORG, {"builds": {"buildPlaneRef": "absent"}}))

    assert decide(given.component(), made) is None


def test_other_kinds_ask_for_nothing() -> None:
    made = world()

    asking = {"BuildPlane", "Component", "DataPlane", "Environment", "Organization"}
    others = [one for one in given.everything() if one.kind not in asking]
    assert others
    assert [one for one in others if decide(one, made) is not None] == []


def test_what_is_told_of_an_environment_asks_for_no_other_looks_and_what_is_wanted_does() -> None:
    environment = given.environment()
    assert isinstance(environment, Environment)
    told = EnvironmentStatus(observed_generation=1)
    seen = environment.model_copy(update={"status": told})
    spec = environment.spec.model_copy(update={"health": HealthSchedule()})
    wanted = environment.model_copy(update={"spec": spec})

    assert isinstance(decide(environment, world()), KeepSweeps)
    assert decide(environment, world()) == decide(seen, world())
    assert decide(environment, world()) != decide(wanted, world())


def test_a_plane_is_looked_after_by_the_worker_of_its_queue() -> None:
    made = world()
    (plane,) = [one for one in given.everything() if one.kind == "DataPlane"]

    decision = decide(plane, made)

    assert isinstance(decision, CheckPlane)
    assert (decision.request.plane, decision.request.plane_kind) == (plane.name, "DataPlane")
    assert decision.request.task_queue == f"plane.{plane.name}"


def test_organization_is_set_up_once_for_what_it_has_and_tells_its_builds_how_many_may_run() -> (
    None
):
    made = world()
    organization = given.organization()

    decision = decide(organization, made)

    assert isinstance(decision, SetUpTenant)
    assert (decision.request.organization, decision.concurrency) == (ORG, 4)
    done = OrganizationStatus(setup=decision.request.wanted)
    assert decide(organization.model_copy(update={"status": done}), made) == TellLane(ORG, 4)


def test_a_new_environment_sets_its_organization_up_again() -> None:
    made = world()
    organization = given.organization()
    before = decide(organization, made)

    looked_at = made.put(
        given.environment().model_copy(update={"metadata": Metadata(name="new", namespace=ORG)})
    )

    assert Key("Organization", "", ORG) in looked_at
    assert decide(organization, made) != before


def test_a_group_releases_each_content_once() -> None:
    spec = {"configurations": [{"key": "a"}]}
    group = given.resource("ConfigurationGroup", "db", spec)

    decision = decide(group, world(group))

    assert isinstance(decision, ReleaseConfiguration)
    assert (decision.request.organization, decision.request.group) == (ORG, "db")
    status = ConfigurationGroupStatus(revision=decision.revision)
    released = group.model_copy(update={"status": status})
    assert decide(released, world(released)) is None


def test_a_binding_waits_for_groups_that_project_and_organization_name() -> None:
    project = given.resource(
        "Project",
        "shop",
        {"deploymentPipelineRef": "standard-pipeline", "configurationGroupRefs": ["db"]},
    )
    binding = given.binding()
    told = obstacles(binding, world(binding, project))
    assert told == ("waiting until ConfigurationGroup db, which the project names, is created",)
    group = given.resource("ConfigurationGroup", "db", {})
    assert obstacles(binding, world(binding, project, group)) == ()


def test_what_runs_follows_its_environment_to_another_plane_once() -> None:
    ran = {**given.told("True", "Deployed"), "releaseRef": "web-1", "planeRef": "old"}
    binding = given.binding(status=ran)

    decision = decide(binding, world(binding))

    assert isinstance(decision, Deploy)
    assert decision.request.trigger.reference == "Environment dev lies on DataPlane local"
    assert decide(binding, world(binding)) == decision
    there = given.binding(status={**ran, "planeRef": "local"})
    assert decide(there, world(there)) is None
    assert decide(binding, world(binding, without="DataPlane")) is None
