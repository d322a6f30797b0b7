from __future__ import annotations

from typing import Any

import pytest

from domain.errors import InvalidRequest
from tests.unit.rendering.samples import main_container, main_with, rendered

pytestmark = pytest.mark.unit


def container(**changes: Any) -> dict[str, Any]:
    return main_container(rendered(**changes))


def test_a_service_without_a_probe_is_ready_when_its_port_answers() -> None:
    own = container()
    assert own["readinessProbe"]["tcpSocket"] == {"port": 8080}
    assert own["startupProbe"]["periodSeconds"] == 1
    assert "livenessProbe" not in own


def test_start_up_is_as_patient_as_the_rollout() -> None:
    own = container(template={"progressDeadlineSeconds": 120})
    assert own["startupProbe"]["failureThreshold"] == 120


def test_declared_probes_win_over_those_of_the_class() -> None:
    own = container(
        template=main_with(
            readinessProbe={"tcpSocket": {"port": 1}}, startupProbe={"tcpSocket": {"port": 2}}
        ),
        container={
            "readiness": {"path": "/ready", "periodSeconds": 7},
            "liveness": {"command": ["check"], "initialDelaySeconds": 9},
        },
    )
    assert own["readinessProbe"]["httpGet"] == {"path": "/ready", "port": 8080}
    assert "tcpSocket" not in own["readinessProbe"]
    assert own["readinessProbe"]["periodSeconds"] == 7
    assert own["livenessProbe"]["exec"] == {"command": ["check"]}
    assert own["livenessProbe"]["initialDelaySeconds"] == 9
    assert own["startupProbe"] == {"tcpSocket": {"port": 2}}


def test_probe_of_the_class_is_kept_when_the_workload_says_nothing() -> None:
    own = container(template=main_with(readinessProbe={"httpGet": {"path": "/", "port": 80}}))
    assert own["readinessProbe"] == {"httpGet": {"path": "/", "port": 80}}
    assert "startupProbe" not in own


def test_a_component_that_answers_nobody_has_no_probe() -> None:
    own = container(workload={"endpoints": []})
    assert not [name for name in own if name.endswith("Probe")]


def test_probe_without_a_port_to_ask_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refused:
        container(workload={"endpoints": [], "containers": [{"readiness": {"path": "/"}}]})
    assert refused.value.message == ("Workload web: a probe names no port and there is no endpoint")
