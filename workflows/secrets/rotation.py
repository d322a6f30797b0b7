"""Turns one secret over: two slots, of which the one in use is touched last.

The new credential is made and tested beside the old one, brought to everyone who uses the secret,
and only when the old one was seen unused is that locked and, after a while, destroyed. Until it is
destroyed everything can be undone: a cancel does, and so does any failure.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.secrets.plans import RotationPlanActivities
from activities.secrets.rotations import RotationActivities
from domain import ids
from domain.deliveries import OperationStatus
from domain.deliveries.approvals import ApprovalRequest, BoundFacts
from domain.deliveries.rotations import (
    HoldOrder,
    Rotation,
    RotationPlan,
    RotationRequest,
    RotationStatus,
    SecretTurn,
)
from domain.errors import (
    CompensationFailed,
    Conflict,
    Denied,
    Errored,
    InvalidRequest,
    PlatformError,
)
from domain.phases import Phase
from domain.records import FactResult
from domain.secrets.places import scope_of
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.approvals.asking import approved
from workflows.common.calls import QUICK, WRITE, Options, call, stop_if_cancelled, to_the_end, watch
from workflows.common.facts import Facts
from workflows.common.progress import Progress
from workflows.common.saga import Saga
from workflows.secrets.consumers import Consumers

_STEPS = (
    "preflight",
    "create",
    "set",
    "test",
    "distribute",
    "restart",
    "observe",
    "approval",
    "finish",
)
_VALUES = 3
"""How many values are made when the target refuses them."""
_WINDOW = timedelta(minutes=15)
_LONGEST_USE = timedelta(days=30)
"""How long others may go on using the old credential before the rotation is undone."""
_LONGEST_HOLD = timedelta(days=30)


@workflow.defn
class RotationWorkflow:
    """One turning over of one secret. Its id is the lock of the secret's rotation."""

    @workflow.init
    def __init__(self, request: RotationRequest) -> None:
        self._request = request
        self._title = f"rotate {request.rotation}"
        self._progress = Progress(self._title, _STEPS)
        self._saga = Saga()
        self._facts = Facts(request.organization, f"secret {request.rotation}", request.trigger)
        self._turn: SecretTurn | None = None
        self._consumers = Consumers(request.organization, "")
        self._users: tuple[str, ...] = ()
        self._held_by = ""
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
        return self._progress.status()

    @workflow.query
    def rotation(self) -> RotationStatus:
        """Which versions it is about, who uses the secret, and who still uses the old one."""
        return RotationStatus(
            turn=self._turn,
            consumers=self._consumers.found,
            paused_by=self._held_by,
            users=self._users,
            can_roll_back=not self._is_final,
        )

    @workflow.update
    def hold(self, order: HoldOrder) -> str:
        """Holds the rotation at its next safe point, or lets it go on; returns who holds it."""
        self._held_by = f"{order.actor}: {order.reason}" if order.holds else ""
        return self._held_by

    @hold.validator
    def _check_hold(self, order: HoldOrder) -> None:
        if order.holds and self._is_final:
            raise Conflict("the old credential is being destroyed: there is nothing to hold")

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
            phase = Phase.ERRORED if isinstance(error, Errored) else Phase.FAILED
            self._progress.is_at(phase, error.message)
            raise as_failure(error) from failure
        message = f"version {turn.version} took the place of version {turn.before}"
        await self._told("rotation.ended", before=str(turn.before), after=str(turn.version))
        self._progress.is_at(Phase.SUCCEEDED, message)
        return Rotation(
            organization=self._request.organization,
            rotation=self._request.rotation,
            path=turn.plan.path,
            before=turn.before,
            version=turn.version,
            consumers=self._consumers.names,
            message=message,
        )

    async def _turned_over(self) -> SecretTurn:
        with self._progress.step("preflight"):
            turn = await self._preflight()
        await self._safe_point()
        self._saga.add(f"withdrew the new credential of {turn.plan.path}", self._withdraw)
        turn = await self._proven(turn)
        await self._safe_point()
        self._saga.add(f"brought version {turn.before} back to all", self._bring_back)
        with self._progress.step("distribute"):
            await self._secret(RotationActivities.use_version, "use the new version")
            await self._consumers.deliver()
        with self._progress.step("restart"):
            await self._consumers.restart(turn.version)
        await self._told("rotation.distributed", after=str(turn.version))
        await self._safe_point()
        await self._observe(turn)
        await self._agreed(turn)
        await self._safe_point()
        await self._finish(turn)
        return turn

    async def _preflight(self) -> SecretTurn:
        plan = await call(
            RotationPlanActivities.plan_rotation,
            self._request,
            f"look what {self._request.rotation} turns over",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )
        self._facts.is_about(subject=f"secret {plan.path}", project=scope_of(plan.path).project)
        info = workflow.info()
        self._turn = SecretTurn(plan=plan, id=f"{info.workflow_id}/{info.run_id}")
        self._turn = await self._secret(RotationActivities.inspect_secret, "check it")
        self._consumers = Consumers(plan.organization, plan.path)
        await self._consumers.find(plan.planes)
        self._check_consumers(plan)
        self._progress.note("preflight", f"used by {', '.join(self._consumers.names) or 'nobody'}")
        await self._told("rotation.begun", before=str(self._turn.before))
        return self._turn

    def _check_consumers(self, plan: RotationPlan) -> None:
        found = {one.component for plane in self._consumers.found for one in plane.items}
        if missing := sorted(set(plan.must_have) - found):
            raise InvalidRequest(
                f"{missing[0]} is among spec.consumerRefs and uses {plan.path} on no plane: deploy "
                "it with a configuration that names the secret, or take it out of the list"
            )

    async def _proven(self, turn: SecretTurn) -> SecretTurn:
        """Makes a credential the target takes, and logs in with it."""
        for attempt in range(1, _VALUES + 1):
            turn = turn.model_copy(update={"attempt": attempt, "version": 0})
            self._turn = turn
            with self._progress.step("create"):
                turn = self._turn = await self._secret(
                    RotationActivities.create_version, "make and write a new value"
                )
            try:
                with self._progress.step("set"):
                    await self._secret(RotationActivities.give_to_target, "make the target take it")
            except (FailureError, PlatformError) as failure:
                refused = as_domain_error(failure)
                if not isinstance(refused, InvalidRequest) or attempt == _VALUES:
                    raise
                await self._withdraw()
                turn = turn.model_copy(update={"newest": turn.version})
                continue
            with self._progress.step("test"):
                await self._secret(RotationActivities.test_version, "log in with it")
            break
        return turn

    async def _observe(self, turn: SecretTurn) -> None:
        quiet = timedelta(seconds=turn.plan.quiet_seconds)
        until = workflow.now() + quiet
        given_up = workflow.now() + _LONGEST_USE + quiet
        awaiting = f"the old credential to be unused for {quiet}"
        with self._progress.step("observe", awaiting=awaiting, until=until):
            while workflow.now() < given_up:
                seen = await self._secret(
                    RotationActivities.observe_old_users,
                    f"see the old credential unused for {quiet}",
                    watch(quiet + _WINDOW),
                )
                self._users = seen.users
                if seen.unused:
                    return
                self._progress.awaits(f"{', '.join(seen.users)} to let go of the old credential")
        raise Errored(f"the old credential is still used by {', '.join(self._users)}")

    async def _agreed(self, turn: SecretTurn) -> None:
        plan = turn.plan
        if plan.approval is None:
            self._progress.skip("approval", "nobody needs to agree")
            return
        scope = scope_of(plan.path)
        asked = ApprovalRequest(
            subject=workflow.info().workflow_id,
            organization=plan.organization,
            project=scope.project,
            environment=scope.environment,
            asked=f"lock and destroy the old credential of {plan.path}",
            details=f"Version {turn.version} is used by {', '.join(self._consumers.names)}.",
            facts=BoundFacts(plan=ids.content_hash(turn.model_dump(mode="json"))),
            rule=plan.approval,
            requester=self._request.trigger.actor,
        )
        until = workflow.now() + plan.approval.expires_after
        who = ", ".join(plan.approval.groups) or "whoever may approve there"
        workflow.upsert_search_attributes([attributes.AWAITING.value_set(True)])
        with self._progress.step("approval", awaiting="approval", until=until, who=who):
            result = await approved(asked)
        workflow.upsert_search_attributes([attributes.AWAITING.value_set(False)])
        if not result.approved or result.hash != asked.hash:
            raise Denied(result.message or f"the approval was {result.outcome.value}")

    async def _finish(self, turn: SecretTurn) -> None:
        """Locks the old credential, waits, and destroys it: only the last cannot be undone."""
        rest = timedelta(seconds=turn.plan.destroy_after_seconds)
        until = workflow.now() + rest
        await self._told("rotation.finishing", before=str(turn.before))
        self._saga.add(f"unlocked version {turn.before}", self._unlock)
        with self._progress.step(
            "finish", awaiting="the end of the time in which it can be undone", until=until
        ):
            await self._secret(RotationActivities.lock_old, "lock the old credential")
            await workflow.sleep(rest, summary="the old credential is locked, not destroyed")
            await self._safe_point()
            self._is_final = True
            await self._secret(
                RotationActivities.destroy_old, "destroy the old credential", undoing=True
            )

    async def _safe_point(self) -> None:
        stop_if_cancelled()
        if not self._held_by:
            return
        until = workflow.now() + _LONGEST_HOLD
        with self._progress.waiting(
            f"the rotation is held by {self._held_by}", until=until, who="whoever may rotate it"
        ):
            await workflow.wait_condition(
                lambda: not self._held_by,
                timeout=_LONGEST_HOLD,
                timeout_summary="undo what is held for too long",
            )

    async def _undone(
        self, error: PlatformError | None = None, *, cancelled: bool = False
    ) -> PlatformError:
        """Undoes everything in reverse, and writes down what came of it."""
        error = error or Errored("cancelled")
        try:
            await to_the_end(self._saga.compensate())
        except CompensationFailed as failed:
            error = CompensationFailed(f"{error.message}; undoing it: {failed.message}")
        if cancelled:
            self._facts.add_cancel("rotation.cancelled", self._saga.undone)
            await self._facts.write()
            self._progress.is_at(Phase.CANCELLED, "; ".join(self._saga.undone))
        else:
            undone = "; ".join(self._saga.undone) or "nothing was changed"
            await self._told(
                "rotation.ended", result=FactResult.FAILED, message=f"{error.message}; {undone}"
            )
        return error

    async def _withdraw(self) -> None:
        await self._secret(
            RotationActivities.withdraw_new, "destroy the new credential", undoing=True
        )

    async def _unlock(self) -> None:
        await self._secret(RotationActivities.unlock_old, "unlock the old credential", undoing=True)

    async def _bring_back(self) -> None:
        assert self._turn is not None  # noqa: S101 - there is no undo before there is a turn
        await self._secret(
            RotationActivities.use_version_before, "use the old version again", undoing=True
        )
        back = Consumers(self._turn.plan.organization, self._turn.plan.path, even_if_cancelled=True)
        await back.find(self._turn.plan.planes)
        await back.deliver()
        await back.restart(self._turn.before)

    async def _told(self, action: str, **about: Any) -> None:
        self._facts.add(action, **about)
        await self._facts.write()

    async def _secret(
        self,
        method: Callable[[Any, SecretTurn], Awaitable[Any]],
        what: str,
        options: Options = WRITE,
        *,
        undoing: bool = False,
    ) -> Any:
        """Does one step. A cancel waits for its end: what is undone next must not meet it."""
        assert self._turn is not None  # noqa: S101 - set by the first step
        done = await call(
            method,
            self._turn,
            f"{what}: {self._turn.plan.path}",
            queue=ids.SECRETS_QUEUE,
            options=options,
            even_if_cancelled=options is WRITE,
        )
        if not undoing:
            stop_if_cancelled()
        return done
