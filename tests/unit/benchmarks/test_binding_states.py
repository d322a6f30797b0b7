from __future__ import annotations

from typing import Any

import pytest

from benchmarks.bindings import has_value, is_ready, is_settled


def binding(generation: int, status: str, reason: str) -> dict[str, Any]:
    ready = {"type": "Ready", "status": status, "reason": reason, "observedGeneration": generation}
    return {"status": {"conditions": [ready]}}


def deployment(*variables: dict[str, str]) -> dict[str, Any]:
    containers = [{"name": "sidecar"}, {"name": "main", "env": list(variables)}]
    return {"spec": {"template": {"spec": {"containers": containers}}}}


def test_readiness_of_an_earlier_generation_does_not_count() -> None:
    assert is_ready(binding(3, "True", "Deployed"), 3)
    assert not is_ready(binding(2, "True", "Deployed"), 3)
    assert not is_ready(binding(3, "False", "Deploying"), 3)
    assert not is_ready({}, 1)


@pytest.mark.parametrize(
    ("generation", "reason", "settled"),
    [(3, "Deployed", True), (3, "RolloutFailed", True), (3, "Deploying", False),
     (2, "Deployed", False)],
)  # fmt: skip
def test_work_on_a_generation_ends_well_or_not(generation: int, reason: str, settled: bool) -> None:
    assert is_settled(binding(generation, "False", reason), 3) is settled


def test_a_value_is_found_in_any_container_by_the_name_of_its_variable() -> None:
    assert has_value(deployment({"name": "BENCH", "value": "2"}), "2")
    assert not has_value(deployment({"name": "BENCH", "value": "1"}), "2")
    assert not has_value(deployment({"name": "OTHER", "value": "2"}), "2")
    assert not has_value(deployment(), "2")
