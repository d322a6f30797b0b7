"""How sets are started and told, from the API."""

from __future__ import annotations

from temporalio.client import Client, WorkflowHandle
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from domain import ids
from domain.deliveries.sets import ReleaseSet, SetCommand, SetRequest
from domain.errors import Conflict, InvalidRequest
from domain.policies.promotion import sets
from workflows.sets.release_set import ReleaseSetWorkflow


async def start_set(
    client: Client, request: SetRequest
) -> WorkflowHandle[ReleaseSetWorkflow, ReleaseSet]:
    """Starts a set. Idempotent by ``request.request_id`` while it is on its way.

    Raises:
        InvalidRequest: A name is not valid, or there is no order for the members.
        Conflict: Another set of that name is on its way there.
    """
    if why := sets.problem(request.members):
        raise InvalidRequest(f"set {request.name}: {why}")
    place = ids.set_id(request.organization, request.name, request.environment)
    try:
        return await client.start_workflow(
            ReleaseSetWorkflow.run,
            request,
            id=place,
            task_queue=ids.LANES_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=f"promote set {request.name} to {request.environment}",
            static_details=f"Asked by {request.trigger.actor or request.trigger.kind.value}",
        )
    except WorkflowAlreadyStartedError as error:
        running = await read_set(client, request.organization, request.name, request.environment)
        if running.request_id != request.request_id:
            raise Conflict(f"{place} is on its way already: give this set another name") from error
        return client.get_workflow_handle_for(ReleaseSetWorkflow.run, place, run_id=error.run_id)


async def read_set(client: Client, organization: str, name: str, environment: str) -> ReleaseSet:
    """Returns how the set of that name goes, or how the last one went.

    Raises:
        RPCError: NOT_FOUND when there is none.
    """
    handle = client.get_workflow_handle_for(
        ReleaseSetWorkflow.run, ids.set_id(organization, name, environment)
    )
    found: ReleaseSet = await handle.query(ReleaseSetWorkflow.members)
    return found


async def command_set(
    client: Client, organization: str, name: str, environment: str, command: SetCommand
) -> ReleaseSet:
    """Gives a person's word to a set that is on its way.

    Raises:
        WorkflowUpdateFailedError: It cannot be taken; the cause says why.
        RPCError: NOT_FOUND when there is none.
    """
    handle = client.get_workflow_handle_for(
        ReleaseSetWorkflow.run, ids.set_id(organization, name, environment)
    )
    answer: ReleaseSet = await handle.execute_update(ReleaseSetWorkflow.command, command)
    return answer
