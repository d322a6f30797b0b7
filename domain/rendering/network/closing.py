"""Which ways stay open while pods of the release before still use them.

A policy is about all pods of a component, of whatever release. If it lost a rule at once, the pods
of the release before would be cut off while they still serve.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.rendering.labels import SHARED

_KINDS = frozenset({"NetworkPolicy", "CiliumNetworkPolicy"})
_SIDES = ("ingress", "egress")


def held_open(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> tuple[dict[str, Any], ...]:
    """Returns the policies of ``after`` that close something, with what they would close added.

    Args:
        before: Objects of the release whose pods may still run.
        after: Objects of the release that takes its place.
    """
    known = {_key(one): one for one in before if one["kind"] in _KINDS}
    held = []
    for one in after:
        old = known.get(_key(one))
        if old is None or SHARED in (one["metadata"].get("labels") or {}):
            continue
        closed = {side: _missing(old, one, side) for side in _SIDES}
        if any(closed.values()):
            spec = dict(one["spec"])
            for side, rules in closed.items():
                if rules:
                    spec[side] = [*(spec.get(side) or ()), *rules]
            held.append({**one, "spec": spec})
    return tuple(held)


def _missing(old: Mapping[str, Any], new: Mapping[str, Any], side: str) -> list[Any]:
    kept = new["spec"].get(side) or ()
    return [rule for rule in old["spec"].get(side) or () if rule not in kept]


def _key(obj: Mapping[str, Any]) -> tuple[str, str, str, str]:
    meta = obj["metadata"]
    return obj["apiVersion"], obj["kind"], meta.get("namespace", ""), meta["name"]
