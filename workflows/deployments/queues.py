"""The queues of deployments as other procedures see them: busy, idle, asked, done."""

from __future__ import annotations

from contextlib import suppress

from temporalio.client import (
    Client,
    WorkflowExecutionStatus,
    WorkflowFailureError,
    WorkflowQueryFailedError,
    WorkflowUpdateFailedError,
)
from temporalio.service import RPCError, RPCStatusCode

from domain import ids
from domain.deliveries import Deployment, DeployRequest, OperationStatus
from domain.deliveries.promotion_effects import FoundDeployment, OrderState
from domain.errors import DependencyUnavailable
from workflows.deployments.deployment import DeployWorkflow
from workflows.starting import signal_deployment


class TemporalDeployQueues:
    """Asks Temporal, which knows for certain whether a deployment runs.

    Implements what the drift activities need, so that these know no workflows.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    async def is_busy(self, organization: str, component: str, environment: str) -> bool:
        """Tells whether a deployment of the place runs or waits."""
        place = ids.deploy_id(organization, component, environment)
        try:
            description = await self._client.get_workflow_handle(place).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return False
            raise DependencyUnavailable(f"{place}: Temporal does not answer") from error
        return description.status is WorkflowExecutionStatus.RUNNING

    async def idle(self, organization: str, component: str, environment: str) -> None:
        """Returns when none does. Waits for the event of the end; nothing is polled."""
        await self._ended(ids.deploy_id(organization, component, environment))

    async def ask(self, request: DeployRequest) -> None:
        """Puts a request into the queue of its place. Idempotent by ``request_id``."""
        try:
            await signal_deployment(self._client, request)
        except RPCError as error:
            raise DependencyUnavailable(
                f"{request.request_id}: Temporal does not take it"
            ) from error

    async def outcome(self, request: DeployRequest) -> Deployment | None:
        """Waits for the end of a request that was asked for; None when nothing is known of it."""
        place = ids.deploy_id(request.organization, request.component, request.environment)
        await self._ended(place)
        handle = self._client.get_workflow_handle_for(DeployWorkflow.run, place)
        try:
            status: OperationStatus = await handle.query(DeployWorkflow.status)
        except WorkflowQueryFailedError:
            return None
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise DependencyUnavailable(f"{place}: no worker answers") from error
        done = (one for one in status.deployments if one.request_id == request.request_id)
        return next(done, None)

    async def look(self, request: DeployRequest) -> FoundDeployment:
        """Returns where a request stands. Idempotent: a reading."""
        place = ids.deploy_id(request.organization, request.component, request.environment)
        handle = self._client.get_workflow_handle_for(DeployWorkflow.run, place)
        try:
            is_open = (await handle.describe()).status is WorkflowExecutionStatus.RUNNING
            status: OperationStatus = await handle.query(DeployWorkflow.status)
        except WorkflowQueryFailedError:
            return FoundDeployment(state=OrderState.LOST)
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return FoundDeployment(state=OrderState.LOST)
            raise DependencyUnavailable(f"{place}: no worker answers") from error
        for one in status.deployments:
            if one.request_id == request.request_id:
                return FoundDeployment(state=OrderState.OVER, deployment=one)
        waits = is_open and request.request_id in {status.running, *status.queue}
        return FoundDeployment(state=OrderState.OPEN if waits else OrderState.LOST)

    async def stop(self, request: DeployRequest) -> OrderState:
        """Takes a request out of its queue, or cancels it while it runs. Idempotent.

        Open = it is being undone, and its queue tells when that is over.
        """
        found = await self.look(request)
        if found.state is not OrderState.OPEN:
            return found.state
        place = ids.deploy_id(request.organization, request.component, request.environment)
        handle = self._client.get_workflow_handle_for(DeployWorkflow.run, place)
        try:
            if await handle.execute_update(DeployWorkflow.withdraw, request.request_id):
                return OrderState.LOST
            found = await self.look(request)
            if found.state is OrderState.OPEN:
                await handle.cancel()
        except (RPCError, WorkflowUpdateFailedError) as error:
            raise DependencyUnavailable(f"{place}: Temporal does not take it") from error
        return found.state

    async def _ended(self, place: str) -> None:
        handle = self._client.get_workflow_handle_for(DeployWorkflow.run, place)
        try:
            # How the last of the queue went is not the question here.
            with suppress(WorkflowFailureError):
                await handle.result()
        except RPCError as error:
            if error.status is not RPCStatusCode.NOT_FOUND:
                raise DependencyUnavailable(f"{place}: Temporal does not answer") from error
