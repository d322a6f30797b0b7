"""What the tests of a gate may call: the component they test, as a neighbour that declared it may.

It is read from the policy that the component has where the tests run, so tests reach exactly what
runs there, by the kind of policy that is enforced there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from domain.rendering.labels import ALLOWED, CALLS, COMPONENT, manifest
from domain.rendering.network.ends import DNS_PORT

_KUBERNETES, _CILIUM = "NetworkPolicy", "CiliumNetworkPolicy"
_PREFIX = "k8s:"
Rules = Sequence[Mapping[str, Any]]


class Neighbour(NamedTuple):
    """What makes pods a neighbour of a component."""

    labels: Mapping[str, str]
    """What they carry, besides their own labels."""
    policy: dict[str, Any]
    """What they may send."""


def neighbour_of(tested: Mapping[str, Any], name: str, labels: Mapping[str, str]) -> Neighbour:
    """Returns how pods with these labels call a component, by the policy that the component has.

    Args:
        tested: The policy of the component, of either kind.
        name: What the policy of the tests is called.
        labels: What selects their pods.
    """
    meta, spec = tested["metadata"], tested["spec"]
    is_cilium = tested["kind"] == _CILIUM
    ingress, egress = spec.get("ingress") or (), spec.get("egress") or ()
    given = dict.fromkeys(sorted(_called(ingress, is_cilium=is_cilium)), ALLOWED)
    body = _cilium if is_cilium else _kubernetes
    return Neighbour(
        given,
        manifest(
            tested["apiVersion"],
            tested["kind"],
            name,
            meta["namespace"],
            labels,
            spec=body(meta, ingress, egress, labels),
        ),
    )


def closed_neighbour(name: str, namespace: str, labels: Mapping[str, str]) -> Neighbour:
    """Returns the policy of tests of something that has none: they may send nothing."""
    body = {"podSelector": {"matchLabels": dict(labels)}, "policyTypes": ["Egress"], "egress": []}
    version = "networking.k8s.io/v1"
    return Neighbour({}, manifest(version, _KUBERNETES, name, namespace, labels, spec=body))


def reaching_api_server(
    neighbour: Neighbour, service: Mapping[str, Any], slices: Mapping[str, Any] | None
) -> Neighbour:
    """Returns a neighbour that may call the API server too, as Argo's sidecar has to.

    Args:
        neighbour: What its pods may do so far.
        service: The Service ``kubernetes`` of the cluster.
        slices: Its EndpointSlice: planes see a call before or after it is sent on. None = unknown.
    """
    policy = neighbour.policy
    if policy["kind"] == _CILIUM:
        rules = [{"toEntities": ["kube-apiserver"]}]
    else:
        spec = service["spec"]
        listed = spec.get("clusterIPs") or [spec["clusterIP"]]
        rules = [_to(listed, [port["port"] for port in spec["ports"]])]
        if slices is not None:
            found = [each for one in slices["endpoints"] for each in one["addresses"]]
            rules.append(_to(found, [port["port"] for port in slices["ports"]]))
    egress = [*policy["spec"]["egress"], *rules]
    return neighbour._replace(policy={**policy, "spec": {**policy["spec"], "egress": egress}})


def _to(addresses: Iterable[str], ports: Iterable[int]) -> dict[str, Any]:
    blocks = [f"{one}/{128 if ':' in one else 32}" for one in sorted(set(addresses))]
    return {
        "to": [{"ipBlock": {"cidr": block}} for block in blocks],
        "ports": [{"protocol": "TCP", "port": port} for port in sorted(set(ports))],
    }


def _kubernetes(
    meta: Mapping[str, Any], ingress: Rules, egress: Rules, labels: Mapping[str, str]
) -> dict[str, Any]:
    ports = [port for rule in ingress for port in rule.get("ports") or ()]
    names = [
        rule
        for rule in egress
        if rule.get("ports") and all(port.get("port") == DNS_PORT for port in rule["ports"])
    ]
    target = {"podSelector": {"matchLabels": {COMPONENT: meta["name"]}}}
    return {
        "podSelector": {"matchLabels": dict(labels)},
        "policyTypes": ["Egress"],
        "egress": [*names, *([{"to": [target], "ports": ports}] if ports else [])],
    }


def _cilium(
    meta: Mapping[str, Any], ingress: Rules, egress: Rules, labels: Mapping[str, str]
) -> dict[str, Any]:
    ports = [port for rule in ingress for port in _ports(rule)]
    names = [
        rule
        for rule in egress
        if _ports(rule) and all(port.get("port") == str(DNS_PORT) for port in _ports(rule))
    ]
    target = {
        "matchLabels": {
            f"{_PREFIX}{COMPONENT}": meta["name"],
            f"{_PREFIX}io.kubernetes.pod.namespace": meta["namespace"],
        }
    }
    opened = [{"toEndpoints": [target], "toPorts": [{"ports": _distinct(ports)}]}] if ports else []
    return {
        "endpointSelector": {"matchLabels": {f"{_PREFIX}{key}": labels[key] for key in labels}},
        "egress": [*names, *opened],
    }


def _ports(rule: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [port for each in rule.get("toPorts") or () for port in each.get("ports") or ()]


def _distinct(ports: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Several rules speak of one port: of the neighbours, and of the gateway."""
    found = {(port["port"], port["protocol"]): dict(port) for port in ports}
    return [found[key] for key in sorted(found)]


def _called(ingress: Rules, *, is_cilium: bool) -> set[str]:
    """Returns the labels that callers of its endpoints carry."""
    found: set[str] = set()
    for rule in ingress:
        peers = (rule.get("fromEndpoints") if is_cilium else rule.get("from")) or ()
        for peer in peers:
            selector = peer if is_cilium else peer.get("podSelector") or {}
            keys = {key.removeprefix(_PREFIX) for key in selector.get("matchLabels") or {}}
            found |= {key for key in keys if key.startswith(CALLS)}
    return found
