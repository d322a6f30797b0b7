"""Runs scheduled tasks once, and lists their runs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response
from temporalio.exceptions import WorkflowAlreadyStartedError

from api.access import Access, AccessDep
from api.dependencies import ClusterDep, IdempotencyKey, TemporalDep
from api.operations.orders import accepted
from api.schemas.deliveries import Accepted
from api.schemas.platform import TaskRunList, TaskRunOrder, TaskRunView
from api.serving.idempotency import request_key
from api.views.components import component_of
from clients.kubernetes import Cluster, Kind
from domain import ids
from domain.deliveries import TaskRunRequest, Trigger
from domain.errors import InvalidRequest
from domain.policies.health import run_state
from domain.policies.objects import condition
from domain.rendering.labels import COMPONENT
from domain.resources import Action, Component
from domain.resources.component import ComponentType
from workflows.starting import start_task_run

router = APIRouter(prefix="/v1/tasks", tags=["tasks"])
_JOBS = Kind("batch/v1", "Job", "jobs", namespaced=True)
_CRON_JOBS = Kind("batch/v1", "CronJob", "cronjobs", namespaced=True)
_MANUAL = "cronjob.kubernetes.io/instantiate"


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
    organization: str, component: str, environment: str, access: AccessDep, cluster: ClusterDep
) -> TaskRunList:
    """Lists the runs that the plane still has, the newest first."""
    found = await _task(
        cluster,
        access,
        Action.READ,
        organization=organization,
        component=component,
        environment=environment,
    )
    namespace = ids.namespace(organization, found.project, environment)
    jobs = await cluster.list(_JOBS, namespace, f"{COMPONENT}={component}")
    cron_job = await cluster.find(_CRON_JOBS, component, namespace) or {"spec": {}}
    items = sorted((_view(job) for job in jobs.items), key=_age, reverse=True)
    return TaskRunList(
        component=component,
        environment=environment,
        schedule=cron_job["spec"].get("schedule", ""),
        time_zone=cron_job["spec"].get("timeZone", ""),
        suspended=bool(cron_job["spec"].get("suspend")),
        items=tuple(items),
    )


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


def _view(job: Mapping[str, Any]) -> TaskRunView:
    status, meta = job.get("status", {}), job["metadata"]
    state = run_state(job)
    ended = condition(job, "Failed" if state == "Failed" else "Complete")
    finished = status.get("completionTime") or ended.get("lastTransitionTime")
    return TaskRunView(
        name=meta["name"],
        state=state,
        manual=_MANUAL in (meta.get("annotations") or {}),
        started=_moment(status.get("startTime") or meta.get("creationTimestamp")),
        finished=_moment(finished) if state != "Running" else None,
        message=str(ended.get("message", "")) if state == "Failed" else "",
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _age(run_seen: TaskRunView) -> tuple[bool, str]:
    return run_seen.started is not None, str(run_seen.started)
