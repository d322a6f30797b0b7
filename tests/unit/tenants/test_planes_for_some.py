from __future__ import annotations

import pytest

from domain.deliveries import ApplyRelease, BuildFollow, BuildHandle, BuildPlan, Bundle
from domain.deliveries.trees import PreparedLook, TreeRequest
from runtime.tenancy import organizations_of

pytestmark = pytest.mark.unit


def test_the_organization_of_an_activity_is_found_wherever_it_stands() -> None:
    apply = ApplyRelease(bundle=Bundle(), previous=Bundle(), organization="acme")
    plan = BuildPlan(
        organization="acme", project="shop", component="web", name="web-1",
        repository="https://git.example/web.git", commit="a" * 40, image="r/acme/web",
        task_queue="plane.local",
    )  # fmt: skip
    follow = BuildFollow(plan=plan, handle=BuildHandle(namespace="builds-acme", name="web-1"))
    look = PreparedLook(request=TreeRequest(organization="acme", component="web", environment="x"))

    assert organizations_of([apply]) == {"acme"}
    assert organizations_of([look]) == {"acme"}
    assert organizations_of([follow]) == {"acme"}
    assert organizations_of(["text", None]) == set()
