"""Turns one secret over: two slots, of which the one in use is touched last.

The new credential is made and tested beside the old one, brought to everyone who uses the secret,
and only when the old one was seen unused is that locked and, after a while, destroyed. Until it is
destroyed everything can be undone: a cancel does, and so does any failure.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.secrets.plans import RotationPlanActivities
from activities.secrets.rotations import RotationActivities
from activities.secrets.trust import TrustActivities
from domain import ids
from domain.deliveries import OperationStatus
from domain.deliveries.parking import Parked, Resolution
from domain.deliveries.rotations import (
    HoldOrder,
    Rotation,
    RotationPlan,
    RotationRequest,
    RotationStatus,
    SecretTurn,
)
from domain.errors import CompensationFailed, Conflict, Errored, InvalidRequest, PlatformError
from domain.phases import Phase
from domain.records import FactResult
from domain.records.stops import Place
from domain.secrets.places import scope_of
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.common.calls import QUICK, call
from workflows.common.progress import Progress
from workflows.common.saga import Saga
from workflows.secrets.agreement import agreed
from workflows.secrets.consumers import Consumers
from workflows.secrets.pauses import Pauses
from workflows.secrets.proving import Observation, prove
from workflows.secrets.steps import Steps, looks_again
from workflows.secrets.trusting import Trust
from workflows.secrets.turning import Turning
from workflows.secrets.undoing import Undoing

_STEPS = (
    "preflight",
    "trust",
    "create",
    "set",
    "test",
    "distribute",
    "restart",
    "observe",
    "approval",
    "untrust",
    "finish",
)


@workflow.defn
class RotationWorkflow:
    """One turning over of one secret. Its id is the lock of the secret's rotation."""

    @workflow.init
    def __init__(self, request: RotationRequest) -> None:
        self._request = request
        self._title = f"rotate {request.rotation}"
        self._progress = Progress(self._title, _STEPS)
        self._saga = Saga()
        self._steps = Steps(request, self._progress)
        self._pauses = Pauses(request.organization, self._progress)
        self._turning: Turning | None = None
        self._consumers = Consumers(request.organization, "")
        self._observation = Observation()
        self._is_final = False
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("rotation"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.COMPONENT.value_set(request.rotation),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the rotation stands."""
        return self._progress.status().model_copy(update={"parked": self._steps.parking.parked})

    @workflow.query
    def rotation(self) -> RotationStatus:
        """Which versions it is about, who uses the secret, and who still uses the old one."""
        return RotationStatus(
            turn=self._turning.turn if self._turning else None,
            consumers=self._consumers.found,
            paused_by=self._pauses.held_by,
            users=self._observation.users,
            can_roll_back=not self._is_final,
        )

    @workflow.signal
    def stop_changed(self) -> None:
        """Somebody stopped something, or let it go on."""
        self._pauses.stop_changed()

    @workflow.update
    def hold(self, order: HoldOrder) -> str:
        """Holds the rotation at its next safe point, or lets it go on; returns who holds it."""
        return self._pauses.hold(order)

    @hold.validator
    def _check_hold(self, order: HoldOrder) -> None:
        if order.holds and self._is_final:
            raise Conflict("the old credential is being destroyed: there is nothing to hold")

    @workflow.update
    def resolve(self, resolution: Resolution) -> Parked | None:
        """Decides about a rotation that is parked."""
        return self._steps.parking.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._steps.parking.check(resolution)

    @workflow.run
    async def run(self, _request: RotationRequest) -> Rotation:
        """Turns the secret over, or leaves everything as it was."""
        self._progress.begins(self._title)
        try:
            turn = await self._turned_over()
        except asyncio.CancelledError:
            await self._undone(cancelled=True)
            raise
        except (FailureError, PlatformError) as failure:
            if is_cancelled_exception(failure):
                await self._undone(cancelled=True)
                raise
            error = await self._undone(as_domain_error(failure))
            raise as_failure(error) from failure
        message = f"version {turn.reached} took the place of version {turn.before}"
        await self._steps.told_at_last(
            "rotation.ended", before=str(turn.before), after=str(turn.reached)
        )
        await self._steps.note(Phase.SUCCEEDED, message, version=turn.reached, expires=turn.expires)
        self._progress.is_at(Phase.SUCCEEDED, message)
        return Rotation(
            organization=self._request.organization,
            rotation=self._request.rotation,
            path=turn.plan.path,
            before=turn.before,
            version=turn.reached,
            consumers=self._consumers.names,
            message=message,
        )

    async def _turned_over(self) -> SecretTurn:
        turning = await self._steps.do("preflight", self._preflight)
        await self._begun(turning.turn)
        undoing = Undoing(turning)
        await self._pauses.safe_point()
        self._saga.add(f"withdrew the new credential of {turning.turn.plan.path}", undoing.withdraw)
        trust = Trust(turning, self._steps, self._consumers, self._progress)
        await trust.first(self._saga, undoing)
        await self._pauses.safe_point()
        await prove(turning, self._steps)
        turn = turning.turn
        await self._pauses.safe_point()
        self._saga.add(f"brought version {turn.base} back to all", undoing.bring_back)
        await self._steps.do("distribute", lambda: self._distribute(turning))
        await self._steps.do("restart", lambda: self._consumers.restart(turn.version))
        await self._steps.told("rotation.distributed", after=str(turn.version))
        await self._pauses.safe_point()
        await self._observation.ended(turning, self._steps, self._progress)
        await agreed(self._request, turn, self._consumers, self._progress)
        await self._pauses.safe_point()
        if looks_again():
            await self._steps.do("restart", lambda: self._catch_up(turn))
        await self._steps.told("rotation.finishing", before=str(turn.before))
        await trust.last(self._saga, undoing)
        self._saga.add(f"unlocked version {turn.before}", undoing.unlock)
        await self._finish(turning)
        return turning.turn

    async def _preflight(self) -> Turning:
        plan = await call(
            RotationPlanActivities.plan_rotation,
            self._request,
            f"look what {self._request.rotation} turns over",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )
        info = workflow.info()
        turn = SecretTurn(plan=plan, id=f"{info.workflow_id}/{info.run_id}")
        self._turning = turning = Turning(turn)
        turning.turn = await turning.do(RotationActivities.inspect_secret, "check it")
        readers = turning.turn.readers
        self._consumers = Consumers(plan.organization, plan.path, readers=readers)
        await self._consumers.find(plan.planes)
        # Who read it once and runs no more is not waited for.
        turning.turn = turning.turn.model_copy(update={"readers": self._consumers.readers})
        self._check_consumers(plan)
        return turning

    async def _begun(self, turn: SecretTurn) -> None:
        scope = scope_of(turn.plan.path)
        self._progress.note("preflight", f"used by {', '.join(self._consumers.names) or 'nobody'}")
        self._steps.facts.is_about(subject=f"secret {turn.plan.path}", project=scope.project)
        await self._steps.told("rotation.begun", before=str(turn.before))
        if not looks_again():
            return
        if scope.environment:
            workflow.upsert_search_attributes([attributes.ENVIRONMENT.value_set(scope.environment)])
        place = Place(organization=self._request.organization, environment=scope.environment)
        self._pauses.is_in(place)
        await self._steps.note(Phase.RUNNING, f"version {turn.before} is turned over")

    def _check_consumers(self, plan: RotationPlan) -> None:
        found = {one.component for plane in self._consumers.found for one in plane.items}
        if missing := sorted(set(plan.must_have) - found):
            raise InvalidRequest(
                f"{missing[0]} is among spec.consumerRefs and uses {plan.path} on no plane: deploy "
                "it with a configuration that names the secret, or take it out of the list"
            )

    async def _distribute(self, turning: Turning) -> None:
        await turning.do(RotationActivities.use_version, "use the new version")
        if looks_again():
            # Whoever was deployed since the preflight has the old one.
            await self._consumers.find(turning.turn.plan.planes)
        await self._consumers.deliver()

    async def _catch_up(self, turn: SecretTurn) -> None:
        """Brings the new version to whoever came to use the secret in the meantime."""
        known = set(self._consumers.names)
        await self._consumers.find(turn.plan.planes)
        if set(self._consumers.names) - known:
            await self._consumers.deliver()
            await self._consumers.restart(turn.version)

    async def _finish(self, turning: Turning) -> None:
        """Locks the old credential, waits, and destroys it: only the last cannot be undone."""
        rest = timedelta(seconds=turning.turn.plan.destroy_after_seconds)

        async def finish() -> None:
            if not self._is_final:
                await turning.do(RotationActivities.lock_old, "lock the old credential")
                await workflow.sleep(rest, summary="the old credential is locked, not destroyed")
                await self._pauses.safe_point()
                # From now on bringing the old one back would leave people with none.
                self._is_final, self._saga = True, Saga()
            if turning.turn.last:
                await turning.insist(TrustActivities.forget_issuers, "remove the old issuer")
            await turning.insist(RotationActivities.destroy_old, "destroy the old credential")

        awaiting = "the end of the time in which it can be undone"
        await self._steps.do("finish", finish, awaiting=awaiting, until=workflow.now() + rest)

    async def _undone(
        self, error: PlatformError | None = None, *, cancelled: bool = False
    ) -> PlatformError:
        """Undoes everything in reverse, and writes down what came of it."""
        error = error or Errored("cancelled")
        phase = Phase.ERRORED if isinstance(error, Errored) else Phase.FAILED
        try:
            await self._saga.compensate()
        except CompensationFailed as failed:
            phase = Phase.ERRORED
            error = CompensationFailed(f"{error.message}; undoing it: {failed.message}")
        nothing = "everybody uses the new one" if self._is_final else "nothing was changed"
        undone = "; ".join(self._saga.undone) or nothing
        if cancelled:
            self._steps.facts.add_cancel("rotation.cancelled", self._saga.undone)
            await self._steps.facts.write_to_the_end()
            phase, message = Phase.CANCELLED, undone
        else:
            message = f"{error.message}; {undone}"
            await self._steps.told_at_last(
                "rotation.ended", result=FactResult.FAILED, message=message
            )
        await self._steps.note(phase, message)
        self._progress.is_at(phase, message if cancelled else error.message)
        return error
