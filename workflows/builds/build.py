"""From a commit to a DeployableArtifact, or to the reason why there is none."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, FailureError, is_cancelled_exception

from activities.builds.records import BuildRecordActivities
from activities.builds.runs import BuildRunActivities
from domain import ids
from domain.deliveries import (
    Build,
    BuildFollow,
    BuildOutcome,
    BuildPlan,
    BuildRecord,
    BuildRequest,
    OperationStatus,
    QueuePlace,
)
from domain.deliveries.parking import Choice, Parked, Resolution
from domain.errors import Errored, PlatformError, Superseded
from domain.phases import Phase
from domain.policies import build_retries, parking
from domain.records.stops import Place
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.builds.facts import BuildFacts, build_phase
from workflows.builds.slot import BuildSlot
from workflows.builds.steps import stop_build, tell_older
from workflows.common.brake import Brake
from workflows.common.calls import QUICK, WRITE, call, stop_if_cancelled, to_the_end, watch
from workflows.common.parking import Parking
from workflows.common.progress import Progress
from workflows.common.saga import Saga

_STEPS = ("register", "queue", "submit", "build", "record")
_STEPS_WITHOUT_SLOTS = ("register", "submit", "build", "record")


@workflow.defn
class BuildWorkflow:
    """Builds one commit of one component exactly once."""

    @workflow.init
    def __init__(self, request: BuildRequest) -> None:
        self._request = request
        # To be removed when no build is open that began before there were slots.
        self._has_slots = workflow.patched("build-slots")
        steps = _STEPS if self._has_slots else _STEPS_WITHOUT_SLOTS
        self._progress = Progress(f"build {request.component} at {request.commit[:12]}", steps)
        self._slot = BuildSlot(self._progress)
        self._newer = ""
        self._facts = BuildFacts(request)
        self._brake = Brake(Place(organization=request.organization), self._progress)
        self._parking = Parking("build", self._progress)
        self._tries = 1
        self._attempts = 0
        self._main: asyncio.Task[object] | None = None
        self._plan: BuildPlan | None = None
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("build"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.COMPONENT.value_set(request.component),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.PENDING.value),
            ]
        )

    @workflow.run
    async def run(self, request: BuildRequest) -> Build:
        """Submits, follows, collects; a cancelled or superseded build leaves no pod behind."""
        self._main = asyncio.current_task()
        saga = Saga()
        self._progress.is_at(Phase.RUNNING)
        try:
            return await self._until_decided(request, saga)
        except (FailureError, PlatformError, asyncio.CancelledError) as failure:
            if is_cancelled_exception(failure):
                await to_the_end(self._end(saga, self._superseded()))
                if self._newer:
                    raise as_failure(self._give_way()) from None
                raise
            error = as_domain_error(failure)
            await to_the_end(self._end(saga, error))
            raise as_failure(error) from failure

    @workflow.signal
    def superseded(self, newer: str) -> None:
        """A newer commit of the same branch is being built; this build gives way."""
        if self._newer or self._progress.status().phase.is_terminal or self._main is None:
            return
        self._newer = newer
        self._main.cancel()

    @workflow.signal
    def stop_changed(self) -> None:
        """Somebody stopped something in an emergency, or let it go on."""
        self._brake.changed()

    @workflow.signal
    def slot_granted(self) -> None:
        """The lane of the organization lets this build run."""
        self._slot.granted()

    @workflow.signal
    def slot_queued(self, place: QueuePlace) -> None:
        """The lane of the organization says where in its queue this build stands."""
        self._slot.queued(place)

    @workflow.update
    def resolve(self, resolution: Resolution) -> Parked | None:
        """Decides what becomes of a parked build: retry or compensate."""
        return self._parking.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._parking.check(resolution)

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the build stands."""
        return self._progress.status().model_copy(update={"parked": self._parking.parked})

    async def _until_decided(self, request: BuildRequest, saga: Saga) -> Build:
        """Builds; a technical fault that outlasts its budget waits for a person to decide.

        A parked build holds nothing: its pods are removed and its slot is given back before.
        """
        while True:
            try:
                return await self._build(request, saga)
            except (FailureError, PlatformError) as failure:
                error = as_domain_error(failure)
                parks = parking.parks("build", self._progress.failed_step, error)
                # Runs that began before there was parking end as they would have.
                if is_cancelled_exception(failure) or not parks or not workflow.patched("parking"):
                    raise
            step = self._progress.failed_step
            with suppress(PlatformError):  # what cannot be stopped is adopted by the next try
                await saga.compensate()
            decision = await self._parking.ask(error, self._facts, step=step)
            if decision.choice is Choice.COMPENSATE:
                raise error
            self._stop_if_unwanted()
            self._tries += 1
            self._facts.begin_again(self._tries)
            self._slot.begins_again()

    async def _build(self, request: BuildRequest, saga: Saga) -> Build:
        with self._progress.step("register"):
            plan = self._plan = await self._brake.past(
                lambda: call(
                    BuildRecordActivities.register_build,
                    request,
                    f"register the build of {request.component}",
                    queue=ids.CONTROL_QUEUE,
                    options=QUICK,
                    even_if_cancelled=True,
                )
            )
        self._stop_if_unwanted()
        if self._has_slots:
            await self._take_turn(plan, saga)
        else:
            await tell_older(plan)
        saga.add("stopped the build and removed its pods", lambda: stop_build(plan))
        outcome = await self._run(plan)
        with self._progress.step("record"):
            recording = self._record(Phase.SUCCEEDED, outcome=outcome)
            if not self._has_slots:
                return await recording
            build, _ = await asyncio.gather(recording, self._slot.leave(plan.organization))
            return build

    async def _take_turn(self, plan: BuildPlan, saga: Saga) -> None:
        """Waits for a slot; whom this build supersedes is told after it has taken their place."""
        saga.add("gave the build slot back", lambda: self._slot.leave(plan.organization))
        automatic = self._request.trigger.is_automatic
        await self._slot.ask(plan, automatic=automatic)
        await tell_older(plan)
        await self._slot.wait(plan, automatic=automatic)
        self._stop_if_unwanted()

    async def _run(self, plan: BuildPlan) -> BuildOutcome:
        """Runs the build; a fault of the plane is tried again, a verdict on the code is not."""
        attempt = 1
        while True:
            self._attempts += 1
            if self._attempts > 1:
                log = f"{plan.log.rpartition('@')[0] or plan.log}@{self._attempts}"
                plan = self._plan = plan.model_copy(update={"attempt": self._attempts, "log": log})
            try:
                return await self._attempt(plan)
            except ActivityError as failure:
                error = as_domain_error(failure)
                technical = type(error) is Errored and not is_cancelled_exception(failure)
                pause = build_retries.pause_after(attempt)
                if not technical or pause is None:
                    raise
            await self._pause(pause, error.message)
            attempt += 1

    async def _attempt(self, plan: BuildPlan) -> BuildOutcome:
        await self._brake.safe_point()
        with self._progress.step("submit"):
            handle = await call(
                BuildRunActivities.submit_build,
                plan,
                f"submit {plan.name}",
                queue=plan.task_queue,
                options=WRITE,
            )
        self._stop_if_unwanted()
        limit = timedelta(seconds=plan.timeout_seconds)
        until = workflow.now() + limit
        with self._progress.step("build", awaiting="the build pods", until=until):
            return await call(
                BuildRunActivities.follow_build,
                BuildFollow(plan=plan, handle=handle),
                f"follow {handle.namespace}/{handle.name}",
                queue=plan.task_queue,
                options=watch(limit),
            )

    async def _pause(self, pause: timedelta, why: str) -> None:
        awaiting = f"the next try after a technical fault: {why}"
        with self._progress.step("submit", awaiting=awaiting, until=workflow.now() + pause):
            await workflow.sleep(pause, summary=f"try again after: {why}"[:200])
        self._stop_if_unwanted()

    async def _end(self, saga: Saga, failure: PlatformError | None) -> None:
        """Undoes and writes down how the build ended; None = a person cancelled it."""
        try:
            await saga.compensate()
        except PlatformError as worse:
            workflow.logger.error("could not stop the build: %s", worse.message)
        await self._record(build_phase(failure), failure=failure)

    async def _record(
        self,
        phase: Phase,
        *,
        outcome: BuildOutcome | None = None,
        failure: PlatformError | None = None,
    ) -> Build:
        message = failure.message if failure else ""
        self._progress.is_at(phase, message)
        self._facts.ended(phase, self._plan, outcome, message)
        if self._plan is None:
            return Build(name="", phase=phase, commit=self._request.commit, message=message)
        facts = failure.facts if failure else {}
        told = outcome or BuildOutcome(log=facts.get("log_key", ""))
        stages = (*self._slot.stages, *told.stages)
        return await call(
            BuildRecordActivities.record_build,
            BuildRecord(
                plan=self._plan,
                phase=phase,
                outcome=told.model_copy(update={"stages": stages}),
                message=message,
                log_tail=facts.get("log", ""),
                trigger=self._request.trigger,
                workflow_id=workflow.info().workflow_id,
                run_id=workflow.info().run_id,
                started=workflow.info().start_time,
                finished=workflow.now(),
                facts=self._facts.take(),
            ),
            f"record {phase.value.lower()}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=True,
        )

    def _stop_if_unwanted(self) -> None:
        """Raises what a cancel or a newer build asked for, in case a result swallowed it."""
        stop_if_cancelled()
        if self._newer:
            raise asyncio.CancelledError

    def _superseded(self) -> PlatformError | None:
        return self._give_way() if self._newer else None

    def _give_way(self) -> PlatformError:
        return Superseded(f"gave way to {self._newer}")
