"""What tests of a gate may call. That it lets them through is judged in tests/oracle."""

from __future__ import annotations

from typing import Any

import pytest

from domain.rendering.network.neighbours import (
    closed_neighbour,
    neighbour_of,
    reaching_api_server,
)
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


_SERVICE = {"spec": {"clusterIPs": ["10.96.0.1", "fd00::1"], "ports": [{"port": 443}]}}
_SLICE = {"endpoints": [{"addresses": ["192.0.2.7"]}], "ports": [{"port": 6443}]}


def test_the_api_server_is_opened_by_its_addresses_before_and_after_a_call_is_sent_on() -> None:
    closed = closed_neighbour("gate-smoke-1", "acme-shop-dev", RUN)
    assert closed.policy["spec"]["egress"] == []
    opened = reaching_api_server(closed, _SERVICE, _SLICE)
    assert opened.policy["spec"]["egress"] == [
        {
            "to": [{"ipBlock": {"cidr": "10.96.0.1/32"}}, {"ipBlock": {"cidr": "fd00::1/128"}}],
            "ports": [{"protocol": "TCP", "port": 443}],
        },
        {
            "to": [{"ipBlock": {"cidr": "192.0.2.7/32"}}],
            "ports": [{"protocol": "TCP", "port": 6443}],
        },
    ]


def test_cilium_knows_the_api_server_by_name() -> None:
    neighbour = neighbour_of(policy(CILIUM), "gate-smoke-1", RUN)
    opened = reaching_api_server(neighbour, _SERVICE, None)
    *before, last = opened.policy["spec"]["egress"]
    assert before == neighbour.policy["spec"]["egress"]
    assert last == {"toEntities": ["kube-apiserver"]}
