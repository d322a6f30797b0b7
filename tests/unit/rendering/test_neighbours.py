"""What tests of a gate may call. That it lets them through is judged in tests/oracle."""

from __future__ import annotations

from typing import Any

import pytest

from domain.rendering.network.neighbours import neighbour_of
from tests.unit.rendering.samples import rendered
from tests.unit.rendering.test_policies import CILIUM

pytestmark = pytest.mark.unit


def policy(plane: dict[str, Any]) -> dict[str, Any]:
    """The policy of the component `web`."""
    (found,) = (
        one
        for one in rendered(plane=plane).objects
        if one["kind"].endswith("NetworkPolicy") and one["metadata"]["name"] == "web"
    )
    return found


RUN = {"choreo.dev/gate-run": "gate-smoke-1"}


@pytest.mark.parametrize(
    ("plane", "kind", "opened"),
    [
        (
            {},
            "NetworkPolicy",
            {
                "to": [{"podSelector": {"matchLabels": {"choreo.dev/component": "web"}}}],
                "ports": [{"protocol": "TCP", "port": 8080}],
            },
        ),
        (
            CILIUM,
            "CiliumNetworkPolicy",
            {
                "toEndpoints": [
                    {
                        "matchLabels": {
                            "k8s:choreo.dev/component": "web",
                            "k8s:io.kubernetes.pod.namespace": "acme-shop-development",
                        }
                    }
                ],
                "toPorts": [{"ports": [{"port": "8080", "protocol": "TCP"}]}],
            },
        ),
    ],
)
def test_tests_carry_the_right_to_call_and_may_send_to_the_endpoints_and_the_name_server(
    plane: dict[str, Any], kind: str, opened: dict[str, Any]
) -> None:
    tested = policy(plane)
    neighbour = neighbour_of(tested, "gate-smoke-1", RUN)
    assert neighbour.labels == {"calls.choreo.dev/web.http": "allowed"}
    assert neighbour.policy["kind"] == kind
    assert neighbour.policy["metadata"]["name"] == "gate-smoke-1"
    *names, last = neighbour.policy["spec"]["egress"]
    assert names == tested["spec"]["egress"][: len(names)]
    assert names
    assert last == opened


def test_a_component_without_endpoints_is_called_by_nobody() -> None:
    tested = policy({})
    closed = {**tested, "spec": {**tested["spec"], "ingress": []}}
    neighbour = neighbour_of(closed, "gate-smoke-1", RUN)
    assert neighbour.labels == {}
    assert neighbour.policy["spec"]["egress"] == tested["spec"]["egress"][:1]
