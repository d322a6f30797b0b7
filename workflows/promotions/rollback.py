"""Brings back the last release that did well, and keeps automation from undoing that.

It needs neither registry, Git, Argo nor Prometheus: all it applies is in the stored release.
"""

from __future__ import annotations

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.promotions.rollbacks import RollbackActivities
from activities.promotions.standing import PromotionActivities
from domain import ids
from domain.deliveries import Deployment, OperationStatus
from domain.deliveries.parking import Choice, Parked, Resolution
from domain.deliveries.rollbacks import Rollback, RollbackFacts, RollbackRequest
from domain.deliveries.standings import Hold, RollbackNote, StandingChange, Veto
from domain.errors import CompensationFailed, Denied, PlatformError, RolloutFailed
from domain.phases import Phase
from domain.policies import parking
from domain.policies.promotion.rollback import (
    KnownRelease,
    RollbackCase,
    already_back,
    choose,
    shut_for_all,
)
from domain.records import FactResult
from runtime.errors import as_domain_error, as_failure
from workflows.common.calls import QUICK, call, heed_cancel, to_the_end
from workflows.common.facts import Facts
from workflows.common.parking import Parking
from workflows.common.progress import Progress
from workflows.common.saga import Saga
from workflows.deployments.attributes import rollback_attributes, shown
from workflows.deployments.ordered import OrderedDeployments
from workflows.promotions.going_back import order_of, phase_of, result_of

_STEPS = ("choose", "hold", "deploy")


@workflow.defn
class RollbackWorkflow:
    """Rolls one place back, once: whoever asks meanwhile asks for the same."""

    @workflow.init
    def __init__(self, request: RollbackRequest) -> None:
        self._request = request
        self._facts: RollbackFacts | None = None
        self._target: KnownRelease | None = None
        self._deployments = OrderedDeployments()
        self._place = f"{request.component} in {request.environment}"
        self._title = f"roll {request.component} back in {request.environment}"
        self._progress = Progress(self._title, _STEPS)
        self._parking = Parking("rollback", self._progress)
        self._log = Facts(
            request.organization,
            self._place,
            request.trigger,
            component=request.component,
            environment=request.environment,
        )
        shown(rollback_attributes(request, Phase.PENDING))

    @workflow.run
    async def run(self, _request: RollbackRequest) -> Rollback:
        """Chooses, holds, deploys; on a cancel nothing of it is left."""
        saga = Saga()
        self._progress.begins(self._title)
        try:
            while True:
                try:
                    return await self._roll_back(saga)
                except (FailureError, PlatformError) as failure:
                    if not await self._tries_again(failure):
                        raise
        except asyncio.CancelledError:
            await to_the_end(self._undo(saga, Phase.CANCELLED, "cancelled"))
            raise
        except (FailureError, PlatformError) as failure:
            if is_cancelled_exception(failure):
                await to_the_end(self._undo(saga, Phase.CANCELLED, "cancelled"))
                raise
            # What was held stays held: the bad release runs, and a person is needed.
            error = as_domain_error(failure)
            result = FactResult.REFUSED if isinstance(error, Denied) else FactResult.FAILED
            await self._write(result, error.message)
            self._progress.is_at(phase_of(error), error.message)
            raise as_failure(error) from failure

    async def _tries_again(self, failure: FailureError | PlatformError) -> bool:
        """Has a person decide about a technical fault; what is held stays held meanwhile."""
        if is_cancelled_exception(failure):
            return False
        error, step = as_domain_error(failure), self._progress.failed_step
        if not parking.parks("rollback", step, error) or not workflow.patched("rollback-parking"):
            return False
        decision = await self._parking.ask(error, self._log, step=step)
        return decision.choice is Choice.RETRY

    @workflow.update
    def resolve(self, resolution: Resolution) -> Parked | None:
        """A person decides what follows a technical fault."""
        return self._parking.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._parking.check(resolution)

    @workflow.signal
    def deployment_ended(self, deployment: Deployment) -> None:
        """The queue of the place tells how the deployment ended that was asked for here."""
        self._deployments.ended(deployment)

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the rollback stands."""
        return self._progress.status().model_copy(update={"parked": self._parking.parked})

    async def _roll_back(self, saga: Saga) -> Rollback:
        with self._progress.step("choose"):
            facts = self._facts = await self._read()
            if self._request.bad and facts.running != self._request.bad:
                running = facts.running or "nothing"
                return self._nothing(f"{self._request.bad} runs no more: {running} does")
            if done := self._done_before(facts):
                return self._nothing(done)
            self._obey_freeze(facts)
            target = self._target = self._chosen(facts)
            self._tell_freeze(facts)
        with self._progress.step("hold"):
            await self._hold(facts, target, saga)
            heed_cancel()
        order = order_of(self._request, facts, target)
        saga.add(f"stopped the deployment of {target.name}", lambda: self._deployments.stop(order))
        with self._progress.step("deploy", awaiting=f"the deployment of {target.name}"):
            ended = await self._deployments.carry_out(order)
        if ended is None or ended.phase is not Phase.SUCCEEDED:
            message = ended.message if ended else "nothing is known of its deployment"
            raise RolloutFailed(
                f"{target.name} did not come back: {message}",
                facts={"reason": ended.reason if ended else "Unknown"},
            )
        message = f"{self._request.environment} runs {target.name} again"
        await self._write(FactResult.DONE, message)
        self._progress.is_at(Phase.SUCCEEDED, message)
        return result_of(self._request, self._facts, self._target, message)

    def _done_before(self, facts: RollbackFacts) -> str:
        """Says that a person asks for what was done already; empty = they do not."""
        request = self._request
        if request.bad or request.to or request.trigger.is_automatic:
            return ""
        told = already_back(facts.running, facts.standing)
        # A run that began before this was so went on, and goes on in its replay.
        return told if told and workflow.patched("asked-twice-goes-back-once") else ""

    def _obey_freeze(self, facts: RollbackFacts) -> None:
        """A freeze that lets nobody in lets no rollback in either.

        Raises:
            Denied: There is one.
        """
        refused = shut_for_all(facts.freeze)
        if refused and workflow.patched("nobody-means-no-rollback"):
            raise Denied(f"{self._place} is not rolled back: {refused}")

    def _nothing(self, message: str) -> Rollback:
        for name in ("hold", "deploy"):
            self._progress.skip(name, message)
        self._progress.is_at(Phase.SUCCEEDED, message)
        return result_of(self._request, self._facts, self._target, message)

    def _tell_freeze(self, facts: RollbackFacts) -> None:
        """A freeze keeps changes away, never a repair; going past it is written down."""
        for one in facts.freeze.closed_by if facts.freeze else ():
            reason = f"a rollback goes past freezes: {self._request.reason or 'no reason given'}"
            self._log.add(
                "freeze.overridden",
                step=f"freeze.overridden-{one.window}",
                reason=reason[:500],
                before=one.window,
            )

    async def _read(self) -> RollbackFacts:
        return await call(
            RollbackActivities.read_rollback,
            self._request,
            f"look what ran of {self._place}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )

    def _chosen(self, facts: RollbackFacts) -> KnownRelease:
        choice = choose(
            RollbackCase(
                running=facts.running,
                known=facts.known,
                wanted=self._request.to,
                automatic=self._request.trigger.is_automatic,
                rollbacks=facts.standing.rollbacks,
                per_day=self._request.per_day,
                now=workflow.now(),
            )
        )
        if choice.release is None:
            raise Denied(f"{self._place} is not rolled back: {choice.refused}")
        return choice.release

    async def _hold(self, facts: RollbackFacts, target: KnownRelease, saga: Saga) -> None:
        """Keeps what goes away from coming back by itself, before anything is changed."""
        actor, now = self._request.trigger.actor, workflow.now()
        why = self._request.reason or "no reason was given"
        vetoed = facts.artifact if facts.artifact != target.artifact else ""
        saga.add("lifted hold and veto", lambda: self._lift(facts, vetoed))
        await self._change(
            "hold",
            f"hold {self._place}",
            hold=Hold(reason=f"rolled back to {target.name}: {why}"[:500], by=actor, since=now),
            veto=Veto(
                artifact=vetoed, image=facts.image, reason=f"rolled back: {why}"[:500], by=actor,
                since=now,
            ) if vetoed else None,
            rolled_back=RollbackNote(
                id=workflow.info().run_id, bad=facts.running, to=target.name, at=now,
                automatic=self._request.trigger.is_automatic,
            ),
        )  # fmt: skip

    async def _lift(self, facts: RollbackFacts, vetoed: str) -> None:
        before = facts.standing
        was_vetoed = any(one.artifact == vetoed for one in before.vetoes)
        lost = [one for one in before.passes if one.artifact == vetoed]
        await self._change(
            "lift",
            "lift what the rollback placed",
            hold=before.hold,
            lift_hold=before.hold is None,
            lift_veto="" if was_vetoed else vetoed,
            not_rolled_back=workflow.info().run_id,
        )
        for number, one in enumerate(lost):
            await self._change(f"pass-{number}", f"give {one.release} its pass back", passed=one)

    async def _change(self, step: str, summary: str, **what: Any) -> None:
        request = self._request
        await call(
            PromotionActivities.change_standing,
            StandingChange(
                organization=request.organization,
                component=request.component,
                environment=request.environment,
                key=f"{workflow.info().run_id}:{step}",
                at=workflow.now(),
                **what,
            ),
            summary,
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=True,
        )

    async def _undo(self, saga: Saga, phase: Phase, message: str) -> None:
        try:
            await saga.compensate()
        except CompensationFailed as worse:
            message = f"{message}; undo failed: {worse.message}"
            phase = Phase.ERRORED
        undone = f"; {', '.join(saga.undone)}" if saga.undone else ""
        self._log.add_cancel("rollback.cancelled", [message, *saga.undone])
        await self._log.write_to_the_end()
        self._progress.is_at(phase, f"{message}{undone}")

    async def _write(self, result: FactResult, message: str) -> None:
        facts, target = self._facts, self._target
        self._log.add(
            "rollback.ended",
            result=result,
            before=facts.running if facts else "",
            after=target.name if target else "",
            reason=self._request.reason,
            message=message,
        )
        await self._log.write_to_the_end()
