"""What the deletion of a resource would do, all the way down. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from domain.policies.teardown.parts import component_of, parts_of, users_of
from domain.resources.base import Resource
from domain.resources.binding import Binding
from domain.resources.component import Component, Project
from domain.resources.deployment import Deployment, Release
from domain.resources.environment import Environment
from domain.resources.organization import Organization


@dataclass(frozen=True)
class DeletionPlan:
    """What goes, in order, what keeps it from going, and what stays behind."""

    removes: tuple[Resource, ...]
    """The resource itself comes last."""
    waits_for: tuple[str, ...]
    """Who uses something that is to go, in words; empty = nothing is waited for."""
    keeps: tuple[str, ...]
    """What stays although it was made for it, in words."""


def deletion_plan(target: Resource, resources: Sequence[Resource]) -> DeletionPlan:
    """Returns what the deletion of a resource would do now.

    Args:
        target: What is to be deleted.
        resources: Everything of its organization, with the Organization itself.
    """
    removes = _all(target, resources)
    gone = {(one.kind, one.name) for one in removes}
    left = [one for one in resources if (one.kind, one.name) not in gone]
    waits = [
        f"{one.kind} {one.name} is used by {user}"
        for one in removes
        for user in users_of(one, [*left, one])
    ]
    return DeletionPlan(removes, tuple(dict.fromkeys(waits)), tuple(_kept(removes)))


def _all(target: Resource, resources: Sequence[Resource]) -> tuple[Resource, ...]:
    found: dict[tuple[str, str], Resource] = {}

    def take(one: Resource) -> None:
        if (one.kind, one.name) in found:
            return
        for wave in parts_of(one, resources):
            for part in wave:
                take(part)
        found[one.kind, one.name] = one

    take(target)
    return tuple(found.values())


def _kept(removes: Iterable[Resource]) -> Iterable[str]:
    removed = tuple(removes)
    if any(isinstance(one, Component | Binding) for one in removed):
        yield "history and audit in the records"
    if any(isinstance(one, Component) for one in removed):
        yield "images in the registry"
    if any(isinstance(one, Project | Organization) for one in removed):
        yield "secret values in OpenBao, which only its administrators destroy"


def words(one: Resource) -> str:
    """Returns what becomes of a resource, for people."""
    match one:
        case Binding():
            return f"its objects are taken down in {one.environment}"
        case Environment():
            return "its namespaces on the plane are removed"
        case Project():
            return "its namespaces on the planes are removed"
        case Organization():
            return "its namespace, rights and admission are removed, on planes as well"
        case Deployment() | Release():
            return f"record of {component_of(one)}"
        case _:
            return ""
