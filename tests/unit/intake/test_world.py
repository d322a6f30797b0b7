from __future__ import annotations

from typing import Any

import pytest

from domain.resources import Component, Environment, Organization, Resource
from intake.decisions import decide
from intake.teardown import TearDown
from intake.world import Key, World
from tests.unit.intake import resources as given
from tests.unit.intake.resources import ORG, world

pytestmark = pytest.mark.unit

BINDING = Key("ServiceBinding", ORG, "web-dev")
COMPONENT = Key("Component", ORG, "web")


def test_resources_are_found_by_name_and_kind() -> None:
    made = world()

    assert made.find(Environment, ORG, "dev") == given.environment()
    assert made.find(Organization, ORG, ORG) == given.organization()
    assert made.find(Component, "other", "web") is None
    assert set(made.existing(ORG)["Environment"]) == {"dev"}


def test_new_resource_concerns_those_who_name_it() -> None:
    made = world(given.binding(), without="Environment")

    assert BINDING in made.put(given.environment())


def test_same_generation_concerns_nobody_else() -> None:
    made = world(given.binding())

    assert made.put(given.environment()) == set()


def test_any_new_resource_concerns_those_who_wait() -> None:
    made = world(given.binding(status=given.held_up()), without="DataPlane")

    concerned = made.put(given.resource("DataPlane", "local"))

    assert {BINDING, COMPONENT} <= concerned


def test_those_who_got_what_they_waited_for_are_left_in_peace() -> None:
    made = world(given.binding(status=given.held_up()), given.component(built="web-1"))
    made.put(given.binding(status=given.told("True", "Deployed")))

    assert made.put(given.resource("Workload", "other", {"componentRef": "other"})) == set()


def test_gone_resource_is_forgotten_and_concerns_those_who_name_it() -> None:
    made = world(given.binding())

    assert BINDING in made.remove(Key("Environment", ORG, "dev"))
    assert made.find(Environment, ORG, "dev") is None
    assert "dev" not in made.existing(ORG)["Environment"]
    assert made.remove(Key("Environment", ORG, "dev")) == set()


def test_reference_that_was_changed_no_longer_concerns() -> None:
    made = world(given.binding())
    made.put(given.binding(generation=2, environmentRef="prod"))

    assert BINDING not in made.remove(Key("Environment", ORG, "dev"))


def test_builds_of_a_component_are_known_while_they_exist() -> None:
    made: World = world(given.build("try"))
    component = made.find(Component, ORG, "web")
    assert component is not None

    assert made.has_build(component)
    made.remove(Key("Build", ORG, "try"))
    assert not made.has_build(component)


def held(kind: str, name: str, spec: dict[str, Any], **metadata: Any) -> Resource:
    return given.resource(kind, name, spec, finalizers=["choreo.dev/teardown"], **metadata)


def test_what_a_resource_named_before_and_names_now_may_be_let_go_or_held() -> None:
    line = {"promotionPaths": [{"sourceEnvironmentRef": "dev"}]}
    old = held("DeploymentPipeline", "old", line, deletionTimestamp="2026-01-01T00:00:00Z")
    made = world(old, given.resource("DeploymentPipeline", "new", line))
    made.put(held("Project", "shop", {"deploymentPipelineRef": "old"}, generation=2))

    moved = held("Project", "shop", {"deploymentPipelineRef": "new"}, generation=3)

    assert {Key("DeploymentPipeline", ORG, "old"), Key("DeploymentPipeline", ORG, "new")} <= (
        made.put(moved)
    )


def test_a_binding_that_begins_to_be_held_concerns_what_it_needs() -> None:
    made = world(given.binding())
    runs = given.binding().model_copy(
        update={
            "metadata": given.binding().metadata.model_copy(
                update={"finalizers": ("choreo.dev/undeploy",)}
            )
        }
    )

    assert {COMPONENT, Key("Environment", ORG, "dev")} <= made.put(runs)
    assert made.put(runs) == set()


def test_the_end_of_a_binding_concerns_a_component_that_is_being_deleted() -> None:
    going = held(
        "Component",
        "web",
        {"componentOwner": {"projectRef": "shop"}},
        deletionTimestamp="2026-01-01T00:00:00Z",
    )
    made = world(given.binding(), going)

    assert COMPONENT in made.remove(BINDING)


def test_only_a_change_of_what_a_teardown_waits_for_asks_for_it_again() -> None:
    going = held(
        "Component",
        "web",
        {"componentOwner": {"projectRef": "shop"}},
        deletionTimestamp="2026-01-01T00:00:00Z",
    )
    made = world(given.binding(), going)
    first = decide(going, made)
    made.put(given.environment())
    second = decide(going, made)
    made.remove(BINDING)

    assert isinstance(first, TearDown)
    assert first.request.kind == "Component"
    assert first == second
    assert decide(going, made) != first
    assert decide(given.component(built="x"), made) is None
