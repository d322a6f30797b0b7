"""Reads the resources of an organization that a rendering, a quota or a class is about."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic_core import from_json

from api.kinds import kind_of
from api.schemas.platform import ConsumerView, FieldChangeView, QuotaView
from api.views.components import all_of
from clients.kubernetes import Cluster
from clients.objects import ObjectStore
from domain.errors import InvalidRequest, NotFound
from domain.policies.class_waves import consumers_of
from domain.policies.quotas import Usage, quota_scopes, said
from domain.rendering.object_diff import changes_between
from domain.rendering.offline import Shelf, assemble
from domain.rendering.release import render_release
from domain.resources import (
    Component,
    ComponentClass,
    DataPlane,
    DeployableArtifact,
    DeploymentPipeline,
    Environment,
    Organization,
    Project,
    Release,
    Resource,
    Workload,
    parse_as,
)
from domain.resources.binding import Binding
from domain.resources.classes import ClassRevision
from domain.resources.configuration import ConfigurationGroup, ConfigurationRevision
from domain.resources.families import BINDINGS, FAMILIES, INSTANCES, Family
from domain.resources.interfaces import Connection, Endpoint


async def shelf_of(cluster: Cluster, organization: str, families: tuple[Family, ...]) -> Shelf:
    """Returns what components of these types are rendered from."""
    models: list[type[Resource]] = [
        Component,
        Workload,
        Environment,
        DataPlane,
        DeployableArtifact,
        ClassRevision,
        Endpoint,
        Connection,
        *INSTANCES,
        Project,
        DeploymentPipeline,
        ConfigurationGroup,
        ConfigurationRevision,
    ]
    for family in families:
        models += [family.binding, family.component_class]
    found = await asyncio.gather(*(all_of(cluster, model, organization) for model in models))
    owner = await cluster.find(kind_of(Organization), organization)
    owners = [parse_as(Organization, owner)] if owner else []
    return Shelf([*owners, *(one for listed in found for one in listed)])


async def consumers(
    cluster: Cluster, present: ComponentClass, *, plan: bool
) -> tuple[ConsumerView, ...]:
    """Returns who follows a class; with ``plan`` also what an upgrade would change."""
    family = next(one for one in FAMILIES.values() if one.component_class.kind == present.kind)
    shelf = await shelf_of(cluster, present.organization, (family,))
    production = [one.name for one in shelf.all(Environment) if one.spec.is_production]
    found = consumers_of(present, shelf.all(family.binding), production)
    views = []
    for one in found:
        changes: tuple[FieldChangeView, ...] = ()
        problem = ""
        if plan and one.needs:
            try:
                facts = assemble(shelf, one.component, one.environment, present_class=True)
                given = assemble(shelf, one.component, one.environment)
                changes = field_changes(
                    render_release(given).objects, render_release(facts).objects
                )
            except (NotFound, InvalidRequest) as error:
                problem = error.message
        views.append(
            ConsumerView(
                binding=one.binding,
                component=one.component,
                environment=one.environment,
                revision=one.revision,
                held=one.held,
                needs=one.needs,
                changes=changes,
                problem=problem,
            )
        )
    return tuple(views)


async def quotas(cluster: Cluster, organization: Organization) -> tuple[QuotaView, ...]:
    """Returns the quotas of an organization, its projects and environments with what is used."""
    where = organization.name
    projects, environments, components, bound = await asyncio.gather(
        all_of(cluster, Project, where),
        all_of(cluster, Environment, where),
        all_of(cluster, Component, where),
        asyncio.gather(*(all_of(cluster, model, where) for model in BINDINGS)),
    )
    bindings: list[Binding] = [one for listed in bound for one in listed]
    owners: list[Organization | Project | Environment] = [organization, *projects, *environments]
    scopes = quota_scopes(owners, bindings, {one.name: one.project for one in components})
    return tuple(
        QuotaView(
            scope=one.scope,
            resource=resource,
            used=used,
            limit=limit,
        )
        for one in scopes
        for resource, used, limit in _rows(one.quota.model_dump(), one.used)
    )


def _rows(quota: dict[str, object], used: Usage) -> list[tuple[str, str, str]]:
    limits = {key: "" if value is None else str(value) for key, value in quota.items()}
    return [
        ("cpu", said("cpu", used.cpu), limits.get("cpu", "")),
        ("memory", said("memory", used.memory), limits.get("memory", "")),
        ("objects", str(used.objects), limits.get("objects", "")),
        ("components", str(used.components), limits.get("components", "")),
    ]


async def objects_of_release(
    cluster: Cluster, objects: ObjectStore, release: str, organization: str
) -> tuple[dict[str, Any], ...]:
    """Returns the objects of a stored release, wherever they are; none when it is gone."""
    if not release:
        return ()
    found = await cluster.find(kind_of(Release), release, organization)
    if found is None:
        return ()
    running = parse_as(Release, found)
    if running.stored:
        return tuple(from_json(await objects.get(running.stored)))
    return running.spec.objects


def field_changes(
    before: Iterable[Mapping[str, Any]], after: Iterable[Mapping[str, Any]]
) -> tuple[FieldChangeView, ...]:
    """Returns what differs between two lists of objects, by field."""
    return tuple(FieldChangeView(**one.model_dump()) for one in changes_between(before, after))
