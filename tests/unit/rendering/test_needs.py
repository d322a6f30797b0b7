from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvalidRequest
from domain.rendering.quantities import amount
from tests.unit.rendering.samples import main_container, main_with, rendered

pytestmark = pytest.mark.unit


def needs(**changes: Any) -> dict[str, Any]:
    resources: dict[str, Any] = main_container(rendered(**changes))["resources"]
    return resources


def test_every_container_has_requests_and_a_limit_of_memory() -> None:
    assert needs() == {
        "requests": {"cpu": "50m", "memory": "64Mi"},
        "limits": {"memory": "256Mi"},
    }


def test_binding_wins_over_workload_over_class() -> None:
    assert needs(
        template=main_with(resources={"requests": {"cpu": "1", "memory": "1Gi"}}),
        container={"resources": {"requests": {"cpu": "2"}, "limits": {"memory": "2Gi"}}},
        overrides={"resources": {"limits": {"memory": "3Gi"}}},
    ) == {"requests": {"cpu": "2", "memory": "1Gi"}, "limits": {"memory": "3Gi"}}


memory = st.integers(1, 4096).map(lambda size: f"{size}Mi")


@given(request=st.none() | memory, limit=st.none() | memory)
def test_defaults_never_contradict_what_was_asked_for(
    request: str | None, limit: str | None
) -> None:
    asked = {
        "requests": {"memory": request} if request else {},
        "limits": {"memory": limit} if limit else {},
    }
    if request and limit and amount(request, "") > amount(limit, ""):
        with pytest.raises(InvalidRequest, match="is more than the limit"):
            needs(overrides={"resources": asked})
        return
    given_needs = needs(overrides={"resources": asked})
    least, most = given_needs["requests"]["memory"], given_needs["limits"]["memory"]
    assert amount(least, "") <= amount(most, "")
    assert request in {None, least}
    assert limit in {None, most}


def test_class_bounds_hold_for_requests_and_limits() -> None:
    bounds = {"guardRails": {"maxCpu": "2", "maxMemory": "512Mi"}}
    with pytest.raises(InvalidRequest) as refused:
        rendered(service_class=bounds, overrides={"resources": {"limits": {"memory": "1Gi"}}})
    assert refused.value.message == (
        "container main of web in development: resources.limits.memory 1Gi is more than the 512Mi "
        "that ServiceClass standard-service allows"
    )
    with pytest.raises(InvalidRequest, match=r"resources.requests.cpu 2500m is more than the 2 "):
        rendered(service_class=bounds, overrides={"resources": {"requests": {"cpu": "2500m"}}})
    within = needs(service_class=bounds, overrides={"resources": {"requests": {"cpu": "2"}}})
    assert within["requests"]["cpu"] == "2"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("250m", "0.25"),
        ("1.5", "1.5"),
        (".5", "0.5"),
        ("2k", "2000"),
        ("1Ki", "1024"),
        ("3Gi", "3221225472"),
        ("1M", "1000000"),
        ("5n", "0.000000005"),
        (4, "4"),
        (0.5, "0.5"),
    ],
)
def test_quantities_are_read_as_kubernetes_does(text: str | float, size: str) -> None:
    assert amount(text, "cpu") == Decimal(size)


@pytest.mark.parametrize("text", ["", "Mi", "1Q", "-1", "1 Gi", "1e3x", "1Gib"])
def test_what_is_no_quantity_is_refused_with_its_field(text: str) -> None:
    with pytest.raises(InvalidRequest, match=r"spec\.memory: .* is not a quantity"):
        amount(text, "spec.memory")
