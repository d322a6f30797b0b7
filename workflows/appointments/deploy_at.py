"""Waits until it is time for a deployment, and has it carried out by the queue of its place.

The wait is not in that queue, so it holds up nobody there: what is ordered, promoted or rolled back
meanwhile goes on, and drift is seen.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from domain import ids
from domain.deliveries import Deployment, DeployRequest, OperationStatus
from domain.deliveries.appointments import DeployAtRequest, check_ahead
from domain.errors import (
    CompensationFailed,
    Denied,
    Errored,
    PlatformError,
    RolloutFailed,
    Superseded,
)
from domain.phases import Phase
from domain.records import FactResult
from runtime.errors import as_domain_error, as_failure
from workflows.common.calls import to_the_end
from workflows.common.facts import Facts
from workflows.common.progress import Progress
from workflows.common.saga import Saga
from workflows.deployments.attempt import phase_of
from workflows.deployments.attributes import appointment_attributes, shown
from workflows.deployments.ordered import OrderedDeployments

_ERRORS: dict[Phase, type[PlatformError]] = {
    Phase.DENIED: Denied,
    Phase.ERRORED: Errored,
    Phase.SUPERSEDED: Superseded,
}


@workflow.defn
class DeployAtWorkflow:
    """One deployment that is to begin at a moment; one at a time waits for a place."""

    @workflow.init
    def __init__(self, request: DeployAtRequest) -> None:
        self._request = request
        self._progress = Progress(title(request), ("time", "deploy"))
        self._deployments = OrderedDeployments()
        self._facts = Facts(
            request.organization,
            f"{request.component} in {request.environment}",
            request.trigger,
            component=request.component,
            environment=request.environment,
        )
        shown(appointment_attributes(request, Phase.RUNNING))

    @workflow.signal
    def deployment_ended(self, deployment: Deployment) -> None:
        """The queue of the place tells how the deployment ended that was asked for here."""
        self._deployments.ended(deployment)

    @workflow.query
    def status(self) -> OperationStatus:
        """Where it stands and what it waits for."""
        return self._progress.status()

    @workflow.run
    async def run(self, request: DeployAtRequest) -> Deployment:
        """Waits, deploys; answers or fails as the deployment did. Cancelled = it is taken back."""
        saga = Saga()
        self._progress.begins(title(request))
        self._facts.add(
            "deployment.scheduled",
            result=FactResult.ASKED,
            after=request.artifact,
            message=f"not before {request.not_before:%Y-%m-%d %H:%M} UTC",
        )
        try:
            await self._facts.write()
            await self._waited()
            deployment = await self._deployed(saga)
        except (FailureError, PlatformError, asyncio.CancelledError) as failure:
            if is_cancelled_exception(failure):
                await to_the_end(self._cancelled(saga))
                raise
            error = as_domain_error(failure)
            self._progress.is_at(phase_of(error), error.message)
            raise as_failure(error) from failure
        self._progress.is_at(Phase.SUCCEEDED, deployment.message)
        return deployment

    async def _waited(self) -> None:
        """Returns when it is time.

        Raises:
            InvalidRequest: The moment is too far away.
        """
        until = self._request.not_before
        check_ahead(until, workflow.now())
        what = f"{until:%Y-%m-%d %H:%M} UTC"
        who = "who may cancel there, with `pavane operations cancel`"
        with self._progress.step("time", awaiting=what, until=until, who=who):
            if (pause := until - workflow.now()).total_seconds() > 0:
                await workflow.sleep(pause, summary=f"wait until {what}")

    async def _deployed(self, saga: Saga) -> Deployment:
        order, where = self._order(), self._request.environment
        saga.add("stopped the deployment", lambda: self._deployments.stop(order))
        with self._progress.step("deploy", awaiting=f"the deployment to {where}"):
            done = await self._deployments.carry_out(order)
            if done is None:
                raise Superseded(f"the deployment to {where} was taken out of its queue")
            if done.phase is not Phase.SUCCEEDED:
                error = _ERRORS.get(done.phase, RolloutFailed)
                raise error(done.message or done.phase.value, facts={"reason": done.reason})
        return done

    def _order(self) -> DeployRequest:
        request, info = self._request, workflow.info()
        return DeployRequest(
            organization=request.organization,
            component=request.component,
            environment=request.environment,
            request_id=f"at-{ids.content_hash(info.run_id)[:16]}",
            artifact=request.artifact,
            force_conflicts=request.force_conflicts,
            expires=request.expires,
            tell=info.workflow_id,
            trigger=request.trigger.model_copy(update={"reference": info.workflow_id}),
        )

    async def _cancelled(self, saga: Saga) -> None:
        message = ""
        try:
            await saga.compensate()
        except CompensationFailed as worse:
            message = worse.message
        self._facts.add_cancel("deployment.unscheduled", [*saga.undone, *filter(None, [message])])
        await self._facts.write_to_the_end()
        self._progress.is_at(Phase.CANCELLED, message or "; ".join(saga.undone))


def title(request: DeployAtRequest) -> str:
    """Says in a few words what is deployed where and when."""
    what = request.artifact or request.component
    return f"deploy {what} to {request.environment} at {request.not_before:%Y-%m-%d %H:%M} UTC"
