"""Brings a component in an environment to what its binding wants, or leaves it as it was.

One workflow per (component, environment) works off its requests in order, so two deployments
never meet (docs/decisions/0003). It ends when its queue is empty.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.releases.rendering import ReleaseActivities
from domain import ids
from domain.deliveries import (
    Deployment,
    DeployRequest,
    Enqueued,
    FreezeVerdict,
    OperationStatus,
    PreparedRelease,
)
from domain.deliveries.parking import Choice, Parked, Resolution
from domain.errors import CompensationFailed, FreezeActive, PlatformError, Superseded
from domain.phases import Phase
from domain.policies import parking
from domain.policies.queue import check_in_time
from domain.records.stops import Place
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.common.brake import Brake
from workflows.common.calls import QUICK, call, stop_if_cancelled, to_the_end
from workflows.common.parking import Parking
from workflows.common.progress import Progress
from workflows.common.saga import Saga
from workflows.deployments.attempt import Attempt, phase_of
from workflows.deployments.attributes import deployment_attributes
from workflows.deployments.facts import asked_now, given_way
from workflows.deployments.ordered import tell_ended
from workflows.deployments.queue import DeployQueue
from workflows.deployments.rolling import sweep
from workflows.deployments.rolling_out import roll_out
from workflows.guards.edges import Edge
from workflows.guards.thaw import Thaw

_STEPS = ("prepare", "apply", "rollout", "record")


@workflow.defn
class DeployWorkflow:
    """Puts one release after another into one place, each completely or not at all."""

    @workflow.init
    def __init__(self, request: DeployRequest) -> None:
        self._queue = DeployQueue()
        for each in (request.model_copy(update={"behind": ()}), *request.behind):
            self._queue.add(asked_now(each))
        self._progress = Progress(f"deploy {request.component} to {request.environment}", _STEPS)
        self._thaw = Thaw(self._progress)
        self._edge = Edge()
        self._brake = Brake(
            Place(organization=request.organization, environment=request.environment),
            self._progress,
        )
        self._parking = Parking("deploy", self._progress)
        self._results: list[Deployment] = []
        if workflow.info().typed_search_attributes.get(attributes.KIND) is None:
            # Whoever starts it by hand does not tell them.
            given = deployment_attributes(request, Phase.PENDING)
            workflow.upsert_search_attributes([one.key.value_set(one.value) for one in given])

    @workflow.run
    async def run(self, _request: DeployRequest) -> Deployment:
        """Works off the queue; answers with the last deployment, or fails as it failed."""
        failure: PlatformError | None = None
        while (current := self._queue.take()) is not None:
            self._progress.restart(f"deploy {current.component} to {current.environment}")
            try:
                failure = await self._one(current)
            except (asyncio.CancelledError, FailureError):
                await self._go_on()
                raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        if failure is not None:
            raise as_failure(failure)
        return self._results[-1]

    async def _go_on(self) -> None:
        """Lets a queue whose running deployment was cancelled go on with those that wait."""
        await workflow.wait_condition(workflow.all_handlers_finished)
        rest = self._queue.rest()
        if rest is not None:
            workflow.continue_as_new(rest)

    @workflow.signal
    def requested(self, request: DeployRequest) -> None:
        """Somebody or something asked for a deployment; equal requests count once."""
        self._queue.add(asked_now(request))

    @workflow.signal
    def stop_changed(self) -> None:
        """Somebody stopped something in an emergency, or let it go on."""
        self._brake.changed()

    @workflow.signal
    def freezes_changed(self) -> None:
        """A freeze window was changed or overridden: whoever waits or works looks again."""
        self._thaw.changed()
        self._edge.changed()

    @workflow.update
    def resolve(self, resolution: Resolution) -> Parked | None:
        """Decides what becomes of a parked deployment: retry, skip, fix or compensate."""
        return self._parking.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._parking.check(resolution)

    @workflow.update
    def enqueue(self, request: DeployRequest) -> Enqueued:
        """Queues a deployment and answers at once with its position."""
        return self._queue.add(asked_now(request))

    @workflow.update
    def withdraw(self, request_id: str) -> bool:
        """Takes a waiting request out of the queue; False when it does not wait (any more)."""
        return self._queue.withdraw(request_id)

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the running deployment stands and who waits behind it."""
        done = {
            "deployments": tuple(self._results),
            "running": self._queue.running,
            "parked": self._parking.parked,
        }
        return self._progress.status(self._queue.waiting).model_copy(update=done)

    async def _one(self, request: DeployRequest) -> PlatformError | None:
        """Does one deployment; returns why it failed, raises only when it was cancelled."""
        started = workflow.now()
        saga = Saga()
        attempt = Attempt(request, started)
        try:
            self._results.append(await self._until_decided(attempt, saga))
        except asyncio.CancelledError:
            await to_the_end(self._end(attempt, saga, None))
            raise
        except (FailureError, PlatformError) as failure:
            if is_cancelled_exception(failure):
                await to_the_end(self._end(attempt, saga, None))
                raise
            error = as_domain_error(failure)
            self._queue.renders(int(error.facts.get("generation", 0)))
            return await to_the_end(self._end(attempt, saga, error))
        return None

    async def _until_decided(self, attempt: Attempt, saga: Saga) -> Deployment:
        """Deploys; a technical fault that outlasts its budget waits for a person to decide."""
        while True:
            try:
                return await self._deploy(attempt, saga)
            except FreezeActive as frozen:
                await self._undo_for(frozen, attempt, saga)
                continue
            except (FailureError, PlatformError) as failure:
                error = as_domain_error(failure)
                step = self._progress.failed_step
                waits = bool(self._queue.waiting)
                parks = parking.parks("deploy", step, error, others_wait=waits)
                # Runs that began before there was parking end as they would have.
                if is_cancelled_exception(failure) or not parks or not workflow.patched("parking"):
                    raise
            decision = await self._parking.ask(
                error, attempt.facts, gives_way=lambda: bool(self._queue.waiting)
            )
            if decision.choice is Choice.COMPENSATE:
                raise error
            if decision.choice is Choice.SKIP:
                self._progress.skip(step, f"skipped by {decision.actor}: {decision.reason}")
                return await self._record(attempt, Phase.SUCCEEDED)
            attempt.begin_again(decision)

    async def _undo_for(self, frozen: FreezeActive, attempt: Attempt, saga: Saga) -> None:
        """Brings back what ran before, because a freeze wants that; then all begins anew.

        Raises:
            CompensationFailed: That was not possible.
        """
        with self._progress.waiting(f"what ran before, for {frozen.message}"):
            await saga.compensate()
        stop_if_cancelled()
        attempt.facts.frozen(frozen.message)
        attempt.begin_again()
        self._progress.restart()

    async def _deploy(self, attempt: Attempt, saga: Saga) -> Deployment:
        request = attempt.request
        self._progress.begins(f"deploy {request.component} to {request.environment}")
        with self._progress.step("prepare"):
            release = attempt.release = await self._prepared(request)
        attempt.facts.prepared(release)
        self._queue.renders(release.generation)
        stop_if_cancelled()
        if release.changed:
            await roll_out(attempt, release, saga, self._progress, self._edge)
        elif release.swept:
            with self._progress.step("apply"):
                await sweep(release)
        else:
            for name in ("apply", "rollout"):
                self._progress.skip(name, f"{release.bundle.release} runs already")
        with self._progress.step("record"):
            return await self._record(attempt, Phase.SUCCEEDED)

    async def _prepared(self, request: DeployRequest) -> PreparedRelease:
        """Renders; parks while the place is stopped and renders anew when it goes on."""
        while True:
            self._thaw.looks()
            release = await self._brake.past(lambda: _rendered(request))
            if await self._brake.safe_point():
                continue
            if release.freeze is None or release.freeze.is_open:
                return release
            await self._frozen(release.freeze, request)

    async def _frozen(self, verdict: FreezeVerdict, request: DeployRequest) -> None:
        """Waits while the place is frozen, unless somebody comes: then that one is next.

        Raises:
            Superseded: Another request came. It is newer, or brings back what ran.
        """
        await self._thaw.wait(verdict, lambda: bool(self._queue.waiting), last=request.expires)
        if self._queue.waiting:
            raise Superseded(f"gave way to {self._queue.waiting[0]} while {verdict.message}")

    async def _end(
        self, attempt: Attempt, saga: Saga, failure: PlatformError | None
    ) -> PlatformError | None:
        """Undoes, writes down how it ended; returns the failure, made worse if undo failed."""
        try:
            await saga.compensate()
        except CompensationFailed as worse:
            reason = failure.message if failure else "cancelled"
            failure = CompensationFailed(f"{reason}; undo failed: {worse.message}")
        attempt.undone = tuple(dict.fromkeys(saga.undone))
        self._results.append(await self._record(attempt, phase_of(failure), failure))
        return failure

    async def _record(
        self, attempt: Attempt, phase: Phase, failure: PlatformError | None = None
    ) -> Deployment:
        self._progress.is_at(phase, failure.message if failure else "")
        attempt.facts.ended(phase, failure, attempt.undone)
        deployment = await call(
            ReleaseActivities.record_deployment,
            attempt.record(phase, failure, given_way(self._queue), self._progress),
            f"record {phase.value.lower()}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=True,
        )
        if attempt.request.tell:
            await to_the_end(tell_ended(attempt.request.tell, deployment))
        return deployment


async def _rendered(request: DeployRequest) -> PreparedRelease:
    """Looks what is to be deployed, if it is still in time. To its end: it may change the binding.

    Raises:
        Denied: It is not.
    """
    check_in_time(request, workflow.now())
    return await call(
        ReleaseActivities.prepare_release,
        request,
        f"render {request.component} for {request.environment}",
        queue=ids.CONTROL_QUEUE,
        options=QUICK,
        even_if_cancelled=True,
    )
