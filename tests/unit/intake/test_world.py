from __future__ import annotations

import pytest

from domain.resources import Component, Environment, Organization
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
