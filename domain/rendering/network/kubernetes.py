"""A component's policy as NetworkPolicy, which every agent knows.

It knows neither host names nor requests. Probes of the kubelet need no rule: traffic from the node
of a pod is let through by every agent that follows the specification.
"""

from __future__ import annotations

from typing import Any

from domain.dependencies import Dependency
from domain.rendering.facts import ReleaseFacts
from domain.rendering.labels import (
    COMPONENT,
    ENVIRONMENT,
    ORGANIZATION,
    caller_labels,
    component_labels,
    manifest,
    selector_labels,
)
from domain.rendering.network.ends import (
    DNS_PORT,
    NAMESPACE_NAME,
    api_server_blocks,
    called,
    dns_blocks,
    dns_pods,
    namespace_of,
    ports_of,
)
from domain.rendering.network.namespaces import LINK_LOCAL, LINK_LOCAL_V6
from domain.resources.workload import WorkloadEndpoint


def kubernetes_policy(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns what the component's pods may receive and send, of whatever version they are."""
    return manifest(
        "networking.k8s.io/v1",
        "NetworkPolicy",
        facts.component.name,
        facts.namespace,
        component_labels(facts),
        spec={
            "podSelector": {"matchLabels": selector_labels(facts)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [_from(facts, one) for one in facts.endpoints],
            "egress": [_dns(facts), *(_to(facts, one) for one in called(facts))],
        },
    )


def _from(facts: ReleaseFacts, endpoint: WorkloadEndpoint) -> dict[str, Any]:
    """Admits callers that declared a connection; each visibility includes the narrower ones."""
    callers = {"matchLabels": caller_labels(facts.component.name, endpoint.name)}
    tenant = {ORGANIZATION: facts.organization, ENVIRONMENT: facts.environment.name}
    project: dict[str, Any] = {"podSelector": callers}
    organization = {"namespaceSelector": {"matchLabels": tenant}, "podSelector": callers}
    gateway = {"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: facts.entrance.namespace}}}
    admitted = {
        "project": [project],
        "organization": [organization],
        "public": [organization, gateway],
    }
    return {
        "from": admitted[endpoint.visibility],
        "ports": [_port(endpoint.port, endpoint.type.transport)],
    }


def _dns(facts: ReleaseFacts) -> dict[str, Any]:
    namespace, labels = dns_pods(facts)
    pods = {
        "namespaceSelector": {"matchLabels": {NAMESPACE_NAME: namespace}},
        "podSelector": {"matchLabels": labels},
    }
    blocks = [{"ipBlock": {"cidr": each}} for each in dns_blocks(facts)]
    ports = [{"protocol": protocol, "port": DNS_PORT} for protocol in ("UDP", "TCP")]
    return {"to": [pods, *blocks], "ports": ports}


def _to(facts: ReleaseFacts, one: Dependency) -> dict[str, Any]:
    ports = [_port(port, one.transport) for port in ports_of(one)]
    return {"to": _peers(facts, one), "ports": ports}


def _peers(facts: ReleaseFacts, one: Dependency) -> list[dict[str, Any]]:
    if one.component:
        pods = {"podSelector": {"matchLabels": {COMPONENT: one.component}}}
        namespace = namespace_of(facts, one)
        if namespace == facts.namespace:
            return [pods]
        return [{"namespaceSelector": {"matchLabels": {NAMESPACE_NAME: namespace}}, **pods}]
    if one.system:
        return [{"ipBlock": {"cidr": each}} for each in api_server_blocks(facts)]
    if one.cidr:
        return [{"ipBlock": {"cidr": one.cidr}}]
    return [
        {"ipBlock": {"cidr": "0.0.0.0/0", "except": [LINK_LOCAL]}},
        {"ipBlock": {"cidr": "::/0", "except": [LINK_LOCAL_V6]}},
    ]


def _port(port: int, protocol: str) -> dict[str, Any]:
    return {"protocol": protocol, "port": port}
