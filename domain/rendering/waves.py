"""Which objects of a release may be applied at the same time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import groupby
from typing import Any, TypeAlias

Manifest: TypeAlias = Mapping[str, Any]

ROUTES = frozenset({"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"})
_NAMED_BY_ROUTES = frozenset({"Middleware"})
_WAVES: tuple[frozenset[str], ...] = (
    frozenset({"Namespace"}),
    frozenset({"NetworkPolicy", "CiliumNetworkPolicy"}),
    frozenset({"ConfigMap", "Secret", "ServiceAccount", "Service"}),
    frozenset({"CronJob", "Deployment", "HorizontalPodAutoscaler", "PodDisruptionBudget"}),
    frozenset(
        {"BackendTrafficPolicy", "Certificate", "ListenerSet", "Middleware", "SecurityPolicy"}
    ),
    ROUTES,
)
"""A pod must find its policies, identity and configuration there, a route its Service and pods.
Within a wave nothing needs the other."""


def waves(objects: Iterable[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Groups objects that are in order of application; the order of the groups is theirs.

    A kind that no wave knows is applied by itself, where it stands.
    """
    numbered = list(enumerate(objects))
    grouped = groupby(numbered, key=lambda one: _wave(one[1], one[0]))
    return [[obj for _, obj in group] for _, group in grouped]


def extended(before: Iterable[Manifest], after: Iterable[Manifest]) -> bool:
    """Tells whether a route that was there before names something afterwards that was not.

    A gateway that reads both from two sources has to know what is named first. The other way round
    it tells whether something is not named any more.
    """
    known = {(one["kind"], one["metadata"]["name"]) for one in before}
    named = {
        (one["kind"], one["metadata"]["name"]) for one in after if one["kind"] in _NAMED_BY_ROUTES
    }
    return bool(named - known) and any(kind in ROUTES for kind, _ in known)


def _wave(obj: Manifest, position: int) -> tuple[int, int]:
    for number, kinds in enumerate(_WAVES):
        if obj["kind"] in kinds:
            return number, 0
    return len(_WAVES), position
