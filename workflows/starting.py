"""How procedures are started, from the API and from the intake alike: ids, policies, summaries."""

from __future__ import annotations

from typing import Literal

from temporalio.client import Client, WithStartWorkflowOperation, WorkflowHandle
from temporalio.common import Priority, WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.deliveries import (
    Build,
    BuildRequest,
    BuildStarted,
    ClassUpgrade,
    ClassUpgradeRequest,
    Deployment,
    DeployRequest,
    DriftReport,
    DriftRequest,
    Enqueued,
    TaskRun,
    TaskRunRequest,
)
from domain.policies.priority import priority_of
from domain.records.stops import StopOrder, StopOutcome
from workflows.builds.build import BuildWorkflow
from workflows.builds.lane import BuildLaneWorkflow
from workflows.builds.requests import RequestBuildWorkflow
from workflows.classes.upgrades import ClassUpgradeWorkflow
from workflows.common.opening import opened
from workflows.deployments.attributes import deployment_attributes
from workflows.deployments.deployment import DeployWorkflow
from workflows.deployments.drift import DriftWorkflow
from workflows.guards.emergency_stops import EmergencyStopWorkflow
from workflows.tasks.runs import TaskRunWorkflow


async def start_build(
    client: Client, request: BuildRequest, *, again: Literal["if-failed", "never"] = "if-failed"
) -> BuildStarted:
    """Starts the build of a known commit, or adopts the one there is.

    Idempotent: the id is made of the commit. A build that succeeded is never repeated; one that
    did not is, unless ``again`` says never (redelivered webhooks).

    Raises:
        InvalidRequest: A name is not valid or the commit is not complete.
    """
    workflow_id = ids.build_id(request.organization, request.component, request.commit)
    reuse = (
        WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY
        if again == "if-failed"
        else WorkflowIDReusePolicy.REJECT_DUPLICATE
    )
    try:
        handle = await client.start_workflow(
            BuildWorkflow.run,
            request,
            id=workflow_id,
            task_queue=ids.ORCHESTRATION_QUEUE,
            id_reuse_policy=reuse,
            static_summary=f"build {request.component} at {request.commit[:12]}",
            static_details=_why(request.trigger.kind.value, request.trigger.actor),
        )
    except WorkflowAlreadyStartedError as known:
        return BuildStarted(
            workflow_id=workflow_id,
            run_id=known.run_id or "",
            commit=request.commit,
            existing=True,
        )
    return BuildStarted(
        workflow_id=workflow_id, run_id=handle.first_execution_run_id or "", commit=request.commit
    )


async def tell_build_lane(client: Client, organization: str) -> bool:
    """Tells the lane of an organization that its limit may have changed; False = there is none.

    Idempotent: the lane reads what is so when it is told.
    """
    lane = client.get_workflow_handle_for(BuildLaneWorkflow.run, ids.build_lane_id(organization))
    try:
        await lane.signal(BuildLaneWorkflow.limit_changed)
    except RPCError as error:
        if error.status is not RPCStatusCode.NOT_FOUND:
            raise
        return False
    return True


async def start_class_upgrade(
    client: Client, request: ClassUpgradeRequest
) -> WorkflowHandle[ClassUpgradeWorkflow, ClassUpgrade]:
    """Starts the upgrade of a class, or returns the one that runs.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await client.start_workflow(
        ClassUpgradeWorkflow.run,
        request,
        id=ids.class_upgrade_id(request.organization, request.class_kind, request.class_name),
        task_queue=ids.ORCHESTRATION_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"upgrade {request.class_kind} {request.class_name}",
        static_details=_why(request.trigger.kind.value, request.trigger.actor),
    )


async def start_task_run(
    client: Client, request: TaskRunRequest
) -> WorkflowHandle[TaskRunWorkflow, TaskRun]:
    """Starts one run of a scheduled task. Idempotent by its key, also after it ended.

    Raises:
        InvalidRequest: A name or the key is not valid.
        WorkflowAlreadyStartedError: The run of that key has ended.
    """
    return await client.start_workflow(
        TaskRunWorkflow.run,
        request,
        id=ids.task_run_id(
            request.organization, request.component, request.environment, request.key
        ),
        task_queue=ids.ORCHESTRATION_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"run {request.component} in {request.environment}",
        static_details=_why(request.trigger.kind.value, request.trigger.actor),
    )


async def request_build(
    client: Client, request: BuildRequest, key: str
) -> WorkflowHandle[RequestBuildWorkflow, BuildStarted]:
    """Starts the procedure that resolves a revision and starts its build.

    Idempotent by ``key``: equal keys are the same request. The handle's result says which build
    answers it.

    Raises:
        InvalidRequest: A name or the key is not valid.
    """
    return await client.start_workflow(
        RequestBuildWorkflow.run,
        request,
        id=ids.build_request_id(request.organization, request.component, key),
        task_queue=ids.ORCHESTRATION_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"build {request.revision or 'the branch'} of {request.component}",
        static_details=_why(request.trigger.kind.value, request.trigger.actor),
    )


async def signal_deployment(
    client: Client, request: DeployRequest
) -> WorkflowHandle[DeployWorkflow, Deployment]:
    """Asks for a deployment without waiting for a place in the queue.

    Idempotent by ``request.request_id`` while the queue of that place is not empty.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await opened(
        client,
        DeployWorkflow.run,
        request,
        place=ids.deploy_id(request.organization, request.component, request.environment),
        queue=ids.ORCHESTRATION_QUEUE,
        signal="requested",
        priority=Priority(priority_key=priority_of(request)),
        search_attributes=deployment_attributes(request),
        static_summary=_deploy_summary(request),
        static_details=_why(request.trigger.kind.value, request.trigger.actor),
    )


async def enqueue_deployment(
    client: Client, request: DeployRequest
) -> tuple[WorkflowHandle[DeployWorkflow, Deployment], Enqueued]:
    """Asks for a deployment and learns its place in the queue; starts the queue if needed.

    Idempotent by ``request.request_id``.

    Raises:
        InvalidRequest: A name is not valid.
    """
    start = WithStartWorkflowOperation(
        DeployWorkflow.run,
        request,
        id=ids.deploy_id(request.organization, request.component, request.environment),
        task_queue=ids.ORCHESTRATION_QUEUE,
        id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        priority=Priority(priority_key=priority_of(request)),
        search_attributes=deployment_attributes(request),
        static_summary=_deploy_summary(request),
        static_details=_why(request.trigger.kind.value, request.trigger.actor),
    )
    enqueued = await client.execute_update_with_start_workflow(
        DeployWorkflow.enqueue, request, start_workflow_operation=start, id=request.request_id
    )
    return await start.workflow_handle(), enqueued


async def signal_drift(
    client: Client, request: DriftRequest
) -> WorkflowHandle[DriftWorkflow, DriftReport]:
    """Has a place looked at, or looked at again. Looks asked for at once are one look.

    Raises:
        InvalidRequest: A name is not valid.
    """
    return await opened(
        client,
        DriftWorkflow.run,
        request,
        place=ids.drift_id(request.organization, request.component, request.environment),
        queue=ids.ORCHESTRATION_QUEUE,
        signal="changed",
        static_summary=f"drift of {request.component} in {request.environment}",
        static_details=f"Seen: {request.seen}" if request.seen else "A sweep",
    )


async def carry_out_stop(client: Client, order: StopOrder) -> StopOutcome:
    """Stops a place or lets it go on; returns when that holds. Idempotent by the order's key."""
    return await client.execute_workflow(
        EmergencyStopWorkflow.run,
        order,
        id=order.key,
        task_queue=ids.ORCHESTRATION_QUEUE,
        id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
        static_summary=f"{'stop' if order.stops else 'resume'} {order.place}",
        static_details=f"By {order.actor}: {order.reason}",
    )


async def build_result(client: Client, started: BuildStarted) -> Build:
    """Waits for the end of a build."""
    handle = client.get_workflow_handle_for(
        BuildWorkflow.run, started.workflow_id, run_id=started.run_id or None
    )
    return await handle.result()


def _deploy_summary(request: DeployRequest) -> str:
    what = request.artifact or request.component
    return f"deploy {what} to {request.environment}"


def _why(kind: str, actor: str) -> str:
    return f"Asked by {actor} ({kind})" if actor else f"Asked by {kind}"
