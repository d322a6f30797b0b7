from __future__ import annotations

import pytest

from domain.rendering.network import namespace
from domain.rendering.tenants.bounds import project_bounds, project_namespace
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
