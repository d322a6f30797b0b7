"""Reads network policies back: of a release that runs, or of one that would.

Reads the words that the platform itself writes, of both kinds. A rule with words it does not know
is kept as one that matches nothing, so what is told allowed is allowed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from domain.rendering.network.ends import NAMESPACE_NAME

Direction = Literal["in", "out"]
_CILIUM_NAMESPACE = "k8s:io.kubernetes.pod.namespace"
_SIDES: tuple[tuple[Direction, str, str], ...] = (
    ("in", "ingress", "from"),
    ("out", "egress", "to"),
)
"""Direction, field of the spec, and what its fields of peers begin with."""
_CILIUM_NAMESPACE_LABEL = "k8s:io.cilium.k8s.namespace.labels."


class Peer(BaseModel):
    """One sort of counterpart that a rule names."""

    model_config = ConfigDict(frozen=True)

    kind: Literal["pods", "addresses", "host", "entity", "unknown"]
    namespace: Mapping[str, str] | None = None
    """Of pods: labels of their namespace. None = the namespace of the policy; empty = all."""
    pods: Mapping[str, str] = {}
    """Of pods: their labels; empty = all."""
    name: str = ""
    """Of a host its name, of addresses the range, of an entity its word."""
    excepted: tuple[str, ...] = ()
    """Of addresses: ranges that are not meant."""


class Rule(BaseModel):
    """What one rule of a policy lets through."""

    model_config = ConfigDict(frozen=True)

    policy: str
    """``Kind/name``."""
    number: int
    """Its place among the rules of its direction, from 1."""
    direction: Direction
    peers: tuple[Peer, ...]
    """Empty = nobody."""
    ports: tuple[tuple[int, str], ...]
    """Port and protocol; empty = all."""
    requests: tuple[tuple[str, str], ...] = ()
    """Method and path as regular expressions; empty = all requests."""


class Policy(BaseModel):
    """One policy: whom it is about, and what it lets through."""

    model_config = ConfigDict(frozen=True)

    name: str
    """``Kind/name``."""
    namespace: str
    selected: Mapping[str, str]
    """Labels of the pods it is about; empty = all of its namespace."""
    directions: frozenset[Direction]
    """What it closes but for its rules."""
    rules: tuple[Rule, ...]

    def selects(self, namespace: str, labels: Mapping[str, str]) -> bool:
        """Tells whether it is about pods with these labels."""
        return namespace == self.namespace and self.selected.items() <= labels.items()


def policies_of(objects: Iterable[Mapping[str, Any]]) -> tuple[Policy, ...]:
    """Returns the network policies among objects, in their order."""
    return tuple(
        _kubernetes(one) if one["kind"] == "NetworkPolicy" else _cilium(one)
        for one in objects
        if one["kind"] in {"NetworkPolicy", "CiliumNetworkPolicy"}
    )


def _kubernetes(obj: Mapping[str, Any]) -> Policy:
    spec, name = obj["spec"], f"NetworkPolicy/{obj['metadata']['name']}"
    types = [one.lower() for one in spec.get("policyTypes") or ()]
    rules = [
        Rule(
            policy=name,
            number=number,
            direction=direction,
            peers=tuple(_kubernetes_peer(one) for one in rule.get(side) or [{"all": True}]),
            ports=tuple((one["port"], one.get("protocol", "TCP")) for one in rule.get("ports", ())),
        )
        for direction, field, side in _SIDES
        for number, rule in enumerate(spec.get(field) or (), 1)
    ]
    return Policy(
        name=name,
        namespace=obj["metadata"].get("namespace", ""),
        selected=_labels(spec.get("podSelector")) or {},
        directions=frozenset(direction for direction, field, _ in _SIDES if field in types),
        rules=tuple(rules),
    )


def _kubernetes_peer(peer: Mapping[str, Any]) -> Peer:
    block = peer.get("ipBlock")
    if block is not None:
        return Peer(kind="addresses", name=block["cidr"], excepted=tuple(block.get("except") or ()))
    known = {"podSelector", "namespaceSelector"}
    selectors = [peer.get(one) or {} for one in known]
    if not set(peer) <= known or any(set(one) - {"matchLabels"} for one in selectors):
        return Peer(kind="unknown")
    namespace = _labels(peer["namespaceSelector"]) if "namespaceSelector" in peer else None
    return Peer(kind="pods", namespace=namespace, pods=_labels(peer.get("podSelector")) or {})


def _cilium(obj: Mapping[str, Any]) -> Policy:
    spec, name = obj["spec"], f"CiliumNetworkPolicy/{obj['metadata']['name']}"
    selected = _labels(spec.get("endpointSelector")) or {}
    rules = [
        Rule(
            policy=name,
            number=number,
            direction=direction,
            peers=tuple(_cilium_peers(rule, side)),
            ports=tuple(_cilium_ports(rule)),
            requests=tuple(_cilium_requests(rule)),
        )
        for direction, field, side in _SIDES
        for number, rule in enumerate(spec.get(field) or (), 1)
    ]
    return Policy(
        name=name,
        namespace=obj["metadata"].get("namespace", ""),
        selected={key.removeprefix("k8s:"): value for key, value in selected.items()},
        directions=frozenset(direction for direction, field, _ in _SIDES if field in spec),
        rules=tuple(rules),
    )


def _cilium_peers(rule: Mapping[str, Any], side: str) -> Iterator[Peer]:
    for one in rule.get(f"{side}Endpoints") or ():
        yield _cilium_pods(one.get("matchLabels") or {})
    for block in rule.get(f"{side}CIDR") or ():
        yield Peer(kind="addresses", name=block)
    for host in rule.get("toFQDNs") or ():
        yield Peer(kind="host", name=host.get("matchName", ""))
    for entity in rule.get(f"{side}Entities") or ():
        yield Peer(kind="entity", name=entity)


def _cilium_pods(labels: Mapping[str, str]) -> Peer:
    namespace: dict[str, str] = {}
    pods: dict[str, str] = {}
    for key, value in labels.items():
        if key == _CILIUM_NAMESPACE:
            namespace[NAMESPACE_NAME] = value
        elif key.startswith(_CILIUM_NAMESPACE_LABEL):
            namespace[key.removeprefix(_CILIUM_NAMESPACE_LABEL)] = value
        else:
            pods[key.removeprefix("k8s:")] = value
    return Peer(kind="pods", namespace=namespace or None, pods=pods)


def _cilium_ports(rule: Mapping[str, Any]) -> Iterator[tuple[int, str]]:
    for group in rule.get("toPorts") or ():
        for one in group["ports"]:
            protocol = one.get("protocol", "ANY")
            for each in ("TCP", "UDP") if protocol == "ANY" else (protocol,):
                yield int(one["port"]), each


def _cilium_requests(rule: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for group in rule.get("toPorts") or ():
        for one in (group.get("rules") or {}).get("http") or ():
            yield one.get("method", ""), one.get("path", "")


def _labels(selector: Mapping[str, Any] | None) -> dict[str, str] | None:
    return None if selector is None else dict(selector.get("matchLabels") or {})
