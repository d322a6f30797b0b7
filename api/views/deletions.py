"""Shows what a deletion would do, and asks whether the person may do all of it."""

from __future__ import annotations

import asyncio

from api.access import Access
from api.kinds import kind_of
from api.schemas.deliveries import DeletedPart, DeletionPlanView
from api.views.resources import Places
from clients.kubernetes import Cluster
from domain.errors import InvalidRequest
from domain.policies.teardown.parts import kinds_needed
from domain.policies.teardown.plans import DeletionPlan, deletion_plan, words
from domain.resources import (
    KINDS,
    Action,
    Binding,
    Component,
    Organization,
    Project,
    Resource,
    parse_as,
)


async def planned(cluster: Cluster, access: Access, target: Resource) -> DeletionPlan:
    """Returns what the deletion of a resource would do now.

    Raises:
        Denied: A component would be taken down in a place where the person may not deploy.
    """
    resources = await _near(cluster, target)
    plan = deletion_plan(target, resources)
    bindings = [one for one in plan.removes if isinstance(one, Binding)]
    if bindings:
        organization = await access.organization(target.organization)
        places = Places(one for one in resources if isinstance(one, Component))
        for one in bindings:
            project, environment = places.of_resource(one)
            access.permit(organization, Action.DEPLOY, project=project, environment=environment)
    return plan


def shown(plan: DeletionPlan) -> DeletionPlanView:
    """Returns a plan as the API shows it."""
    return DeletionPlanView(
        removes=tuple(
            DeletedPart(kind=one.kind, name=one.name, what=words(one)) for one in plan.removes
        ),
        waits_for=plan.waits_for,
        keeps=plan.keeps,
    )


async def _near(cluster: Cluster, target: Resource) -> list[Resource]:
    """Reads what may be part of a resource or use it; parts may have parts of their own."""
    where = target.organization
    is_deep = isinstance(target, Organization | Project)
    kinds = kinds_needed(Organization.kind if is_deep else target.kind)
    lists = await asyncio.gather(*(cluster.list(kind_of(KINDS[kind]), where) for kind in kinds))
    found: list[Resource] = []
    for kind, listing in zip(kinds, lists, strict=True):
        for item in listing.items:
            try:
                found.append(parse_as(KINDS[kind], item))
            except InvalidRequest:
                continue  # written under another version of the schema
    organization = await cluster.find(kind_of(Organization), where)
    if organization is not None:
        found.append(parse_as(Organization, organization))
    return found
