"""Runs scheduled tasks once, and lists their runs."""

from __future__ import annotations

from http import HTTPStatus

from fastapi import APIRouter, Response
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.access import Access, AccessDep
from api.dependencies import ClusterDep, IdempotencyKey, TemporalDep
from api.looks.trees import look
from api.operations.orders import accepted
from api.schemas.deliveries import Accepted
from api.schemas.platform import TaskRunList, TaskRunOrder
from api.serving.idempotency import request_key
from api.views.components import component_of
from clients.kubernetes import Cluster
from domain import ids
from domain.deliveries import TaskRunRequest, Trigger
from domain.deliveries.trees import TreeRequest
from domain.errors import InvalidRequest
from domain.policies.runs import MOST_RUNS
from domain.resources import Action, Component
from domain.resources.component import ComponentType
from workflows.starting import start_task_run

router = APIRouter(prefix="/v1/tasks", tags=["tasks"])


@router.post(
    "/{organization}/{component}/runs", status_code=HTTPStatus.ACCEPTED, summary="Run a task now"
)
async def run(
    *,
    organization: str,
    component: str,
    order: TaskRunOrder,
    response: Response,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
    idempotency_key: IdempotencyKey = None,
) -> Accepted:
    """Begins one run of what is deployed; the timetable stays as it is."""
    await _task(
        cluster,
        access,
        Action.DEPLOY,
        organization=organization,
        component=component,
        environment=order.environment,
    )
    key = request_key(idempotency_key, access.actor)
    request = TaskRunRequest(
        organization=organization,
        component=component,
        environment=order.environment,
        key=ids.content_hash(key)[:12],
        trigger=Trigger(actor=access.actor, reference=key),
    )
    try:
        handle = await start_task_run(client, request)
        answer = accepted(handle.id, handle.first_execution_run_id or "")
    except WorkflowAlreadyStartedError as known:
        answer = accepted(known.workflow_id, known.run_id or "", existing=True)
    response.headers["Location"] = answer.links.self
    return answer


@router.get("/{organization}/{component}/runs", summary="List the runs of a task")
async def list_runs(
    *,
    organization: str,
    component: str,
    environment: str,
    access: AccessDep,
    cluster: ClusterDep,
    client: TemporalDep,
) -> TaskRunList:
    """Lists the runs that the plane still has, the newest first, at most a hundred.

    The worker of the plane looks, so it may be any plane; 503 when it does not answer.
    """
    await _task(
        cluster,
        access,
        Action.READ,
        organization=organization,
        component=component,
        environment=environment,
    )
    request = TreeRequest(
        organization=organization, component=component, environment=environment, runs=MOST_RUNS
    )
    return TaskRunList.of(await look(client, request))


async def _task(
    cluster: Cluster,
    access: Access,
    action: Action,
    *,
    organization: str,
    component: str,
    environment: str,
) -> Component:
    """Returns the scheduled task if the person may do that there."""
    await access.organization(organization)
    ids.slug(environment, "environment")
    found = await component_of(cluster, organization, component)
    await access.require(organization, action, project=found.project, environment=environment)
    if found.spec.component_type is not ComponentType.SCHEDULED_TASK:
        raise InvalidRequest(
            f"component {component} is a {found.spec.component_type}, not a ScheduledTask"
        )
    return found
