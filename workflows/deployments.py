"""Brings a component in an environment to what its binding wants, or leaves it as it was.

One workflow per (component, environment) works off its requests in order, so two deployments
never meet (docs/decisions/0003). It ends when its queue is empty.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.drift_planes import DriftPlaneActivities
from activities.releases import ReleaseActivities
from activities.rollouts import RolloutActivities
from domain import ids
from domain.deliveries import (
    ApplyRelease,
    Bundle,
    Deployment,
    DeployRecord,
    DeployRequest,
    Enqueued,
    FollowRollout,
    OperationStatus,
    PreparedRelease,
    PutBackRequest,
)
from domain.errors import CompensationFailed, Denied, Errored, Failed, PlatformError
from domain.phases import Phase
from domain.records.stops import Place
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.brake import Brake
from workflows.calls import QUICK, WRITE, call, stop_if_cancelled, to_the_end, watch
from workflows.deploy_queue import DeployQueue
from workflows.deployment_attributes import deployment_attributes
from workflows.deployment_facts import DeploymentFacts, asked_now, given_way, lead_time
from workflows.ordered_deployment import tell_ended
from workflows.progress import Progress
from workflows.saga import Saga

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
        self._brake = Brake(
            Place(organization=request.organization, environment=request.environment),
            self._progress,
        )
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
        done = {"deployments": tuple(self._results), "running": self._queue.running}
        return self._progress.status(self._queue.waiting).model_copy(update=done)

    async def _one(self, request: DeployRequest) -> PlatformError | None:
        """Does one deployment; returns why it failed, raises only when it was cancelled."""
        started = workflow.now()
        saga = Saga()
        attempt = _Attempt(request, started)
        try:
            self._results.append(await self._deploy(attempt, saga))
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

    async def _deploy(self, attempt: _Attempt, saga: Saga) -> Deployment:
        request = attempt.request
        self._progress.begins(f"deploy {request.component} to {request.environment}")
        with self._progress.step("prepare"):
            release = attempt.release = await self._prepared(request)
        attempt.facts.prepared(release)
        self._queue.renders(release.generation)
        stop_if_cancelled()
        if release.changed:
            await self._roll_out(attempt, release, saga)
        else:
            for name in ("apply", "rollout"):
                self._progress.skip(name, f"{release.bundle.release} runs already")
        with self._progress.step("record"):
            return await self._record(attempt, Phase.SUCCEEDED)

    async def _prepared(self, request: DeployRequest) -> PreparedRelease:
        """Renders; parks while the place is stopped and renders anew when it goes on."""
        while True:
            release = await self._brake.past(
                lambda: call(
                    ReleaseActivities.prepare_release,
                    request,
                    f"render {request.component} for {request.environment}",
                    queue=ids.CONTROL_QUEUE,
                    options=QUICK,
                    even_if_cancelled=True,
                )
            )
            if not await self._brake.safe_point():
                return release

    async def _roll_out(self, attempt: _Attempt, release: PreparedRelease, saga: Saga) -> None:
        if release.put_back:
            await self._put_back(attempt, release)
            return
        before = release.previous.release
        saga.add(
            f"restored {before}" if before else "removed what was applied",
            lambda: self._restore(release),
        )
        with self._progress.step("apply"):
            await self._apply(release, release.bundle, release.previous, attempt.request)
        attempt.facts.applied()
        limit = timedelta(seconds=release.progress_deadline_seconds)
        until = workflow.now() + limit
        with self._progress.step("rollout", awaiting="ready pods", until=until):
            ready = await self._follow(release, release.bundle)
        self._progress.note("rollout", ready)

    async def _put_back(self, attempt: _Attempt, release: PreparedRelease) -> None:
        """Makes drifted objects as they were. No undo: that would redo what nobody here asked."""
        with self._progress.step("apply"):
            applied = await call(
                DriftPlaneActivities.put_back_objects,
                PutBackRequest(
                    bundle=release.bundle,
                    objects=release.put_back,
                    organization=release.organization,
                    take_over=release.take_over,
                ),
                f"put back {', '.join(release.put_back[:3])} in {release.bundle.namespace}",
                queue=release.task_queue,
                options=WRITE,
            )
        self._progress.note("apply", f"put back {', '.join(applied.applied) or 'nothing'}")
        attempt.facts.put_back(applied.applied)
        until = workflow.now() + timedelta(seconds=release.progress_deadline_seconds)
        with self._progress.step("rollout", awaiting="ready pods", until=until):
            ready = await self._follow(release, release.bundle)
        self._progress.note("rollout", ready)

    async def _apply(
        self,
        release: PreparedRelease,
        bundle: Bundle,
        previous: Bundle,
        request: DeployRequest | None,
    ) -> None:
        restores = request is None
        force = release.force_conflicts or (request is not None and request.force_conflicts)
        await call(
            RolloutActivities.apply_release,
            ApplyRelease(
                bundle=bundle,
                previous=previous,
                force_conflicts=force,
                yields=restores,
                organization=release.organization,
            ),
            f"apply {bundle.release or 'nothing'} in {bundle.namespace or previous.namespace}",
            queue=release.task_queue,
            options=WRITE,
            even_if_cancelled=restores,
        )

    async def _follow(
        self, release: PreparedRelease, bundle: Bundle, *, even_if_cancelled: bool = False
    ) -> str:
        limit = timedelta(seconds=release.progress_deadline_seconds)
        ready = await call(
            RolloutActivities.follow_rollout,
            FollowRollout(
                bundle=bundle.followed(),
                only=release.put_back,
                health=release.health,
                deadline_seconds=release.progress_deadline_seconds,
            ),
            f"await ready pods of {bundle.release}",
            queue=release.task_queue,
            options=watch(limit),
            even_if_cancelled=even_if_cancelled,
        )
        return ready.message

    async def _restore(self, release: PreparedRelease) -> None:
        """Applies what ran before and waits until it is ready again."""
        await self._apply(release, release.previous, release.bundle, None)
        if release.previous.release:
            await self._follow(release, release.previous, even_if_cancelled=True)

    async def _end(
        self, attempt: _Attempt, saga: Saga, failure: PlatformError | None
    ) -> PlatformError | None:
        """Undoes, writes down how it ended; returns the failure, made worse if undo failed."""
        try:
            await saga.compensate()
        except CompensationFailed as worse:
            reason = failure.message if failure else "cancelled"
            failure = CompensationFailed(f"{reason}; undo failed: {worse.message}")
        attempt.undone = tuple(saga.undone)
        self._results.append(await self._record(attempt, _phase_of(failure), failure))
        return failure

    async def _record(
        self, attempt: _Attempt, phase: Phase, failure: PlatformError | None = None
    ) -> Deployment:
        facts = failure.facts if failure else {}
        self._progress.is_at(phase, failure.message if failure else "")
        attempt.facts.ended(phase, failure, attempt.undone)
        deployment = await call(
            ReleaseActivities.record_deployment,
            DeployRecord(
                request=attempt.request,
                release=attempt.release.named() if attempt.release else None,
                generation=int(facts.get("generation", 0)),
                phase=phase,
                reason=facts.get("reason", type(failure).__name__ if failure else ""),
                message=failure.message if failure else "",
                log_tail=facts.get("log", ""),
                restored=bool(attempt.undone) and not isinstance(failure, CompensationFailed),
                undone=attempt.undone,
                workflow_id=workflow.info().workflow_id,
                run_id=workflow.info().run_id,
                started=attempt.started,
                finished=workflow.now(),
                facts=(*given_way(self._queue), *attempt.facts.take()),
                lead_time=lead_time(attempt.request, attempt.started, self._progress),
            ),
            f"record {phase.value.lower()}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=True,
        )
        if attempt.request.tell:
            await to_the_end(tell_ended(attempt.request.tell, deployment))
        return deployment


class _Attempt:
    """What is known of one deployment while it runs."""

    def __init__(self, request: DeployRequest, started: datetime) -> None:
        self.request = request
        self.started = started
        self.release: PreparedRelease | None = None
        self.undone: tuple[str, ...] = ()
        self.facts = DeploymentFacts(request)


def _phase_of(failure: PlatformError | None) -> Phase:
    if failure is None:
        return Phase.CANCELLED
    if isinstance(failure, Failed):
        return Phase.FAILED
    if isinstance(failure, Denied):
        return Phase.DENIED
    return Phase.ERRORED if isinstance(failure, Errored) else Phase.FAILED
