"""The memory of places as others see it: read, changed, listed."""

from __future__ import annotations

from datetime import timedelta

from temporalio.client import (
    Client,
    WithStartWorkflowOperation,
    WorkflowQueryRejectedError,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import (
    QueryRejectCondition,
    WorkflowIDConflictPolicy,
    WorkflowIDReusePolicy,
)
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.deliveries.standings import Standing, StandingChange
from domain.errors import DependencyUnavailable
from runtime import search_attributes as attributes
from workflows.promotions.standing import StandingWorkflow

_ANSWER = timedelta(seconds=10)


class TemporalStandings:
    """Asks the workflows that remember. Implements what activities need of them."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read(self, organization: str, component: str, environment: str) -> Standing:
        """Returns what is remembered of a place; nothing, when nobody remembers anything.

        Raises:
            DependencyUnavailable: No worker answers, so nobody knows.
        """
        nothing = Standing(organization=organization, component=component, environment=environment)
        place = ids.standing_id(organization, component, environment)
        handle = self._client.get_workflow_handle_for(StandingWorkflow.run, place)
        try:
            found: Standing = await handle.query(
                StandingWorkflow.standing,
                reject_condition=QueryRejectCondition.NOT_OPEN,
                rpc_timeout=_ANSWER,
            )
        except WorkflowQueryRejectedError:
            return nothing
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return nothing
            raise DependencyUnavailable(f"{place}: no worker answers") from error
        return found

    async def change(self, change: StandingChange) -> Standing:
        """Changes what is remembered; begins to remember when nobody does.

        Idempotent by the key of the change.

        Raises:
            DependencyUnavailable: No worker took it; it may be sent again.
        """
        place = ids.standing_id(change.organization, change.component, change.environment)
        start = WithStartWorkflowOperation(
            StandingWorkflow.run,
            Standing(
                organization=change.organization,
                component=change.component,
                environment=change.environment,
            ),
            id=place,
            task_queue=ids.LANES_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            static_summary=f"what may run of {change.component} in {change.environment}",
        )
        try:
            answer: Standing = await self._client.execute_update_with_start_workflow(
                StandingWorkflow.change,
                change,
                start_workflow_operation=start,
                id=change.key,
                rpc_timeout=_ANSWER,
            )
        except (
            RPCError,
            WorkflowUpdateFailedError,
            WorkflowUpdateRPCTimeoutOrCancelledError,
        ) as error:
            raise DependencyUnavailable(f"{place}: no worker took the change") from error
        return answer

    async def awaiting(self, organization: str, limit: int = 500) -> list[Standing]:
        """Returns the places of an organization where a person may lift something."""
        query = (
            f"WorkflowType = 'StandingWorkflow' AND ExecutionStatus = 'Running' "
            f"AND {attributes.ORGANIZATION.name} = '{ids.slug(organization, 'organization')}' "
            f"AND {attributes.AWAITING.name} = true"
        )
        return [
            await self.read(*ids.standing_place(one.id))
            async for one in self._client.list_workflows(query, limit=limit)
        ]
