from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policies.teardown.holds import TEARDOWN, UNDEPLOY, wants_hold
from domain.policies.teardown.parts import kinds_needed, parts_of, users_of
from domain.policies.teardown.plans import deletion_plan, words
from domain.policies.teardown.sweeps import sweeps_of
from domain.resources import KINDS, Organization, Resource, parse
from domain.resources.classes import DEFAULT_SERVICE_CLASS

pytestmark = pytest.mark.unit
GONE = "2026-01-01T00:00:00Z"


def one(kind: str, name: str, spec: dict[str, Any] | None = None, **rest: Any) -> Resource:
    status = rest.pop("status", None)
    where = {} if kind == "Organization" else {"namespace": "acme"}
    metadata = {"name": name, "uid": f"{kind}-{name}", **where, **rest}
    content = {"apiVersion": "choreo.dev/v1alpha1", "kind": kind, "metadata": metadata}
    return parse(content | {"spec": spec or {}} | ({"status": status} if status else {}))


def component(name: str, project: str = "shop", **rest: Any) -> Resource:
    return one("Component", name, {"componentOwner": {"projectRef": project}}, **rest)


def calls(caller: str, called: str) -> Resource:
    target = {"componentRef": called, "endpoint": "http"}
    return one("Connection", f"{caller}-{called}", {"componentRef": caller, "target": target})


def a_binding(name: str, environment: str, **rest: Any) -> Resource:
    spec = {"componentRef": name, "environmentRef": environment}
    return one("ServiceBinding", f"{name}-{environment}", spec, **rest)


def a_release(name: str, environment: str) -> Resource:
    spec = {
        "componentRef": "web",
        "environmentRef": environment,
        "namespace": "n",
        "hash": "a" * 64,
    }
    return one("Release", name, spec)


PLATFORM = (
    one("Organization", "acme"),
    one("DataPlane", "east"),
    one("DataPlane", "west"),
    one("Environment", "dev", {"dataPlaneRef": "east"}),
    one("Environment", "prod", {"dataPlaneRef": "west"}),
    one("DeploymentPipeline", "default", {"promotionPaths": [{"sourceEnvironmentRef": "dev"}]}),
    one("Project", "shop", {"deploymentPipelineRef": "default"}),
    one("ServiceClass", DEFAULT_SERVICE_CLASS),
)
WEB = (
    component("web"),
    one("Workload", "web", {"componentRef": "web", "containers": [{"name": "main"}]}),
)


def find(kind: str, name: str, resources: tuple[Resource, ...]) -> Resource:
    return next(each for each in resources if (each.kind, each.name) == (kind, name))


def named(resources: tuple[Resource, ...]) -> list[str]:
    return [f"{each.kind}/{each.name}" for each in resources]


def test_a_component_goes_with_all_that_is_its_own_and_its_bindings_first() -> None:
    there = (*PLATFORM, *WEB, a_binding("web", "prod"), a_binding("other", "prod"))

    first, then = parts_of(there[8], there)

    assert named(first) == ["ServiceBinding/web-prod"]
    assert named(then) == ["Workload/web"]


def test_who_calls_a_component_keeps_it() -> None:
    there = (*PLATFORM, *WEB, component("shop-front"), calls("shop-front", "web"))

    assert users_of(there[8], there) == ("Connection shop-front-web (spec.target.componentRef)",)


def test_components_that_call_each_other_and_both_go_do_not_wait_for_each_other() -> None:
    there = (
        *PLATFORM,
        component("web", deletionTimestamp=GONE, finalizers=[TEARDOWN]),
        component("api", deletionTimestamp=GONE, finalizers=[TEARDOWN]),
        calls("web", "api"),
        calls("api", "web"),
    )

    assert users_of(there[8], there) == ()
    assert users_of(there[9], there) == ()


def test_a_build_that_runs_is_waited_for() -> None:
    runs = one("Build", "web-1", {"componentRef": "web"}, status={"phase": "Running"})
    over = one("Build", "web-2", {"componentRef": "web"}, status={"phase": "Failed"})

    assert [each[:12] for each in users_of(WEB[0], (*PLATFORM, *WEB, runs, over))] == [
        "Build web-1,"
    ]


def test_a_plane_is_kept_to_the_end_by_the_environments_on_it() -> None:
    goes = one("Environment", "dev", {"dataPlaneRef": "east"}, deletionTimestamp=GONE)
    there = (one("Organization", "acme", deletionTimestamp=GONE), one("DataPlane", "east"), goes)

    assert users_of(there[1], there) == ("Environment dev (spec.dataPlaneRef)",)


def test_a_pipeline_goes_once_its_project_has_another_one() -> None:
    old = find("DeploymentPipeline", "default", PLATFORM)
    moved = one("Project", "shop", {"deploymentPipelineRef": "fast"})
    without = tuple(each for each in PLATFORM if each.kind != "Project")

    assert users_of(old, PLATFORM) == ("Project shop (spec.deploymentPipelineRef)",)
    assert users_of(old, (*without, moved)) == ()


def test_who_may_do_what_in_a_project_does_not_keep_it() -> None:
    access = {"access": [{"group": "a", "role": "developer", "project": "shop"}]}
    project = find("Project", "shop", PLATFORM)

    assert users_of(project, (one("Organization", "acme", access), project)) == ()


def test_an_organization_goes_from_what_runs_to_what_it_runs_on() -> None:
    there = (*PLATFORM, *WEB, a_binding("web", "dev"))

    first, then, planes = parts_of(there[0], there)

    assert {each.kind for each in first} == {"Project", "Component", "ServiceBinding"}
    assert {each.kind for each in planes} == {"DataPlane"}
    assert len(first) + len(then) + len(planes) == len(there) - 1


def test_a_plan_tells_everything_that_goes_what_it_waits_for_and_what_stays() -> None:
    there = (
        *PLATFORM,
        *WEB,
        a_binding("web", "dev"),
        component("portal", "front"),
        calls("portal", "web"),
    )

    plan = deletion_plan(find("Project", "shop", there), there)

    assert named(plan.removes) == [
        "ServiceBinding/web-dev",
        "Workload/web",
        "Component/web",
        "Project/shop",
    ]
    assert plan.waits_for == (
        "Component web is used by Connection portal-web (spec.target.componentRef)",
    )
    assert any("OpenBao" in each for each in plan.keeps)


def test_a_place_is_swept_where_its_environment_lies() -> None:
    there = (*PLATFORM, *WEB)
    by_kind = {
        kind: [(each.plane, each.namespaces, each.component) for each in sweeps_of(target, there)]
        for kind, target in (
            ("component", WEB[0]),
            ("project", find("Project", "shop", there)),
            ("environment", find("Environment", "prod", there)),
        )
    }

    assert by_kind == {
        "component": [
            ("east", ("acme-shop-dev",), "web"),
            ("west", ("acme-shop-prod",), "web"),
        ],
        "project": [("east", ("acme-shop-dev",), ""), ("west", ("acme-shop-prod",), "")],
        "environment": [("west", ("acme-shop-prod",), "")],
    }


def test_what_two_planes_have_in_common_stays_until_the_last_goes() -> None:
    twin = one("DataPlane", "twin", {"taskQueue": "plane.east"})
    east = find("DataPlane", "east", PLATFORM)

    assert [each.admission for each in sweeps_of(east, PLATFORM)] == [True]
    assert [each.admission for each in sweeps_of(east, (*PLATFORM, twin))] == [False]


def test_what_a_held_resource_names_is_held_too() -> None:
    web = WEB[0]
    idle, runs = a_binding("web", "dev"), a_binding("web", "prod", finalizers=[UNDEPLOY])

    assert wants_hold(web, [idle], None) is False
    assert wants_hold(web, [idle, runs], None) is True
    assert wants_hold(component("web", finalizers=[TEARDOWN]), [runs], None) is False
    assert wants_hold(component("web", deletionTimestamp=GONE), [runs], None) is False


def test_what_the_set_up_made_something_for_is_held() -> None:
    organization = one("Organization", "acme", status={"setup": "abc"})
    assert isinstance(organization, Organization)
    project = find("Project", "shop", PLATFORM)

    assert wants_hold(organization, [], organization) is True
    assert wants_hold(project, [], organization) is True
    assert wants_hold(WEB[0], [], organization) is False
    assert wants_hold(project, [], None) is False


@given(st.permutations([*PLATFORM, *WEB, a_binding("web", "dev"), calls("web", "api")]))
def test_a_plan_does_not_depend_on_the_order_in_which_things_are_read(
    there: list[Resource],
) -> None:
    organization = find("Organization", "acme", tuple(there))

    plan = deletion_plan(organization, there)

    assert len(plan.removes) == len(set(named(plan.removes))) == len(there)
    assert plan.removes[-1] == organization
    assert plan.waits_for == ()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_whatever_is_part_of_a_kind_is_among_what_is_read_for_it(kind: str) -> None:
    needed = set(kinds_needed(kind))

    assert needed <= set(KINDS)
    assert "Component" in needed


@pytest.mark.parametrize(
    ("resource", "told"),
    [
        (a_binding("web", "dev"), "its objects are taken down in dev"),
        (find("Environment", "dev", PLATFORM), "its namespaces on the plane are removed"),
        (find("Project", "shop", PLATFORM), "its namespaces on the planes are removed"),
        (
            find("Organization", "acme", PLATFORM),
            "its namespace, rights and admission are removed, on planes as well",
        ),
        (
            a_release("web-1", "dev"),
            "record of web",
        ),
        (find("DataPlane", "east", PLATFORM), ""),
    ],
)
def test_a_plan_says_what_becomes_of_each_kind(resource: Resource, told: str) -> None:
    assert words(resource) == told


def test_what_was_deployed_to_an_environment_goes_with_it() -> None:
    release = a_release("web-1", "dev")
    other = a_release("web-2", "prod")

    waves = parts_of(find("Environment", "dev", PLATFORM), (*PLATFORM, *WEB, release, other))

    assert [each.name for wave in waves for each in wave] == ["web-1"]
