"""Whether one may call another, and which rule says so: from the objects themselves.

What is told here is compared with Cilium's own policy code (tests/oracle).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address, ip_network
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.rendering.labels import CALLS, COMPONENT
from domain.rendering.network.ends import NAMESPACE_NAME
from domain.rendering.network.reading import Direction, Peer, Policy, Rule, policies_of

_TEMPLATES = {
    "Deployment": ("spec", "template"),
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
}


class Party(BaseModel):
    """One end of a call: pods of a component, or something outside."""

    model_config = ConfigDict(frozen=True)

    name: str
    """What it is called, for people."""
    namespace: str = ""
    """Empty = it is no pod."""
    namespace_labels: Mapping[str, str] = {}
    labels: Mapping[str, str] = {}
    address: str = ""
    """Of something outside: its address, when it is known."""
    host: str = ""
    """Of something outside: its host name, when it is called by name."""
    policies: tuple[Policy, ...] = ()
    """Those of its namespace that its release brought along."""
    ports: tuple[tuple[int, str], ...] = ()
    """Port and protocol of each of its endpoints."""


class Call(BaseModel):
    """What is asked: a port, and perhaps a request."""

    model_config = ConfigDict(frozen=True)

    port: int
    protocol: str = "TCP"
    method: str = ""
    path: str = ""


class Judgement(BaseModel):
    """Whether a call is let through, with what decides."""

    model_config = ConfigDict(frozen=True)

    allowed: bool
    reasons: tuple[str, ...]
    """One for each end that has a say."""


def party_of(objects: Sequence[Mapping[str, Any]]) -> Party | None:
    """Returns the pods of a release; None when it has none."""
    running = next((one for one in objects if one["kind"] in _TEMPLATES), None)
    if running is None:
        return None
    template: Any = running
    for step in _TEMPLATES[running["kind"]]:
        template = template[step]
    namespace = running["metadata"]["namespace"]
    home = next((one for one in objects if one["kind"] == "Namespace"), None)
    told = (home or {}).get("metadata", {}).get("labels") or {}
    labels = template["metadata"]["labels"]
    return Party(
        name=labels.get(COMPONENT, running["metadata"]["name"]),
        namespace=namespace,
        namespace_labels={**told, NAMESPACE_NAME: namespace},
        labels=labels,
        policies=policies_of(objects),
        ports=tuple(
            sorted(
                (port["containerPort"], port.get("protocol", "TCP"))
                for container in template["spec"]["containers"]
                for port in container.get("ports") or ()
            )
        ),
    )


def judge_call(source: Party, target: Party, call: Call) -> Judgement:
    """Returns whether both ends let a call through."""
    reasons: list[str] = []
    allowed = True
    ends: tuple[tuple[Party, Party, Direction], ...] = (
        (source, target, "out"),
        (target, source, "in"),
    )
    for own, other, direction in ends:
        if not own.namespace:
            continue  # nobody's policies: what lies outside decides for itself
        passes, reason = _judge(own, other, call, direction)
        allowed = allowed and passes
        reasons.append(reason)
    return Judgement(allowed=allowed, reasons=tuple(reasons))


def _judge(own: Party, other: Party, call: Call, direction: Direction) -> tuple[bool, str]:
    about = [one for one in own.policies if one.selects(own.namespace, own.labels)]
    closing = [one for one in about if direction in one.directions]
    way = f"out of {own.name}" if direction == "out" else f"into {own.name}"
    if not closing:
        return True, f"no policy closes the way {way}"
    rules = [rule for one in closing for rule in one.rules if rule.direction == direction]
    for rule in rules:
        if _matches(rule, own, other, call):
            return True, f"{rule.policy}, rule {rule.number} {direction}, opens the way {way}"
    near = [rule for rule in rules if _matches(rule, own, other, call, request=False)]
    if near:
        told = f"{near[0].policy}, rule {near[0].number} {direction}, allows other requests only"
        return False, f"{told}: {call.method} {call.path} is not among them"
    names = ", ".join(one.name for one in closing)
    return False, f"no rule of {names} opens the way {way} for {other.name} at {call.port}"


def _matches(rule: Rule, own: Party, other: Party, call: Call, *, request: bool = True) -> bool:
    if rule.ports and (call.port, call.protocol) not in rule.ports:
        return False
    if not any(_is_meant(peer, own, other) for peer in rule.peers):
        return False
    if not (request and rule.requests and (call.method or call.path)):
        return True
    return any(_fits(one, call) for one in rule.requests)


def _is_meant(peer: Peer, own: Party, other: Party) -> bool:
    match peer.kind:
        case "pods":
            if not other.namespace or not peer.pods.items() <= other.labels.items():
                return False
            if peer.namespace is None:
                return other.namespace == own.namespace
            return peer.namespace.items() <= other.namespace_labels.items()
        case "addresses":
            return _is_within(other.address, peer)
        case "host":
            return bool(other.host) and other.host == peer.name
        case _:
            return False


def _is_within(address: str, peer: Peer) -> bool:
    if not address:
        return False
    found = ip_address(address)

    def holds(block: str) -> bool:
        network = ip_network(block)
        return network.version == found.version and found in network

    return holds(peer.name) and not any(holds(one) for one in peer.excepted)


def _fits(request: tuple[str, str], call: Call) -> bool:
    method, path = request
    return (not method or re.fullmatch(method, call.method) is not None) and (
        not path or re.fullmatch(path, call.path) is not None
    )


def openings(objects: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """Returns in words what the policies of a release let through, each once, sorted."""
    told = {
        f"{_peer(peer, rule.direction)} at {_ports(rule)}{_requests(rule)}"
        for policy in policies_of(objects)
        for rule in policy.rules
        for peer in rule.peers
    }
    return tuple(sorted(told))


def changed_openings(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> tuple[str, ...]:
    """Returns what may talk and could not before (``+``), and what could and may not (``-``)."""
    old, new = set(openings(before)), set(openings(after))
    return (*(f"+ {one}" for one in sorted(new - old)), *(f"- {one}" for one in sorted(old - new)))


def _peer(peer: Peer, direction: Direction) -> str:
    way = "in from" if direction == "in" else "out to"
    if peer.kind != "pods":
        return f"{way} {peer.name or 'unknown'}"
    from_label = [key.partition("/")[2] for key in sorted(peer.pods) if key.startswith(CALLS)]
    if from_label:
        scope = "the organization" if peer.namespace else "the project"
        return f"{way} callers in {scope} that declare {from_label[0]}"
    component = peer.pods.get(COMPONENT)
    where = (peer.namespace or {}).get(NAMESPACE_NAME, "")
    if component:
        return f"{way} {component}{f' in {where}' if where else ''}"
    pods = ", ".join(f"{key}={value}" for key, value in sorted(peer.pods.items()))
    return f"{way} {pods or 'pods'} in {where or 'the namespace'}"


def _ports(rule: Rule) -> str:
    if not rule.ports:
        return "every port"
    return ", ".join(f"{protocol} {port}" for port, protocol in sorted(rule.ports))


def _requests(rule: Rule) -> str:
    if not rule.requests:
        return ""
    told = ", ".join(f"{method or 'any'} {path or '/'}" for method, path in sorted(rule.requests))
    return f" for {told}"
