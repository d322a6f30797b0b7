"""Which components may talk to which before and after a release: judged, not compared as text."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from domain.rendering.labels import COMPONENT
from domain.rendering.network.judging import Call, Party, judge_call, party_of
from domain.rendering.network.reading import Direction, Rule

MOST_NEIGHBOURS = 50
"""Of how many other components the releases are read to tell what changes."""
Objects = Sequence[Mapping[str, Any]]


class Neighbours(NamedTuple):
    """Whose releases have to be looked at to tell what a release changes, sorted."""

    read: tuple[str, ...]
    left_out: int = 0
    """How many there are besides."""


def neighbours(before: Objects, after: Objects, callers: Iterable[str]) -> Neighbours:
    """Returns the components whose pairs with this one may change; usually none.

    Args:
        before: Objects of the release that runs; empty = nothing runs.
        after: Objects of the release that takes its place.
        callers: Components that declare a Connection to it.
    """
    old, new = party_of(before), party_of(after)
    out, into = _different(old, new, "out"), _different(old, new, "in")
    found = {peer.pods[COMPONENT] for rule in out for peer in rule.peers if COMPONENT in peer.pods}
    if into or _ports(old) != _ports(new):
        found |= set(callers)
    found -= {one.name for one in (old, new) if one is not None}
    names = sorted(found)
    return Neighbours(tuple(names[:MOST_NEIGHBOURS]), max(0, len(names) - MOST_NEIGHBOURS))


def changed_pairs(before: Objects, after: Objects, others: Iterable[Party]) -> tuple[str, ...]:
    """Returns the pairs that may talk then and may not now (``+``), and the other way (``-``).

    Args:
        before: Objects of the release that runs; empty = nothing runs.
        after: Objects of the release that takes its place.
        others: What runs of its neighbours.
    """
    known = list(others)
    old, new = _talks(party_of(before), known), _talks(party_of(after), known)
    return (*(f"+ {one}" for one in sorted(new - old)), *(f"- {one}" for one in sorted(old - new)))


def left_out_said(around: Neighbours) -> tuple[str, ...]:
    """Returns what is told of neighbours that were not looked at; nothing when all were."""
    if not around.left_out:
        return ()
    return (f"{around.left_out} more components were not looked at: see the ways",)


def _talks(own: Party | None, others: Iterable[Party]) -> set[str]:
    if own is None:
        return set()
    return {
        f"{source.name} may call {target.name} at {protocol} {port}"
        for other in others
        for source, target in ((own, other), (other, own))
        for port, protocol in target.ports
        if judge_call(source, target, Call(port=port, protocol=protocol)).allowed
    }


def _different(old: Party | None, new: Party | None, direction: Direction) -> list[Rule]:
    """The rules of a direction that only one of the two has, whatever their place is."""
    before, after = _ways(old, direction), _ways(new, direction)
    gone = [one for one in before if one not in after]
    return [*gone, *(one for one in after if one not in before)]


def _ways(party: Party | None, direction: Direction) -> list[Rule]:
    rules = (rule for one in (party.policies if party else ()) for rule in one.rules)
    unnumbered = {"number": 0, "policy": ""}
    return [one.model_copy(update=unnumbered) for one in rules if one.direction == direction]


def _ports(party: Party | None) -> tuple[tuple[int, str], ...]:
    return party.ports if party else ()
