"""What is held against deletion, and what is taken down: pure functions of what exists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain import ids
from domain.deliveries import Trigger
from domain.deliveries.teardown import TeardownRequest
from domain.policies.teardown.holds import is_torn_down, wants_hold
from domain.policies.teardown.parts import kinds_needed, parts_of, users_of
from domain.resources import KINDS, Organization, Resource
from intake.world import World


@dataclass(frozen=True)
class TearDown:
    """A resource is being deleted, and what it stands for has to be taken down."""

    request: TeardownRequest


def wanted_teardown(resource: Resource, world: World, trigger: Trigger) -> TearDown | None:
    """Returns what to ask for; None = the resource is not on its way out, or is not held.

    What it waits for is part of the answer, so that a change of that is another decision.
    """
    if not is_torn_down(resource):
        return None
    near = [
        one
        for kind in kinds_needed(resource.kind)
        for one in world.all_of(KINDS[kind], resource.organization)
    ]
    organization = world.find(Organization, resource.organization, resource.organization)
    near += [organization] if organization is not None else []
    wave = next(filter(None, parts_of(resource, near)), ())
    parts = [(one.kind, one.name, one.is_deleted) for one in wave]
    return TearDown(
        TeardownRequest(
            organization=resource.organization,
            kind=resource.kind,
            name=resource.name,
            uid=resource.metadata.uid,
            seen=ids.content_hash([users_of(resource, near), parts])[:12],
            trigger=trigger,
        )
    )


def is_to_be_held(resource: Resource, world: World) -> bool:
    """Tells whether the platform has to hold a resource from now on."""
    organization = world.find(Organization, resource.organization, resource.organization)
    return wants_hold(resource, _naming(resource, world), organization)


def _naming(resource: Resource, world: World) -> Iterator[Resource]:
    yield from world.naming(resource, Resource)
