from __future__ import annotations

from typing import Any

import pytest

from domain.deliveries import ConfigurationPlan
from domain.policies.configuration.plan import planned
from domain.rendering.facts import GatewayDefaults
from domain.rendering.offline import Shelf, assemble
from domain.rendering.release import render_release
from domain.resources import parse
from domain.resources.base import Resource
from domain.resources.configuration import ConfigurationGroup, configuration_revision

pytestmark = pytest.mark.unit

GATEWAY = GatewayDefaults()
IMAGE = f"registry:5000/acme/shop/web@sha256:{'a' * 64}"


def made(kind: str, name: str, spec: dict[str, Any], status: dict[str, Any] | None = None) -> Any:
    metadata = {"name": name, "namespace": "" if kind == "Organization" else "acme"}
    content = {"apiVersion": "choreo.dev/v1alpha1", "kind": kind, "metadata": metadata}
    return parse({**content, "spec": spec, "status": status or {}})


def group(name: str = "db", **values: str) -> ConfigurationGroup:
    keys = [
        {
            "key": key,
            "values": [
                {"environmentGroupRef": where, "value": value}
                for where in ("production", "non-production")
            ],
        }
        for key, value in values.items()
    ]
    found: ConfigurationGroup = made("ConfigurationGroup", name, {"configurations": keys})
    return found


class Organization:
    """Components in two environments, each deployed with the groups as they were."""

    def __init__(self, *groups: ConfigurationGroup, **target: Any) -> None:
        self.then = groups
        self.resources: list[Resource] = [
            made("Organization", "acme", {}),
            made("Project", "shop", {"deploymentPipelineRef": "line"}),
            made("DataPlane", "local", {}),
            made("ServiceClass", "standard-service", {}),
            made("Environment", "dev", {"dataPlaneRef": "local"}),
            made("Environment", "prod", {"dataPlaneRef": "local", "isProduction": True}),
            made(
                "DeploymentPipeline",
                "line",
                {
                    "promotionPaths": [
                        {
                            "sourceEnvironmentRef": "dev",
                            "targetEnvironmentRefs": [{"name": "prod", **target}],
                        }
                    ]
                },
            ),
            *(configuration_revision(one) for one in groups),
        ]

    def component(self, name: str, *refs: str, **overrides: Any) -> None:
        owner = {"componentOwner": {"projectRef": "shop"}, "configurationGroupRefs": list(refs)}
        self.resources += [
            made("Component", name, owner),
            made("Workload", name, {"componentRef": name}),
            made("DeployableArtifact", f"{name}-1", {"componentRef": name, "image": IMAGE}),
        ]
        for place in ("dev", "prod"):
            spec = {
                "componentRef": name,
                "environmentRef": place,
                "artifactRef": f"{name}-1",
                **overrides,
            }
            bound = made("ServiceBinding", f"{name}-{place}", spec)
            shelf = Shelf([*self.resources, *self.then, bound])
            runs = render_release(assemble(shelf, name, place, gateway=GATEWAY))
            given = [
                {"groupRef": one.name, "revisionRef": one.revision}
                for one in self.then
                if one.name in refs
            ]
            status = {"releaseRef": runs.name, "configuration": given}
            self.resources.append(made("ServiceBinding", f"{name}-{place}", spec, status))

    def plan(self, changed: ConfigurationGroup) -> ConfigurationPlan:
        others = [one for one in self.then if one.name != changed.name]
        return planned(Shelf([*self.resources, *others, changed]), changed, GATEWAY)


def touched(plan: ConfigurationPlan) -> list[list[str]]:
    return [[one.binding for one in wave] for wave in plan.waves]


def test_only_those_whose_values_differ_are_touched_production_last() -> None:
    acme = Organization(group(a="1", b="1"), group("other", b="over"))
    acme.component("web", "db")
    acme.component("api", "db", "other")
    acme.component("job", "other")
    acme.component("pinned", "db", configurations=[{"key": "a", "value": "mine"}])

    assert touched(acme.plan(group(a="2", b="1"))) == [
        ["api-dev", "web-dev"],
        ["api-prod", "web-prod"],
    ]
    covered = acme.plan(group(a="1", b="2"))
    # What another group lays over it makes no difference to whoever uses that one too.
    assert touched(covered) == [["pinned-dev", "web-dev"], ["pinned-prod", "web-prod"]]
    assert covered.untouched == 2
    assert covered.waves[0][1].keys == ("b",)


def test_nobody_is_touched_by_what_changes_no_value() -> None:
    acme = Organization(group(a="1"))
    acme.component("web", "db")
    assert touched(acme.plan(group(a="1"))) == []


def test_what_goes_to_a_gated_place_is_known_by_the_hash_of_its_objects() -> None:
    acme = Organization(group(a="1"), approval={"quorum": 2})
    acme.component("web", "db")
    changed = group(a="2")
    first, second = acme.plan(changed).waves

    assert (first[0].gated, first[0].rules) == (False, ())
    assert second[0].gated
    assert [one.quorum for one in second[0].rules] == [2]
    shelf = Shelf([*acme.resources, changed])
    facts = assemble(shelf, "web", "prod", gateway=GATEWAY, present_groups={"db"})
    assert second[0].hash == render_release(facts).hash


def test_people_decide_where_a_gate_cannot_be_judged_without_a_promotion() -> None:
    acme = Organization(group(a="1"), gates=[{"name": "look", "check": "Manual"}])
    acme.component("web", "db")
    assert len(acme.plan(group(a="2")).waves[1][0].rules) == 1


def test_nothing_else_comes_to_a_gated_place_along_with_configuration() -> None:
    acme = Organization(group(a="1"))
    acme.component("web", "db")
    acme.resources.append(made("Workload", "web", {"componentRef": "web", "files": [
        {"path": "/etc/app/new", "content": "not promoted"}
    ]}))  # fmt: skip

    plan = acme.plan(group(a="2"))

    assert touched(plan) == [["web-dev"]]
    assert plan.left == (
        "web in prod: more than configuration differs from what runs there: promote it",
    )


def test_what_cannot_be_used_is_a_problem_by_component_place_and_key() -> None:
    acme = Organization(group(a="1"))
    acme.component("web", "db")
    plan = acme.plan(group(a="${gone}"))
    assert plan.waves == ()
    assert [one.partition(":")[0] for one in plan.problems] == ["web in dev", "web in prod"]
    assert "${gone}" in plan.problems[0]


def test_a_group_that_was_named_after_the_deployment_is_touched_by_its_release() -> None:
    acme = Organization()
    acme.component("web")
    spec = {"componentOwner": {"projectRef": "shop"}, "configurationGroupRefs": ["db"]}
    acme.resources.append(made("Component", "web", spec))
    plan = acme.plan(group(a="1"))
    assert touched(plan) == [["web-dev"], ["web-prod"]]
