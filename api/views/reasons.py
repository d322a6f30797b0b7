"""Reads all that stands between an artifact and an environment, for the routes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from temporalio.client import Client, WorkflowHandle, WorkflowQueryRejectedError
from temporalio.common import QueryRejectCondition
from temporalio.service import RPCError, RPCStatusCode

from api.schemas.reasons import ObstacleView, WhyView
from clients.records import Records
from domain import ids
from domain.deliveries import OperationStatus, Trigger
from domain.deliveries.promotions import PromotionPlan, PromotionRequest
from domain.errors import PlatformError
from domain.policies.promotion.why import Obstacle, obstacles, stage_before
from domain.records.stops import Place, Stop
from workflows.promotions.starting import plan_promotion


class _Look(NamedTuple):
    """One environment on the way of an artifact."""

    plan: PromotionPlan
    obstacles: tuple[Obstacle, ...]
    is_under_way: bool


async def why(
    client: Client, records: Callable[[], Records], place: tuple[str, str, str], artifact: str
) -> WhyView:
    """Returns all that stands between an artifact and an environment, the nearest first.

    Where the artifact did not come to the environment before either, also what keeps it from there.
    Without the records nobody knows what is stopped; all else is told, and that this is not.

    Args:
        client: Of Temporal.
        records: They know what is stopped.
        place: Organization, component and environment.
        artifact: Empty = what runs before it.
    """
    organization, component, environment = place
    stops, missing = await _stops(records, Place(organization=organization))
    looks = [await _look(client, place, artifact, stops)]
    seen = {environment}
    while (stage := stage_before(looks[-1].plan)) and stage not in seen:
        seen.add(stage)
        looks.append(await _look(client, (organization, component, stage), artifact, stops))
    first = looks[0]
    found = first.plan.facts.artifact
    workflow_id = ids.promotion_id(organization, component, environment)
    return WhyView(
        organization=organization,
        component=component,
        environment=environment,
        artifact=found.name if found else artifact,
        there=not first.obstacles,
        obstacles=tuple(
            ObstacleView(environment=look.plan.facts.environment, **one.model_dump())
            for look in looks
            for one in look.obstacles
        ),
        operation=workflow_id if first.is_under_way else "",
        not_looked_at=missing,
    )


async def _look(
    client: Client, place: tuple[str, str, str], artifact: str, stops: tuple[Stop, ...]
) -> _Look:
    organization, component, environment = place
    request = PromotionRequest(
        organization=organization,
        component=component,
        environment=environment,
        artifact=artifact,
        request_id="why",
        trigger=Trigger(),
    )
    plan, running, deploying = await asyncio.gather(
        plan_promotion(client, request),
        _open(client, ids.promotion_id(organization, component, environment)),
        _open(client, ids.deploy_id(organization, component, environment)),
    )
    here = Place(organization=organization, environment=environment)
    held = [one for one in stops if one.place.covers(here)]
    return _Look(plan, obstacles(plan, running, deploying, held), running is not None)


async def _stops(
    records: Callable[[], Records], place: Place
) -> tuple[tuple[Stop, ...], tuple[str, ...]]:
    """Returns the stops of an organization, and why they are not known where they are not."""
    try:
        return await records().stops(place), ()
    except PlatformError as error:
        return (), (f"emergency stops: {error.message}",)


async def _open(client: Client, workflow_id: str) -> OperationStatus | None:
    """Returns where an operation stands; None = none of that id is open."""
    handle: WorkflowHandle[object, object] = client.get_workflow_handle(workflow_id)
    try:
        found: OperationStatus = await handle.query(
            "status", result_type=OperationStatus, reject_condition=QueryRejectCondition.NOT_OPEN
        )
    except WorkflowQueryRejectedError:
        return None
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return None
    return found
