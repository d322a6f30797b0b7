"""Brings artifacts from one environment to the next: one workflow a place, one promotion at a time.

It may stay open for months, so it is served with the lanes: a new release of Pavane takes it over.
"""

from __future__ import annotations

import asyncio

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from domain.deliveries import Deployment, OperationStatus
from domain.deliveries.parking import Choice, Parked, Resolution
from domain.deliveries.promotions import Confirmation, Promotion, PromotionFacts, PromotionRequest
from domain.errors import (
    CompensationFailed,
    Conflict,
    FreezeActive,
    PlatformError,
    RolloutFailed,
    StaleRevision,
    Superseded,
    VerificationFailed,
)
from domain.phases import Phase
from domain.policies import parking
from domain.policies.promotion.plan import runs_already
from domain.records.stops import Place
from domain.resources.pipeline import OnFailure
from runtime.errors import as_domain_error, as_failure
from workflows.common.brake import Brake
from workflows.common.calls import to_the_end
from workflows.common.parking import Parking
from workflows.common.progress import Progress
from workflows.common.saga import Saga
from workflows.deployments.attributes import promotion_attributes, shown
from workflows.deployments.ordered import OrderedDeployments
from workflows.guards.edges import Edge
from workflows.promotions import ending
from workflows.promotions.carried import CarriedWatch, end_early, is_more_to_do
from workflows.promotions.delivery import Delivery
from workflows.promotions.letting import let_through
from workflows.promotions.passage import Passage, title
from workflows.promotions.requests import Requests

_STEPS = ("gates", "approval", "deploy", "verify", "rollback")
_TRIES = 3
"""How often the gates are asked because what was rendered changed at the last moment."""


@workflow.defn
class PromotionWorkflow:
    """Brings exactly what runs in one environment to the next, through the gates."""

    @workflow.init
    def __init__(self, request: PromotionRequest) -> None:
        self._requests = Requests(request)
        self._current: Passage | None = None
        self._may_yield = False
        self._yields = False
        self._deployments = OrderedDeployments()
        self._is_watched = False
        self._progress = Progress(title(request), _STEPS)
        self._promotion: Promotion | None = None
        place = Place(organization=request.organization, environment=request.environment)
        self._brake = Brake(place, self._progress)
        self._parking = Parking("promotion", self._progress)
        self._edge = Edge()
        self._carried: CarriedWatch | None = None
        shown(promotion_attributes(request, Phase.PENDING))

    @workflow.run
    async def run(self, _request: PromotionRequest) -> Promotion:
        """Works until nobody waits; answers with the last promotion, or fails as it failed."""
        failure: PlatformError | None = None
        try:
            while await is_more_to_do(self._requests, self._carried, self._progress):
                request = self._requests.waiting.pop(0)
                self._progress.restart(title(request))
                failure = await self._one(request)
        except (asyncio.CancelledError, FailureError):
            await end_early(self._carried)
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        if failure is not None:
            raise as_failure(failure)
        assert self._promotion is not None  # noqa: S101 - there is at least one request
        return self._promotion

    @workflow.signal
    def requested(self, request: PromotionRequest) -> None:
        """Somebody or something asked for a promotion; equal requests count once."""
        current = self._current if self._may_yield else None
        if self._requests.came(request, current):
            self._yields = True

    @workflow.signal
    def facts_changed(self) -> None:
        """What the promotion is judged by may be different: it looks again."""
        if self._current is not None:
            self._current.stir()

    @workflow.signal
    def freezes_changed(self) -> None:
        """A freeze window was changed or overridden: whoever waits or works looks again."""
        self.facts_changed()
        self._edge.changed()

    @workflow.signal
    def stop_changed(self) -> None:
        """Somebody stopped something in an emergency, or let it go on."""
        self._brake.changed()

    @workflow.signal
    def deployment_ended(self, deployment: Deployment) -> None:
        """The queue of the place tells how a deployment ended that was asked for here."""
        self._deployments.ended(deployment)

    @workflow.update
    def confirm(self, confirmation: Confirmation) -> None:
        """A person looked at what a manual gate asks for."""
        assert self._current is not None  # noqa: S101 - the validator says so
        self._current.confirm(confirmation)

    @confirm.validator
    def _check_confirm(self, confirmation: Confirmation) -> None:
        if self._current is None:
            raise Conflict("no promotion waits here")
        self._current.check(confirmation)

    @workflow.update
    def resolve(self, resolution: Resolution) -> Parked | None:
        """A person decides what follows a technical fault."""
        return self._parking.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._parking.check(resolution)

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the promotion stands and what it waits for."""
        parked = {"parked": self._parking.parked}
        return self._progress.status(self._requests.ids).model_copy(update=parked)

    @workflow.query
    def promotion(self) -> Promotion:
        """What is promoted, and what each gate says."""
        if self._current is not None:
            return ending.told(self._current, Phase.RUNNING)
        assert self._promotion is not None  # noqa: S101 - between two there is one
        return self._promotion

    async def _one(self, request: PromotionRequest) -> PlatformError | None:
        """Does one promotion; returns why it failed, raises only when it was cancelled."""
        passage = self._current = Passage(request, self._progress)
        self._is_watched = False
        self._progress.begins(title(request))
        saga = Saga()
        try:
            while (error := await self._tried(passage, saga)) is not None:
                if final := await self._parked(passage, saga, error):
                    return await to_the_end(self._end(passage, saga, final, ending.phase_of(final)))
        except (asyncio.CancelledError, FailureError):  # whatever else fails is an error by then
            await to_the_end(self._end(passage, saga, None, Phase.CANCELLED))
            raise
        finally:
            self._current = None
        return None

    async def _tried(self, passage: Passage, saga: Saga) -> PlatformError | None:
        """Promotes; returns why that failed."""
        try:
            await self._promote(passage, saga)
        except (FailureError, PlatformError) as failure:
            if is_cancelled_exception(failure):
                raise
            return as_domain_error(failure)
        return None

    async def _parked(
        self, passage: Passage, saga: Saga, error: PlatformError
    ) -> PlatformError | None:
        """Has a person decide about a technical fault; None = all begins anew, from the gates.

        What runs and could not be watched is undone: nobody knows how it does.
        """
        step, others = self._progress.failed_step, bool(self._requests.waiting)
        parks = step != "verify" and parking.parks("promotion", step, error, others_wait=others)
        if not parks or not workflow.patched("promotion-parking"):
            return error
        decision = await self._parking.ask(
            error, passage.facts_log, step=step, gives_way=lambda: bool(self._requests.waiting)
        )
        if decision.choice is not Choice.RETRY:
            return error
        try:
            await saga.compensate()
        except CompensationFailed as worse:
            return worse
        return None

    async def _promote(self, passage: Passage, saga: Saga) -> None:
        """Delivers and verifies; what a freeze wants undone is, and comes again afterwards."""
        while True:
            try:
                return await self._delivered(passage, saga)
            except FreezeActive as frozen:
                self._is_watched = False
                await ending.put_back_for(frozen, passage, saga, self._progress)

    async def _delivered(self, passage: Passage, saga: Saga) -> None:
        facts, delivery = await self._deliver(passage, saga)
        if delivery is None:
            message = f"{facts.release} runs in {facts.environment} already"
            for name in _STEPS[1:]:
                self._progress.skip(name, message)
            await self._finish(passage, message, changed=False)
            return
        self._is_watched = True
        message = f"{facts.environment} runs {facts.release}"
        try:
            verification = delivery.verification(self._edge)
            if not await verification.passes(lambda: bool(self._requests.waiting)):
                self._carried = CarriedWatch(passage, verification, saga)
                message += "; it is watched on until the next one is let through"
        except FailureError as failure:
            if is_cancelled_exception(failure):
                raise
            self._is_watched = False
            await ending.go_back(facts, passage.request, failure, self._progress)
        self._progress.skip("rollback", "it does well")
        await self._finish(passage, message)

    async def _deliver(
        self, passage: Passage, saga: Saga
    ) -> tuple[PromotionFacts, Delivery | None]:
        """Goes through the gates and deploys; again from the gates when what passed is stale."""
        attempt = 0
        while True:
            attempt += 1
            passage.attempts += 1
            facts = await self._through(passage)
            while await self._brake.safe_point():
                facts = await self._through(passage)  # it was stopped: all is read anew
            if runs_already(facts):
                return facts, None
            if self._carried is not None and await self._carried.close():
                facts = await self._through(passage)  # it was rolled back meanwhile
            delivery = Delivery(passage, facts, saga, self._progress, self._deployments)
            try:
                await delivery.deploy()
            except StaleRevision:
                if attempt == _TRIES:
                    raise
                await saga.compensate()
                workflow.logger.info("what passed is stale: asking the gates again")
                continue
            except RolloutFailed as failure:
                await saga.compensate()
                if facts.rules.on_failure is OnFailure.ROLLBACK:
                    await delivery.leave_alone(failure)
                raise
            return facts, delivery

    async def _through(self, passage: Passage) -> PromotionFacts:
        """Goes through the gates; a newer request ends that, and nothing was done by then."""
        self._may_yield, self._yields = True, False
        try:
            facts = await let_through(passage, lambda: self._yields)
        finally:
            self._may_yield = False
        if facts is None:
            raise Superseded(f"gave way to {title(self._requests.waiting[-1])}")
        return facts

    async def _end(
        self, passage: Passage, saga: Saga, failure: PlatformError | None, phase: Phase
    ) -> PlatformError | None:
        """Undoes, unless it is about what runs and does well so far; says how it ended."""
        stays = self._is_watched and workflow.patched("a-cancelled-watch-leaves-the-release")
        if not stays and not isinstance(failure, VerificationFailed):
            failure, phase = await ending.undone(saga, failure, phase)
        message = ending.left_alone(passage) if stays else ending.reason(failure, phase)
        ending.log_end(passage, phase, message, saga.undone)
        self._requests.tell(passage.facts_log, cancelled=phase is Phase.CANCELLED)
        await passage.facts_log.write_to_the_end()
        self._promotion = ending.ended(passage, phase, message, failure, saga.undone)
        self._progress.is_at(phase, self._promotion.message)
        return failure

    async def _finish(self, passage: Passage, message: str, **more: bool) -> None:
        ending.log_end(passage, Phase.SUCCEEDED, message, ())
        self._requests.tell(passage.facts_log)
        await passage.facts_log.write_to_the_end()
        done = ending.told(passage, Phase.SUCCEEDED)
        self._promotion = done.model_copy(update={"message": message, **more})
        self._progress.is_at(Phase.SUCCEEDED, message)
