"""A component's policy as CiliumNetworkPolicy: host names, and requests where they are declared.

No field is used that Cilium has deprecated. Whether Cilium took it is told by its condition Valid.
"""

from __future__ import annotations

import re
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
    called,
    dns_blocks,
    dns_pods,
    namespace_of,
    ports_of,
)
from domain.resources.interfaces import AllowedRequest
from domain.resources.workload import WorkloadEndpoint

_NAMESPACE = "k8s:io.kubernetes.pod.namespace"
_NAMESPACE_LABEL = "k8s:io.cilium.k8s.namespace.labels."


def cilium_policy(facts: ReleaseFacts) -> dict[str, Any]:
    """Returns what the component's pods may receive and send, of whatever version they are."""
    ingress: list[dict[str, Any]] = [{"fromEntities": ["host"]}]  # probes of the kubelet
    for endpoint in facts.endpoints:
        ingress += _from(facts, endpoint)
    return manifest(
        "cilium.io/v2",
        "CiliumNetworkPolicy",
        facts.component.name,
        facts.namespace,
        component_labels(facts),
        spec={
            "endpointSelector": {"matchLabels": _k8s(selector_labels(facts))},
            "ingress": ingress,
            "egress": [*_dns(facts), *(_to(facts, one) for one in called(facts))],
        },
    )


def _from(facts: ReleaseFacts, endpoint: WorkloadEndpoint) -> list[dict[str, Any]]:
    """Admits callers that declared a connection; the gateway is pods, or Cilium's own."""
    callers = _k8s(caller_labels(facts.component.name, endpoint.name))
    if endpoint.visibility != "project":
        callers |= {
            f"{_NAMESPACE_LABEL}{ORGANIZATION}": facts.organization,
            f"{_NAMESPACE_LABEL}{ENVIRONMENT}": facts.environment.name,
        }
    ports = [_ports(endpoint.port, protocol=endpoint.type.transport)]
    rules: list[dict[str, Any]] = [{"fromEndpoints": [{"matchLabels": callers}], "toPorts": ports}]
    if endpoint.visibility == "public":
        gateway = {"matchLabels": {_NAMESPACE: facts.entrance.namespace}}
        rules.append({"fromEndpoints": [gateway], "toPorts": ports})
        rules.append({"fromEntities": ["ingress"], "toPorts": ports})
    return rules


def _dns(facts: ReleaseFacts) -> list[dict[str, Any]]:
    """Lets names be asked for; Cilium looks at the answers where a host name is declared."""
    namespace, labels = dns_pods(facts)
    ports: dict[str, Any] = {"ports": [{"port": str(DNS_PORT), "protocol": "ANY"}]}
    if any(one.host for one in facts.interfaces.dependencies):
        ports["rules"] = {"dns": [{"matchPattern": "*"}]}
    pods = {"matchLabels": {_NAMESPACE: namespace, **_k8s(labels)}}
    rules: list[dict[str, Any]] = [{"toEndpoints": [pods], "toPorts": [ports]}]
    blocks = dns_blocks(facts)
    return [*rules, *([{"toCIDR": blocks, "toPorts": [ports]}] if blocks else [])]


def _to(facts: ReleaseFacts, one: Dependency) -> dict[str, Any]:
    ports = [_ports(one.port, one.requests, one.transport)]
    if one.system:
        ports = [_ports(port) for port in ports_of(one)]
        return {"toEntities": ["kube-apiserver"], "toPorts": ports}
    if one.component:
        labels = {
            **_k8s({COMPONENT: one.component}),
            _NAMESPACE: namespace_of(facts, one),
        }
        rule = {"toEndpoints": [{"matchLabels": labels}], "toPorts": ports}
        # Only where the version of the plane is known to heed it and has not deprecated it.
        return {**rule, "authentication": {"mode": "required"}} if one.is_mutual else rule
    if one.cidr:
        return {"toCIDR": [one.cidr], "toPorts": ports}
    return {"toFQDNs": [{"matchName": one.host}], "toPorts": ports}


def _ports(
    port: int, requests: tuple[AllowedRequest, ...] = (), protocol: str = "TCP"
) -> dict[str, Any]:
    ports: dict[str, Any] = {"ports": [{"port": str(port), "protocol": protocol}]}
    if requests:
        ports["rules"] = {"http": [_request(one) for one in requests]}
    return ports


def _request(one: AllowedRequest) -> dict[str, str]:
    """Cilium reads both as regular expressions that have to match the whole text."""
    rule: dict[str, str] = {}
    if one.method:
        rule["method"] = one.method
    if one.path.rstrip("/"):
        rule["path"] = f"{re.escape(one.path.rstrip('/'))}([/?].*)?"
    return rule


def _k8s(labels: dict[str, str]) -> dict[str, str]:
    return {f"k8s:{key}": value for key, value in labels.items()}
