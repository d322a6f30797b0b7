"""Checks of Temporal: the server, its namespace, and who serves each task queue."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.operatorservice.v1 import ListSearchAttributesRequest
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import (
    DescribeNamespaceRequest,
    DescribeTaskQueueRequest,
    GetSystemInfoRequest,
)
from temporalio.client import Client
from temporalio.service import RPCError

from api.installation.findings import Finding, bad, doubtful, good
from api.kinds import kind_of
from api.services import Services
from domain import ids
from domain.errors import DependencyUnavailable
from domain.resources import BuildPlane, DataPlane, parse_as
from runtime import search_attributes

_DAY = 86_400
_POLLED = timedelta(minutes=2)
"""A worker asks anew at least once a minute; Temporal names for five who asked."""
_RETENTION_DAYS = 3
"""Shorter, and what people ask about the day after a long weekend is forgotten."""
_WORKFLOWS = TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW
_ACTIVITIES = TaskQueueType.TASK_QUEUE_TYPE_ACTIVITY


async def server(services: Services) -> Sequence[Finding]:
    """Version, namespace, how long it remembers, and what operations are found by."""
    client = await services.temporal()
    try:
        info = await client.workflow_service.get_system_info(GetSystemInfoRequest())
        namespace = await client.workflow_service.describe_namespace(
            DescribeNamespaceRequest(namespace=client.namespace)
        )
        known = await client.operator_service.list_search_attributes(
            ListSearchAttributesRequest(namespace=client.namespace)
        )
    except RPCError as error:
        raise DependencyUnavailable(f"namespace {client.namespace}: {error.message}") from error
    days = namespace.config.workflow_execution_retention_ttl.ToTimedelta().total_seconds() / _DAY
    said = f"server {info.server_version}, namespace {client.namespace} keeps {days:.0f} days"
    found = [good("temporal", said)]
    if days < _RETENTION_DAYS:
        found = [
            doubtful(
                "temporal",
                said,
                "temporal operator namespace update --retention 168h "
                f"--namespace {client.namespace}",
            )
        ]
    if missing := sorted(search_attributes.names() - set(known.custom_attributes)):
        found.append(
            bad(
                "search attributes",
                f"namespace {client.namespace} has no {', '.join(missing)}",
                "start a worker, which adds them; its log says why Temporal refuses",
            )
        )
    return found


async def queues(services: Services) -> Sequence[Finding]:
    """Whether somebody takes work from every task queue, also those of planes."""
    client = await services.temporal()
    cluster = await services.cluster()
    planes: dict[str, tuple[str, TaskQueueType.ValueType]] = {}
    data = await cluster.list(kind_of(DataPlane))
    builds = await cluster.list(kind_of(BuildPlane))
    declared: list[DataPlane | BuildPlane] = [parse_as(DataPlane, one) for one in data.items]
    declared += [parse_as(BuildPlane, one) for one in builds.items]
    for plane in declared:
        role = "plane" if plane.spec.credentials is None else "planes"
        planes[plane.task_queue] = (role, _ACTIVITIES)
    roles = {
        ids.ORCHESTRATION_QUEUE: ("orchestration", _WORKFLOWS),
        ids.LANES_QUEUE: ("orchestration", _WORKFLOWS),
        ids.CONTROL_QUEUE: ("control", _ACTIVITIES),
        ids.GATES_QUEUE: ("control", _ACTIVITIES),
        **{queue: planes[queue] for queue in sorted(planes)},
    }
    found = [await _served(client, queue, *role) for queue, role in roles.items()]
    secrets = await _served(client, ids.SECRETS_QUEUE, "secrets", _ACTIVITIES)
    if secrets.remedy:
        secrets = doubtful(
            secrets.check,
            "no worker serves it: heads of audit chains are not signed",
            "start pavane-worker with the role secrets and PAVANE_VAULT__ADDRESS",
        )
    return [*found, secrets]


async def _served(client: Client, queue: str, role: str, kind: TaskQueueType.ValueType) -> Finding:
    request = DescribeTaskQueueRequest(
        namespace=client.namespace, task_queue=TaskQueue(name=queue), task_queue_type=kind
    )
    try:
        answer = await client.workflow_service.describe_task_queue(request)
    except RPCError as error:
        raise DependencyUnavailable(f"task queue {queue}: {error.message}") from error
    name = f"task queue {queue}"
    now = datetime.now(UTC)
    asking = [one for one in answer.pollers if now - one.last_access_time.ToDatetime(UTC) < _POLLED]
    if asking:
        return good(name, f"served by {len(asking)}")
    plane = f", PAVANE_WORKER__PLANE={queue.partition('.')[2]}" if role == "plane" else ""
    return bad(
        name,
        "no worker serves it: what is sent there waits",
        f'start pavane-worker with PAVANE_WORKER__ROLES=["{role}"]{plane}',
    )
