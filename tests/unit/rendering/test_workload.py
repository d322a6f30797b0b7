from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidRequest
from tests.unit.rendering.samples import COMMIT, main_container, main_with, one, rendered

pytestmark = pytest.mark.unit


def deployment(**changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = one(rendered(**changes), "Deployment")["spec"]
    return spec


def pod(**changes: Any) -> dict[str, Any]:
    spec: dict[str, Any] = deployment(**changes)["template"]["spec"]
    return spec


def refusal(**changes: Any) -> str:
    with pytest.raises(InvalidRequest) as refused:
        rendered(**changes)
    return refused.value.message


def test_guard_rails_are_on_by_default() -> None:
    spec = deployment()
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert spec["progressDeadlineSeconds"] == 600
    assert spec["revisionHistoryLimit"] == 3
    assert spec["template"]["spec"]["automountServiceAccountToken"] is False
    assert spec["template"]["spec"]["topologySpreadConstraints"][0]["maxSkew"] == 1


def test_pods_satisfy_the_restricted_standard() -> None:
    security = pod()["securityContext"]
    own = main_container(rendered())["securityContext"]
    assert security == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
    assert own == {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}}


@given(commit=st.from_regex(r"[0-9a-f]{40}", fullmatch=True))
def test_selector_never_changes_with_the_version(commit: str) -> None:
    spec = deployment(artifact={"commit": commit})
    assert spec["selector"] == {"matchLabels": {"choreo.dev/component": "web"}}
    labels = spec["template"]["metadata"]["labels"]
    assert labels.items() >= spec["selector"]["matchLabels"].items()
    assert labels["app.kubernetes.io/version"] == commit[:12]


def test_class_changes_one_field_and_keeps_the_rest() -> None:
    spec = deployment(
        template={
            "strategy": {"rollingUpdate": {"maxSurge": "50%"}},
            "minReadySeconds": 3,
            "template": {
                "metadata": {"labels": {"env": "x"}, "annotations": {"note": "y"}},
                "spec": {"securityContext": {"runAsUser": 1000}, "nodeSelector": {"disk": "ssd"}},
            },
        }
    )
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": "50%", "maxUnavailable": 0}
    assert spec["minReadySeconds"] == 3
    assert spec["template"]["metadata"]["annotations"] == {"note": "y"}
    assert spec["template"]["metadata"]["labels"]["env"] == "x"
    assert spec["template"]["spec"]["securityContext"]["runAsUser"] == 1000
    assert spec["template"]["spec"]["securityContext"]["runAsNonRoot"] is True
    assert spec["template"]["spec"]["nodeSelector"] == {"disk": "ssd"}


def test_class_cannot_take_over_the_labels_that_select() -> None:
    labels = {"choreo.dev/component": "other"}
    spec = deployment(template={"template": {"metadata": {"labels": labels}}})
    assert spec["template"]["metadata"]["labels"]["choreo.dev/component"] == "web"


def test_recreate_strategy_drops_the_bounds_of_a_rolling_one() -> None:
    assert deployment(template={"strategy": {"type": "Recreate"}})["strategy"] == {
        "type": "Recreate"
    }


def test_null_in_a_class_is_the_same_as_nothing() -> None:
    nothing = {"strategy": None, "progressDeadlineSeconds": None, "template": {"spec": None}}
    assert deployment(template=nothing) == deployment()


@pytest.mark.parametrize(
    ("template", "message"),
    [
        ({"selector": {}}, ".selector cannot be set by a class"),
        ({"replicas": "two"}, ".replicas 'two' is not a number"),
        ({"progressDeadlineSeconds": 1.5}, ".progressDeadlineSeconds 1.5 is not a number"),
        ({"strategy": "Recreate"}, ".strategy is not a mapping"),
        ({"template": "x"}, ".template is not a mapping"),
        ({"template": {"spec": []}}, ".template.spec is not a mapping"),
        ({"template": {"metadata": 1}}, ".template.metadata is not a mapping"),
        ({"template": {"spec": {"containers": "main"}}}, ".template.spec.containers is not a list"),
        ({"template": {"spec": {"containers": [{}]}}}, ".template.spec.containers[0] has no name"),
        (main_with(env=["A=B"]), ".template.spec.containers[main].env[0] has no name"),
    ],
)
def test_wrong_class_is_named_with_its_field(template: dict[str, Any], message: str) -> None:
    said = refusal(template=template)
    assert said.startswith(f"ServiceClass standard-service: spec.deploymentTemplate{message}")


def test_binding_wins_over_class_for_replicas() -> None:
    assert deployment(template={"replicas": 2}, overrides={"replicas": 5})["replicas"] == 5
    assert deployment(template={"replicas": 2})["replicas"] == 2
    assert deployment()["replicas"] == 1
    rails = {"guardRails": {"minReplicas": 3}}
    assert deployment(service_class=rails)["replicas"] == 3


def test_replicas_beyond_the_guard_rails_are_refused_where_they_were_asked_for() -> None:
    rails = {"guardRails": {"minReplicas": 2, "maxReplicas": 4}}
    assert refusal(overrides={"replicas": 5}, service_class=rails) == (
        "ServiceBinding web-development: spec.workload.replicas 5 is not between the 2 and 4 "
        "that ServiceClass standard-service allows"
    )
    assert refusal(service_class=rails | {"deploymentTemplate": {"replicas": 1}}).startswith(
        "ServiceClass standard-service: spec.deploymentTemplate.replicas 1 is not between"
    )


@given(count=st.integers(0, 20))
def test_several_pods_and_only_several_have_a_disruption_budget(count: int) -> None:
    release = rendered(overrides={"replicas": count})
    budgets = [each for each in release.objects if each["kind"] == "PodDisruptionBudget"]
    assert len(budgets) == (count > 1)
    assert all(each["spec"]["maxUnavailable"] == 1 for each in budgets)


def test_workload_fills_its_container_in() -> None:
    own = main_container(
        rendered(
            container={"command": ["serve"], "args": ["--port", "8080"]},
            template=main_with(image="ignored", command=["x"], workingDir="/srv"),
        )
    )
    assert (own["command"], own["args"]) == (["serve"], ["--port", "8080"])
    assert own["image"].endswith("a" * 64)
    assert own["workingDir"] == "/srv"
    assert own["ports"] == [{"name": "http", "containerPort": 8080, "protocol": "TCP"}]


def test_containers_of_workload_and_class_stand_beside_the_own_one() -> None:
    own_first = pod(
        workload={
            "containers": [
                {"name": "helper", "image": "registry/helper:1"},
                {"name": "main", "command": ["serve"]},
            ]
        },
        template={
            "template": {
                "spec": {
                    "containers": [
                        {"name": "agent", "image": "registry/agent:1"},
                        {"name": "helper", "workingDir": "/helper"},
                    ]
                }
            }
        },
    )["containers"]
    assert [each["name"] for each in own_first] == ["main", "helper", "agent"]
    assert own_first[1]["workingDir"] == "/helper"
    assert all(each["resources"]["limits"]["memory"] for each in own_first)
    assert all(not each["securityContext"]["allowPrivilegeEscalation"] for each in own_first)
    assert "ports" not in own_first[1]


def test_class_means_the_first_container_when_none_is_named_main() -> None:
    containers = pod(
        workload={"containers": [{"name": "server"}]}, template=main_with(workingDir="/srv")
    )["containers"]
    assert [(each["name"], each["workingDir"]) for each in containers] == [("server", "/srv")]


def test_variables_of_binding_win_over_workload_over_class() -> None:
    env = main_container(
        rendered(
            template=main_with(env=[{"name": "A", "value": "class"}, {"name": "B", "value": "b"}]),
            container={"env": [{"name": "A", "value": "workload"}, {"name": "C", "value": "c"}]},
            overrides={"env": [{"name": "C", "value": "binding"}]},
        )
    )["env"]
    values = {each["name"]: each["value"] for each in env}
    assert (values["A"], values["B"], values["C"]) == ("workload", "b", "binding")
    assert values["PAVANE_COMMIT"] == COMMIT
    assert values["PAVANE_ENVIRONMENT"] == "development"


def test_platform_variables_cannot_be_set() -> None:
    env = [{"name": "PAVANE_COMMIT", "value": "mine"}]
    expected = (
        "the variable PAVANE_COMMIT of web in development cannot be set: "
        "names that begin with PAVANE_ are the platform's"
    )
    assert refusal(overrides={"env": env}) == expected
    assert refusal(template=main_with(env=env)) == expected


def test_traffic_is_drained_before_a_pod_stops() -> None:
    assert main_container(rendered())["lifecycle"] == {"preStop": {"sleep": {"seconds": 5}}}
    silent = rendered(workload={"endpoints": []})
    assert "lifecycle" not in main_container(silent)
    own = {"preStop": {"exec": {"command": ["quit"]}}}
    assert main_container(rendered(template=main_with(lifecycle=own)))["lifecycle"] == own
