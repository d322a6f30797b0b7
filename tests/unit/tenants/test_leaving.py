from __future__ import annotations

from typing import Any

from domain.policies.tenants.leaving import leavings, remaining_on
from domain.resources import DataPlane, Environment, Project, ServiceBinding, parse_as


def made(model: Any, name: str, spec: dict[str, Any], **status: Any) -> Any:
    metadata = {"name": name, "namespace": "acme"}
    return parse_as(model, {"metadata": metadata, "spec": spec, "status": status})


PROJECTS = [made(Project, "shop", {"deploymentPipelineRef": "standard"})]
EAST, WEST = made(DataPlane, "east", {}), made(DataPlane, "west", {})
DEV = made(Environment, "dev", {"dataPlaneRef": "east"})
PROD = made(Environment, "prod", {"dataPlaneRef": "west"})


def binding(environment: str, plane: str) -> Any:
    spec = {"componentRef": "web", "environmentRef": environment}
    return made(ServiceBinding, f"web-{environment}", spec, planeRef=plane)


def left(*planes: DataPlane, remaining: frozenset[tuple[str, str]] = frozenset()) -> Any:
    found = leavings(planes, PROJECTS, [DEV, PROD], remaining)
    return {one.plane: one.namespaces for one in found}


def test_each_plane_is_left_by_the_environments_of_others() -> None:
    assert left(EAST, WEST) == {"east": ("acme-shop-prod",), "west": ("acme-shop-dev",)}


def test_a_plane_on_which_something_still_runs_is_not_left() -> None:
    remaining = remaining_on([DEV, PROD], [binding("prod", "east"), binding("dev", "east")])

    assert remaining == {("prod", "east")}
    assert left(EAST, WEST, remaining=remaining) == {"west": ("acme-shop-dev",)}


def test_what_nobody_knows_to_run_anywhere_remains_nowhere() -> None:
    assert remaining_on([DEV], [binding("dev", ""), binding("gone", "east")]) == frozenset()


def test_planes_of_one_worker_are_one_cluster() -> None:
    alias = made(DataPlane, "west", {"taskQueue": "plane.east"})

    assert left(EAST, alias) == {}


def test_an_environment_without_its_plane_leaves_nothing() -> None:
    assert left(EAST) == {}
