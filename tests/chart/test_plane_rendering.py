"""The chart of a remote plane: one worker with the rights of a plane, where it can work."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tests.chart.rendering import CHART, PLANE_CHART, helm, render
from tests.chart.test_rendering import of

pytestmark = [pytest.mark.chart, pytest.mark.timeout(600)]
SETTINGS = (
    "temporal.address=temporal.example.test:7233",
    "image.repository=registry.example.test/pavane",
    "settings.objects.url=s3://releases",
    "plane.name=eu-west",
)
HAS = ("argoproj.io/v1alpha1/Workflow", "gateway.networking.k8s.io/v1/HTTPRoute")


def rendered(*settings: str, has: tuple[str, ...] = HAS) -> list[dict[str, Any]]:
    kinds = [f"--api-versions={one}" for one in has]
    return render(*settings, *SETTINGS, chart=PLANE_CHART, more=kinds)


def refused(*settings: str, has: tuple[str, ...] = HAS, namespace: str = "pavane-system") -> str:
    given = [f"--set={one}" for one in (*SETTINGS, *settings)]
    kinds = [f"--api-versions={one}" for one in has]
    place = f"--namespace={namespace}"
    return helm("template", "pavane", str(PLANE_CHART), place, *given, *kinds, check=False)


def test_a_plane_has_one_worker_that_serves_its_queue_for_those_it_is_for() -> None:
    objects = rendered("plane.organizations={acme,umbrella}")
    (worker,) = of(objects, "Deployment").values()
    (container,) = worker["spec"]["template"]["spec"]["containers"]
    said = {one["name"]: one.get("value") for one in container["env"]}
    assert said["PAVANE_WORKER__ROLES"] == '["plane"]'
    assert said["PAVANE_WORKER__PLANE"] == "eu-west"
    assert said["PAVANE_WORKER__ORGANIZATIONS"] == '["acme","umbrella"]'
    assert not of(objects, "Service")


def test_its_account_may_do_what_the_role_plane_may_and_nothing_with_resources_of_pavane() -> None:
    objects = rendered()
    given = of(objects, "ClusterRole")
    role = given.pop("pavane-system:pavane-worker-plane")
    roles = yaml.safe_load((CHART / "files/roles.yaml").read_text())
    assert role["rules"] == roles["plane"]
    assert not [rule for rule in role["rules"] if "choreo.dev" in rule["apiGroups"]]
    (more,) = given.values()
    labels = [one["matchLabels"] for one in more["aggregationRule"]["clusterRoleSelectors"]]
    assert labels == [{"choreo.dev/aggregate-to-plane": "true"}]


def test_a_cluster_without_what_the_plane_is_to_do_is_refused_with_the_remedy() -> None:
    assert "install it, or set plane.builds=false" in refused(has=HAS[1:])
    assert "install it with a gateway, or set plane.routes=false" in refused(has=HAS[:1])
    assert rendered("plane.builds=false", "plane.routes=false", has=())


def test_a_place_or_a_setting_that_would_never_work_is_refused() -> None:
    assert "--namespace=pavane-system" in refused(namespace="elsewhere")
    assert "settings.objects.url is empty" in refused("settings.objects.url=")
    assert "plane" in refused("plane.name=")
