"""Renders a component as a deployment would, and tells what would change."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from api.schemas.platform import RenderView
from api.views.shelves import field_changes, objects_of_release, shelf_of
from clients.kubernetes import Cluster
from clients.objects import ObjectStore
from domain.rendering.facts import GatewayDefaults
from domain.rendering.network.judging import changed_openings, party_of
from domain.rendering.network.pairs import changed_pairs, left_out_said, neighbours
from domain.rendering.offline import Shelf, assemble
from domain.rendering.release import render_release
from domain.resources import Component
from domain.resources.families import BINDINGS, FAMILIES
from domain.resources.interfaces import Connection

Objects = Sequence[dict[str, Any]]


class _Around(NamedTuple):
    """Where the neighbours of a component are looked for."""

    shelf: Shelf
    component: Component
    environment: str


async def rendered(
    cluster: Cluster,
    objects: ObjectStore,
    component: Component,
    environment: str,
    *,
    gateway: GatewayDefaults,
    present_class: bool,
    sees: Callable[[str], bool],
) -> RenderView:
    """Renders a component and compares it with the release that runs.

    ``sees`` tells of which projects the caller may know what runs there.

    Raises:
        NotFound: Something that is named is not there.
        InvalidRequest: It cannot be rendered; says which class, path and expression.
    """
    shelf = await shelf_of(cluster, component.organization, tuple(FAMILIES.values()))
    facts = assemble(
        shelf, component.name, environment, gateway=gateway, present_class=present_class
    )
    release = render_release(facts)
    running = facts.binding.status.release_ref
    before = await objects_of_release(cluster, objects, running, component.organization)
    around = _Around(shelf, component, environment)
    return RenderView(
        component=component.name,
        environment=environment,
        binding=facts.binding.name,
        class_revision=facts.component_class.revision,
        release=release.name,
        running=running,
        objects=release.objects,
        changes=field_changes(before, release.objects),
        network=changed_openings(before, release.objects),
        pairs=await _pairs(cluster, objects, around, before, release.objects, sees),
        notes=release.notes,
    )


async def _pairs(  # noqa: PLR0917 - the two releases, and where to look
    cluster: Cluster,
    objects: ObjectStore,
    around: _Around,
    before: Objects,
    after: Objects,
    sees: Callable[[str], bool],
) -> tuple[str, ...]:
    """Judges the pairs with the neighbours that run; those the caller may not see are left out."""
    name, organization = around.component.name, around.component.organization
    connections = around.shelf.all(Connection)
    callers = {one.component for one in connections if one.spec.target.component_ref == name}
    found = neighbours(before, after, callers)
    shown = {
        one.name
        for one in around.shelf.all(Component)
        if one.name in found.read and sees(one.project)
    }
    releases = [
        one.status.release_ref
        for model in BINDINGS
        for one in around.shelf.all(model)
        if one.environment == around.environment and one.component in shown
    ]
    read = await asyncio.gather(
        *(objects_of_release(cluster, objects, one, organization) for one in releases)
    )
    parties = (party_of(one) for one in read)
    told = changed_pairs(before, after, (one for one in parties if one is not None))
    return (*told, *left_out_said(found))
