from __future__ import annotations

import pytest

from domain.deliveries.tenants import TenantPlace, TenantPlane
from domain.rendering.network import default_deny, namespace
from domain.rendering.tenants.bounds import project_bounds, project_denial, project_namespace
from domain.rendering.tenants.planes import plane_objects
from tests.unit.rendering.samples import facts

pytestmark = pytest.mark.unit


def test_the_namespace_of_a_project_is_the_one_its_releases_apply() -> None:
    some = facts()
    made = project_namespace(some.organization, some.project, some.environment.name, some.namespace)

    assert made == namespace(some)


def test_the_smallest_quota_bounds_a_namespace_with_room_for_a_rollout() -> None:
    quota, limits = project_bounds("acme", "acme-shop-dev", ("4", "500m"), ("1Gi",))

    assert quota["spec"]["hard"] == {
        "services.nodeports": "0",
        "services.loadbalancers": "0",
        "requests.cpu": "1",
        "requests.memory": str(2 * 1024**3),
    }
    (bound,) = limits["spec"]["limits"]
    assert bound["defaultRequest"] == {"cpu": "50m", "memory": "64Mi"}


def test_without_a_quota_nothing_is_demanded_of_pods() -> None:
    quota, limits = project_bounds("acme", "acme-shop-dev", (), ())

    assert set(quota["spec"]["hard"]) == {"services.nodeports", "services.loadbalancers"}
    assert limits["spec"]["limits"] == []


def test_a_namespace_is_closed_before_its_first_release_as_that_will_close_it() -> None:
    some = facts()
    made = project_denial(some.organization, some.project, some.environment.name, some.namespace)

    assert made == default_deny(some)


@pytest.mark.parametrize("policies", ["Kubernetes", "Cilium"])
def test_a_plane_denies_what_no_component_can_open(policies: str) -> None:
    place = TenantPlace(project="shop", environment="dev", namespace="acme-shop-dev")
    plane = TenantPlane(
        organization="acme", plane="local", task_queue="q", places=(place,), policies=policies
    )
    objects = plane_objects(plane)

    closed = [one for one in objects if one["kind"] == "NetworkPolicy"]
    assert [one["metadata"]["namespace"] for one in closed] == ["acme-shop-dev"]
    denials = [one["spec"] for one in objects if "Clusterwide" in one["kind"]]
    assert len(denials) == (policies == "Cilium")
    owner = "k8s:io.cilium.k8s.namespace.labels.choreo.dev/organization"
    others = {
        "matchExpressions": [
            {"key": owner, "operator": "Exists"},
            {"key": owner, "operator": "NotIn", "values": ["acme"]},
        ]
    }
    for denial in denials:
        assert denial["endpointSelector"]["matchLabels"] == {owner: "acme"}
        assert denial["ingressDeny"] == [{"fromEndpoints": [others]}]
        assert denial["egressDeny"] == [{"toEndpoints": [others]}]
