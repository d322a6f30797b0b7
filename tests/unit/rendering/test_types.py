"""What web applications, scheduled tasks and APIs become, and what classes add to all of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidRequest
from domain.rendering import render_release
from domain.rendering.labels import label_key, label_value
from tests.unit.rendering.samples import IMAGE, facts, main_container, of_type, one, rendered

pytestmark = pytest.mark.unit

CRON = {"schedule": {"cron": "*/5 * * * *"}}
SERVER = {"staticServer": {"image": "registry/www:1", "command": ["serve"], "port": 8080}}


def task(**changes: Any) -> dict[str, Any]:
    release = render_release(of_type("ScheduledTask", **({"instance": CRON} | changes)))
    return one(release, "CronJob")


def test_a_task_becomes_a_cron_job_and_answers_nobody() -> None:
    release = render_release(of_type("ScheduledTask", instance=CRON))
    assert [each["kind"] for each in release.objects] == [
        "Namespace",
        "NetworkPolicy",
        "NetworkPolicy",
        "ServiceAccount",
        "CronJob",
    ]
    assert (release.image, release.url, release.replicas) == (IMAGE, "", 0)


def test_a_task_is_hardened_and_bounded_by_default() -> None:
    spec = task()["spec"]
    job = spec["jobTemplate"]["spec"]
    pod = job["template"]["spec"]
    assert (spec["timeZone"], spec["concurrencyPolicy"]) == ("Etc/UTC", "Forbid")
    assert (spec["suspend"], spec["startingDeadlineSeconds"]) == (False, 300)
    assert (job["backoffLimit"], job["activeDeadlineSeconds"]) == (1, 3600)
    assert (pod["restartPolicy"], pod["automountServiceAccountToken"]) == ("Never", False)
    assert pod["securityContext"]["runAsNonRoot"] is True
    container = pod["containers"][0]
    assert container["resources"]["limits"]["memory"] == "256Mi"
    assert not {"ports", "readinessProbe", "startupProbe", "lifecycle"} & set(container)


def test_the_timetable_of_a_binding_goes_before_that_of_task_and_class_field_by_field() -> None:
    spec = task(
        component_class={"schedule": {"cron": "@daily", "timeZone": "Europe/Berlin"}},
        instance={"schedule": {"cron": "@hourly", "concurrencyPolicy": "Allow"}},
        binding={"workload": {"schedule": {"concurrencyPolicy": "Replace"}}},
    )["spec"]
    assert (spec["schedule"], spec["timeZone"]) == ("@hourly", "Europe/Berlin")
    assert spec["concurrencyPolicy"] == "Replace"


@pytest.mark.parametrize(
    "changes",
    [
        {"binding": {"state": "Suspend"}},
        {"binding": {"workload": {"schedule": {"suspended": True}}}},
        {"instance": {"schedule": {"cron": "@daily", "suspended": True}}},
    ],
)
def test_a_suspended_task_keeps_its_timetable_without_runs(changes: dict[str, Any]) -> None:
    assert task(**changes)["spec"]["suspend"] is True


def test_a_binding_can_let_a_suspended_task_run() -> None:
    spec = task(
        instance={"schedule": {"cron": "@daily", "suspended": True}},
        binding={"workload": {"schedule": {"suspended": False}}},
    )["spec"]
    assert spec["suspend"] is False


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"instance": {}}, "nobody says when web runs: set spec.schedule.cron of ScheduledTask"),
        ({"name": "a" * 53}, "52 characters at most"),
        (
            {"component_class": {"taskTemplate": {"selector": {}}}},
            "ScheduledTaskClass standard: spec.taskTemplate.selector cannot be set by a class",
        ),
    ],
)
def test_a_task_that_cannot_be_is_told(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        render_release(of_type("ScheduledTask", **({"instance": CRON} | changes)))
    assert message in refused.value.message


def test_an_undeployed_task_has_no_objects() -> None:
    assert render_release(of_type("ScheduledTask", binding={"state": "Undeploy"})).objects == ()


def test_a_web_application_with_a_server_is_like_a_service() -> None:
    web = render_release(of_type("WebApplication"))
    assert [each["kind"] for each in web.objects] == [each["kind"] for each in rendered().objects]
    assert web.url == "http://web.shop.acme.dev.localhost/"


def test_a_static_application_is_served_by_the_server_of_its_class() -> None:
    release = render_release(
        of_type(
            "WebApplication",
            component_class=SERVER,
            instance={"mode": "Static", "staticRoot": "/site"},
            workload={"endpoints": []},
        )
    )
    pod = one(release, "Deployment")["spec"]["template"]["spec"]
    (copy,) = pod["initContainers"]
    (server,) = pod["containers"]
    assert (copy["image"], copy["command"]) == (IMAGE, ["cp", "-R", "/site/.", "/srv/www"])
    assert (server["image"], server["command"]) == ("registry/www:1", ["serve"])
    assert server["ports"] == [{"containerPort": 8080, "name": "http", "protocol": "TCP"}]
    assert copy["securityContext"]["allowPrivilegeEscalation"] is False
    assert (release.image, bool(release.url)) == (IMAGE, True)


def test_a_class_without_a_server_takes_no_static_applications() -> None:
    with pytest.raises(InvalidRequest, match=r"spec\.staticServer\.image is empty"):
        render_release(of_type("WebApplication", instance={"mode": "Static"}))


def test_the_version_of_an_api_stands_in_its_paths_and_the_component_does_not_see_it() -> None:
    release = render_release(
        of_type(
            "API",
            instance={"version": "v2"},
            component_class={"requestTimeoutSeconds": 30},
            workload={
                "endpoints": [
                    {"name": "http", "port": 80, "visibility": "public", "basePath": "/orders"}
                ]
            },
        )
    )
    (rule,) = one(release, "HTTPRoute")["spec"]["rules"]
    assert rule["matches"] == [{"path": {"type": "PathPrefix", "value": "/v2/orders"}}]
    assert rule["timeouts"] == {"request": "30s"}
    (rewrite,) = rule["filters"]
    assert rewrite["urlRewrite"]["path"]["replacePrefixMatch"] == "/orders"
    assert release.url == "http://web.shop.acme.dev.localhost/v2/orders"


def test_what_is_scaled_by_load_has_no_replicas_of_its_own() -> None:
    release = rendered(service_class={"autoscaling": {"minReplicas": 2, "maxReplicas": 5}})
    calm = {"minReplicas": 2, "maxReplicas": 5, "scaleDownStabilizationSeconds": 60}
    slower = rendered(service_class={"autoscaling": calm})
    assert "replicas" not in one(release, "Deployment")["spec"]
    scaler = one(release, "HorizontalPodAutoscaler")["spec"]
    assert (scaler["minReplicas"], scaler["maxReplicas"]) == (2, 5)
    assert scaler["scaleTargetRef"]["name"] == "web"
    assert "behavior" not in scaler
    waits = one(slower, "HorizontalPodAutoscaler")["spec"]["behavior"]
    assert waits == {"scaleDown": {"stabilizationWindowSeconds": 60}}
    assert "PodDisruptionBudget" in [each["kind"] for each in release.objects]


def test_a_binding_can_scale_otherwise_or_not_at_all() -> None:
    scaled = {"autoscaling": {"minReplicas": 2, "maxReplicas": 5}}
    other = rendered(service_class=scaled, overrides={"autoscaling": {"maxReplicas": 3}})
    assert one(other, "HorizontalPodAutoscaler")["spec"]["maxReplicas"] == 3
    fixed = rendered(
        service_class=scaled, overrides={"autoscaling": {"maxReplicas": 0}, "replicas": 4}
    )
    assert one(fixed, "Deployment")["spec"]["replicas"] == 4
    assert "HorizontalPodAutoscaler" not in [each["kind"] for each in fixed.objects]


def test_a_suspended_binding_is_not_scaled() -> None:
    release = rendered(
        service_class={"autoscaling": {"maxReplicas": 5}}, binding={"state": "Suspend"}
    )
    assert one(release, "Deployment")["spec"]["replicas"] == 0


def test_scaling_stays_within_the_guard_rails() -> None:
    with pytest.raises(InvalidRequest, match=r"spec\.workload\.autoscaling\.maxReplicas 50"):
        rendered(overrides={"autoscaling": {"maxReplicas": 50}})


def test_files_lie_in_a_config_map_named_by_content_and_are_mounted() -> None:
    release = rendered(
        workload={"files": [{"path": "/etc/app/a.json", "content": "{}"}]},
        overrides={
            "files": [
                {"path": "/etc/app/a.json", "content": "{1}"},
                {"path": "/etc/b", "content": "b"},
            ]
        },
    )
    (stored,) = (each for each in release.objects if each["kind"] == "ConfigMap")
    assert sorted(stored["data"].values()) == ["b", "{1}"]
    assert stored["immutable"] is True
    pod = one(release, "Deployment")["spec"]["template"]["spec"]
    assert pod["volumes"][0]["configMap"]["name"] == stored["metadata"]["name"]
    mounts = {
        each["mountPath"]: each["subPath"] for each in main_container(release)["volumeMounts"]
    }
    assert set(mounts) == {"/etc/app/a.json", "/etc/b"}
    assert set(mounts.values()) == set(stored["data"])


def test_objects_of_a_class_get_the_name_and_the_labels_of_the_component() -> None:
    queue = {
        "apiVersion": "example.org/v1",
        "kind": "Queue",
        "metadata": {"name": "jobs"},
        "spec": {"size": "${parameters.size}"},
    }
    schema = {"properties": {"size": {"type": "integer", "default": 3}}}
    release = rendered(service_class={"objects": [queue], "parameters": schema})
    made = one(release, "Queue", "web-jobs")
    assert made["spec"] == {"size": 3}
    assert made["metadata"]["labels"]["choreo.dev/component"] == "web"
    assert made["metadata"]["namespace"] == release.namespace


@pytest.mark.parametrize("kind", ["Namespace", "ClusterRole", "Secret"])
def test_a_class_makes_nothing_that_is_not_the_components_own(kind: str) -> None:
    given_object = {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}}
    with pytest.raises(InvalidRequest, match=r"spec\.objects\[0\]: a class makes no"):
        rendered(service_class={"objects": [given_object]})


def test_how_a_class_is_watched_stands_on_the_pods() -> None:
    watched = {"observability": {"scrape": {"path": "/m"}, "logLabels": {"format": "j son"}}}
    metadata = one(rendered(service_class=watched), "Deployment")["spec"]["template"]["metadata"]
    assert metadata["annotations"] == {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": "8080",
        "prometheus.io/path": "/m",
    }
    assert metadata["labels"]["logs.choreo.dev/format"] == "j-son"


def test_a_class_may_do_without_a_disruption_budget_and_with_another_one() -> None:
    def kinds(budget: dict[str, Any]) -> dict[str, Any] | None:
        release = rendered(
            template={"replicas": 3}, service_class={"disruptionBudget": budget, **TEMPLATE}
        )
        found = [each for each in release.objects if each["kind"] == "PodDisruptionBudget"]
        return found[0]["spec"] if found else None

    assert kinds({"enabled": False}) is None
    spec = kinds({"maxUnavailable": 2})
    assert spec is not None
    assert spec["maxUnavailable"] == 2


TEMPLATE = {"deploymentTemplate": {"replicas": 3}}


def test_labels_of_a_class_never_take_the_place_of_the_platforms() -> None:
    labels = {"team": "shop & more", "choreo.dev/component": "other"}
    found = one(rendered(service_class={"labels": labels}), "Deployment")["metadata"]["labels"]
    assert found["team"] == "shop-more"
    assert found["choreo.dev/component"] == "web"


@given(st.text(max_size=120))
def test_any_text_becomes_a_label_that_kubernetes_takes(text: str) -> None:
    value = label_value(text)
    assert len(value) <= 63
    assert value == "" or (value[0].isalnum() and value[-1].isalnum())
    assert all(one.isascii() and (one.isalnum() or one in "-_.") for one in value)
    assert label_value(value) == value


@given(st.text(max_size=300))
def test_any_text_becomes_a_key_that_kubernetes_takes(text: str) -> None:
    prefix, _, name = label_key(text).rpartition("/")
    assert 1 <= len(name) <= 63
    assert len(prefix) <= 253
    assert all(
        len(part) <= 63 and part.strip("-") == part != "" for part in prefix.split(".") if prefix
    )


names = st.from_regex(r"[a-z]([-a-z0-9]{0,45}[a-z0-9])?", fullmatch=True)
types = st.sampled_from(["Service", "WebApplication", "ScheduledTask", "API"])


@given(name=names, component_type=types, state=st.sampled_from(["Active", "Suspend"]))
def test_rendering_any_type_is_deterministic_and_names_fit(
    name: str, component_type: str, state: str
) -> None:
    changes: dict[str, Any] = {"binding": {"state": state}}
    if component_type == "ScheduledTask":
        changes["instance"] = CRON
    first = render_release(of_type(component_type, name=name, **changes))
    second = render_release(of_type(component_type, name=name, **changes))
    assert json.dumps(first.objects) == json.dumps(second.objects)
    assert first.name == second.name
    assert all(len(each["metadata"]["name"]) <= 63 for each in first.objects)
    assert len(first.name) <= 63


@given(
    of_class=st.integers(1, 20), of_binding=st.none() | st.integers(0, 20), mode=st.text(max_size=5)
)
def test_a_binding_goes_before_the_class_and_the_workload(
    of_class: int, of_binding: int | None, mode: str
) -> None:
    overrides: dict[str, Any] = {"env": [{"name": "MODE", "value": mode}]}
    if of_binding is not None:
        overrides["replicas"] = of_binding
    release = rendered(
        template={"replicas": of_class},
        container={"env": [{"name": "MODE", "value": "workload"}]},
        overrides=overrides,
    )
    wanted = of_class if of_binding is None else of_binding
    assert one(release, "Deployment")["spec"]["replicas"] == wanted
    variables = {each["name"]: each.get("value") for each in main_container(release)["env"]}
    assert variables["MODE"] == mode


def test_rendering_what_was_rendered_with_is_rendering_the_same() -> None:
    made = facts(service_class={"labels": {"a": "${component.name}"}})
    assert render_release(made) == render_release(made)


QUEUE = {"apiVersion": "example.org/v1", "kind": "Queue", "metadata": {"name": "jobs"}}


@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ([QUEUE, QUEUE], r"spec\.objects\[1\]: there is a Queue web-jobs already"),
        ([{"kind": "Queue", "metadata": {}}], r"spec\.objects\[0\] needs apiVersion, kind and"),
    ],
    ids=["twice", "no name"],
)
def test_objects_of_a_class_are_named_once_each(objects: list[dict[str, Any]], why: str) -> None:
    with pytest.raises(InvalidRequest, match=why):
        rendered(service_class={"objects": objects})


def test_an_object_of_a_class_keeps_its_annotations_and_a_name_that_is_the_components() -> None:
    named = QUEUE | {"metadata": {"name": "web-jobs", "annotations": {"owner": "shop"}}}
    made = one(rendered(service_class={"objects": [named]}), "Queue", "web-jobs")
    assert made["metadata"]["annotations"] == {"owner": "shop"}
