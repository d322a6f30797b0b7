from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.policies.quotas import QuotaScope, Usage, excesses, quota_scopes, said, usage_of
from domain.rendering import render_release
from domain.rendering.quantities import amount
from domain.resources.binding import ServiceBinding
from domain.resources.component import Project
from domain.resources.environment import Environment
from domain.resources.organization import Organization
from domain.resources.quota import Quota
from tests.unit.rendering.samples import of_type, rendered, resource

pytestmark = pytest.mark.unit

NEEDS = {"resources": {"requests": {"cpu": "250m", "memory": "128Mi"}}}
MIB = Decimal(1024) ** 2


def test_replicas_count_and_shared_objects_do_not() -> None:
    usage = usage_of(rendered(container=NEEDS, overrides={"replicas": 3}).objects)
    assert (usage.cpu, usage.memory) == (Decimal("0.75"), 384 * MIB)
    assert (usage.objects, usage.components) == (6, 1)


def test_what_is_scaled_by_load_counts_with_all_it_may_have() -> None:
    scaled = {"autoscaling": {"minReplicas": 1, "maxReplicas": 8}}
    usage = usage_of(rendered(container=NEEDS, service_class=scaled).objects)
    assert usage.cpu == 2


@pytest.mark.parametrize(
    ("schedule", "cpu"),
    [
        ({"cron": "@daily"}, "0.25"),
        ({"cron": "@daily", "concurrencyPolicy": "Allow"}, "0.5"),
        ({"cron": "@daily", "suspended": True}, "0"),
    ],
)
def test_a_task_counts_with_the_runs_it_may_have(schedule: dict[str, Any], cpu: str) -> None:
    made = of_type("ScheduledTask", instance={"schedule": schedule}, container=NEEDS)
    assert usage_of(render_release(made).objects).cpu == Decimal(cpu)


def test_nothing_takes_up_nothing() -> None:
    assert usage_of(()) == Usage()


def test_what_does_not_fit_is_told_with_numbers() -> None:
    scope = QuotaScope(
        scope="Environment prod",
        quota=Quota(cpu="2", memory="1Gi", components=2),
        used=Usage(cpu=Decimal("1.5"), memory=256 * MIB, components=2),
    )
    found = excesses([scope], Usage(cpu=Decimal("0.75"), memory=128 * MIB, components=1))
    assert [str(one) for one in found] == [
        "Environment prod allows 2 cpu, others use 1.5 and this needs 750m",
        "Environment prod allows 2 components, others use 2 and this needs 1",
    ]


def test_an_open_quota_bounds_nothing() -> None:
    used = Usage(cpu=Decimal(10**6), components=10**6)
    assert Quota().is_open
    assert excesses([QuotaScope(scope="x", quota=Quota(), used=used)], used) == ()


@given(used=st.integers(0, 100), asked=st.integers(0, 100), limit=st.integers(0, 100))
def test_it_fits_exactly_when_the_sum_is_within_the_limit(
    used: int, asked: int, limit: int
) -> None:
    scope = QuotaScope(scope="x", quota=Quota(objects=limit), used=Usage(objects=used))
    fits = not excesses([scope], Usage(objects=asked))
    assert fits == (asked == 0 or used + asked <= limit)


@given(st.integers(0, 10**7))
def test_an_amount_is_written_so_that_it_can_be_read_again(millis: int) -> None:
    value = Decimal(millis) / 1000
    assert amount(said("cpu", value), "x") == value


def test_each_owner_counts_what_lies_within_it() -> None:
    def bound(component: str, environment: str) -> ServiceBinding:
        return ServiceBinding.model_validate(
            {
                "metadata": {"name": f"{component}-{environment}", "namespace": "acme"},
                "spec": {"componentRef": component, "environmentRef": environment},
                "status": {"usage": {"cpu": "500m", "memory": "64Mi", "objects": 5}},
            }
        )

    idle = ServiceBinding.model_validate(
        {"metadata": {"name": "idle"}, "spec": {"environmentRef": "dev"}}
    )
    owners: list[Organization | Project | Environment] = [
        resource(Organization, "acme", {}),
        resource(Project, "shop", {"deploymentPipelineRef": "p"}),
        resource(Environment, "dev", {"dataPlaneRef": "local"}),
    ]
    bindings = [bound("web", "dev"), bound("web", "prod"), bound("bank", "dev"), idle]
    projects = {"web": "shop", "bank": "bank"}
    used = [one.used for one in quota_scopes(owners, bindings, projects)]
    assert [one.cpu for one in used] == [Decimal("1.5"), Decimal(1), Decimal(1)]
    assert [one.components for one in used] == [3, 2, 2]
