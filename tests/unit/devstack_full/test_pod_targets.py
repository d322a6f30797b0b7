"""Which pods Prometheus asks, and how."""

from __future__ import annotations

from typing import Any

import pytest

from devstack.services.pod_targets import target

pytestmark = pytest.mark.unit


def pod(*, phase: str = "Running", **wishes: str) -> dict[str, Any]:
    annotations = {f"prometheus.io/{name}": value for name, value in wishes.items()}
    return {
        "metadata": {"name": "web", "namespace": "shop", "uid": "1", "annotations": annotations},
        "status": {"phase": phase, "podIP": "10.0.0.9"},
    }


def test_a_pod_that_asks_is_asked_where_it_says() -> None:
    found = target(pod(scrape="true", port="8080", path="/prom"))

    assert found == {
        "targets": ["10.0.0.9:8080"],
        "labels": {"__metrics_path__": "/prom", "namespace": "shop", "pod": "web"},
    }


def test_a_pod_that_does_not_ask_is_left_alone() -> None:
    assert target(pod()) is None
    assert target(pod(scrape="false", port="8080")) is None


def test_a_pod_that_does_not_run_is_left_alone() -> None:
    assert target(pod(phase="Succeeded", scrape="true")) is None
