"""What the chart renders: hardened pods, an account each, no more rights than the roles need."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from settings import Settings
from tests.chart.rendering import CHART, SETTINGS, helm, render

pytestmark = [pytest.mark.chart, pytest.mark.timeout(1200)]
WITH_EVERYTHING = (
    *(f"secrets.{name}=s" for name in ("approvalsSigning", "approvalsVerifying", "auditKeys")),
    *(f"secrets.openbao{one}=s" for one in ("", "Tenants", "Plane", "Planes", "Api")),
    *("secrets.webhooks=s", "api.autoscaling.enabled=true"),
    *("objects.volume.persistentVolumeClaim.claimName=o", "serviceMonitor.enabled=true"),
    *("alerts.enabled=true", "alerts.labels.release=monitoring", "dashboards.enabled=true"),
)
Objects = list[dict[str, Any]]


@pytest.fixture(scope="module")
def objects() -> Objects:
    return render(*WITH_EVERYTHING)


def of(objects: Objects, kind: str) -> dict[str, dict[str, Any]]:
    return {one["metadata"]["name"]: one for one in objects if one["kind"] == kind}


def pods(objects: Objects) -> list[dict[str, Any]]:
    templated = [*of(objects, "Deployment").values(), *of(objects, "Job").values()]
    inside = [one["spec"]["template"]["spec"] for one in templated]
    return [*inside, *(one["spec"] for one in of(objects, "Pod").values())]


def test_lint_has_nothing_to_say_against_the_chart() -> None:
    given = [f"--set={one}" for one in SETTINGS]
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART), *given)


def test_values_that_do_not_fit_are_refused_before_anything_is_installed() -> None:
    said = helm("template", "pavane", str(CHART), check=False)
    assert "temporal" in said
    assert "address" in said


def test_every_pod_runs_as_nobody_and_may_write_nothing_but_its_volumes(objects: Objects) -> None:
    assert len(pods(objects)) == 8
    for pod in pods(objects):
        assert pod["securityContext"]["runAsNonRoot"]
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }


def test_each_deployment_has_an_account_of_its_own(objects: Objects) -> None:
    accounts = [
        one["spec"]["template"]["spec"]["serviceAccountName"]
        for one in of(objects, "Deployment").values()
    ]
    assert sorted(accounts) == sorted(of(objects, "ServiceAccount"))
    assert len(set(accounts)) == 6


def test_nobody_may_do_everything_list_secrets_or_widen_rights(objects: Objects) -> None:
    roles = [*of(objects, "ClusterRole").values(), *of(objects, "Role").values()]
    assert roles
    for role in roles:
        for rule in role["rules"]:
            if "secrets" in rule["resources"]:
                # Delivered to components by name; nobody looks through those of others.
                assert role["metadata"]["name"] == "pavane-system:pavane-worker-plane"
                assert not {"list", "watch"} & set(rule["verbs"])
            assert "*" not in [*rule["apiGroups"], *rule["verbs"]]
            assert rule["resources"] != ["*"] or rule["apiGroups"] == ["choreo.dev"]
            assert not {"escalate", "bind", "impersonate"} & set(rule["verbs"])


def test_roles_that_need_no_cluster_have_no_right_in_it(objects: Objects) -> None:
    bound = {
        subject["name"]
        for one in of(objects, "ClusterRoleBinding").values()
        for subject in one["subjects"]
    }
    assert bound == {
        "pavane-api",
        "pavane-worker-control",
        "pavane-worker-plane",
        "pavane-worker-planes",
    }


def test_each_secret_is_seen_by_those_alone_who_need_it(objects: Objects) -> None:
    seen = {
        name: {volume["name"] for volume in one["spec"]["template"]["spec"]["volumes"]}
        - {"settings", "tmp", "objects"}
        for name, one in of(objects, "Deployment").items()
    }
    assert seen == {
        "pavane-api": {"approvals", "audit-keys", "openbao", "webhooks"},
        "pavane-worker-control": {"approvals"},
        "pavane-worker-orchestration": set(),
        "pavane-worker-plane": {"openbao-plane"},
        "pavane-worker-planes": {"openbao-plane", "openbao-planes"},
        "pavane-worker-secrets": {"openbao", "openbao-tenants"},
    }


def test_every_variable_is_a_setting_and_roles_are_read_as_they_were_given(
    objects: Objects, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, one in of(objects, "Deployment").items():
        (container,) = one["spec"]["template"]["spec"]["containers"]
        with monkeypatch.context() as patched:
            for variable in container["env"]:
                if variable["name"].startswith("PAVANE_") and variable["name"] != "PAVANE_CONFIG":
                    patched.setenv(variable["name"], variable["value"])
            settings = Settings()
        if name == "pavane-worker-control":
            assert set(settings.worker.roles) == {"intake", "control"}
            assert settings.worker.graceful_shutdown.total_seconds() == 20


def test_definitions_stay_when_the_release_goes() -> None:
    text = helm(
        *("template", "pavane", str(CHART), *(f"--set={one}" for one in SETTINGS)),
        "--show-only=templates/crds.yaml",
    )
    definitions = len(list((CHART / "files/crds").glob("*.yaml")))
    assert definitions
    assert text.count("\nkind: CustomResourceDefinition") == definitions
    assert text.count("helm.sh/resource-policy: keep") == definitions


def test_alerts_and_dashboard_are_the_files_that_the_stack_is_watched_with(
    objects: Objects,
) -> None:
    rules = of(objects, "PrometheusRule")["pavane-alerts"]
    assert rules["metadata"]["labels"]["release"] == "monitoring"
    assert rules["spec"] == yaml.safe_load((CHART / "monitoring/alerts.yaml").read_text())
    dashboard = of(objects, "ConfigMap")["pavane-dashboard"]
    assert dashboard["metadata"]["labels"]["grafana_dashboard"] == "1"
    shown = json.loads(dashboard["data"]["pavane.json"])
    assert shown == json.loads((CHART / "monitoring/dashboard.json").read_text())


def test_an_api_with_a_certificate_is_asked_by_https_alone() -> None:
    objects = render("api.tls.secret=own", "serviceMonitor.enabled=true")
    (pod,) = (one["spec"]["template"]["spec"] for one in of(objects, "Deployment").values()
              if one["metadata"]["name"] == "pavane-api")  # fmt: skip
    (container,) = pod["containers"]
    schemes = {container[f"{one}Probe"]["httpGet"]["scheme"]
               for one in ("readiness", "liveness", "startup")}  # fmt: skip
    assert schemes == {"HTTPS"}
    assert of(objects, "Service")["pavane-api"]["spec"]["ports"][0]["port"] == 443
    monitors = of(objects, "PodMonitor")
    asked = {name: one["spec"]["podMetricsEndpoints"][0].get("scheme", "http")
             for name, one in monitors.items()}  # fmt: skip
    assert asked == {"pavane-api": "https", "pavane-workers": "http"}
