from __future__ import annotations

from typing import Any

import pytest

from domain.rendering.release import render_release
from domain.rendering.waves import extended, waves
from tests.unit.rendering.samples import facts

pytestmark = pytest.mark.unit


def kinds(objects: list[dict[str, Any]]) -> list[list[str]]:
    return [[obj["kind"] for obj in wave] for wave in waves(objects)]


def of(*names: str) -> list[dict[str, Any]]:
    return [{"kind": name} for name in names]


def test_policies_come_before_pods_and_routes_after_them() -> None:
    names = "Namespace NetworkPolicy NetworkPolicy ServiceAccount Service Deployment HTTPRoute"
    assert kinds(of(*names.split())) == [
        ["Namespace"],
        ["NetworkPolicy", "NetworkPolicy"],
        ["ServiceAccount", "Service"],
        ["Deployment"],
        ["HTTPRoute"],
    ]


def named(*names: str) -> list[dict[str, Any]]:
    made = [one.split("/") for one in names]
    return [{"kind": kind, "metadata": {"name": name}} for kind, name in made]


def test_a_route_that_is_there_waits_for_what_it_newly_names_and_for_nothing_else() -> None:
    route, limited = named("HTTPRoute/web"), named("Middleware/a", "HTTPRoute/web")
    assert extended(route, limited)
    assert not extended(limited, route)
    assert not extended(limited, limited)
    assert not extended([], limited)
    assert extended(limited, named("Middleware/b", "HTTPRoute/web"))


def test_unknown_kinds_are_applied_one_by_one_where_they_stand() -> None:
    assert kinds(of("Deployment", "Queue", "Queue", "HTTPRoute")) == [
        ["Deployment"],
        ["Queue"],
        ["Queue"],
        ["HTTPRoute"],
    ]


def test_waves_of_a_release_are_its_objects_in_their_order() -> None:
    rendered = list(render_release(facts()).objects)

    assert [obj for wave in waves(rendered) for obj in wave] == rendered
