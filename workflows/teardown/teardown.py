"""Takes down what a resource that is being deleted stands for, in order, and lets it go.

Nothing is undone: Kubernetes knows no way back from a deletion. So a cancel leaves the rest as it
is, says so on the resource, and asking for the deletion again goes on from there.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.secrets.tenants import VaultTenantActivities
from activities.teardown.planes import TeardownPlaneActivities
from activities.teardown.surveys import TeardownActivities
from domain import ids
from domain.deliveries import OperationStatus
from domain.deliveries.parking import Choice, Parked, Resolution
from domain.deliveries.secrets import EnsureVaultTenant
from domain.deliveries.teardown import (
    DeleteParts,
    PlaneSweep,
    TeardownNote,
    TeardownRequest,
    TeardownSurvey,
    TornDown,
)
from domain.errors import Denied, PlatformError
from domain.phases import Phase
from domain.policies import parking
from domain.records import FactResult
from domain.resources import Organization
from domain.resources.conditions import Reason
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.common.calls import QUICK, WRITE, call, stop_if_cancelled, watch
from workflows.common.facts import Facts
from workflows.common.parking import Parking
from workflows.common.progress import Progress
from workflows.common.words import few

_STEPS = ("users", "parts", "planes", "record")
_SWEEP = timedelta(hours=6)
"""How long what could have been missed goes unseen."""
_AGAIN = "; what is gone stays gone; delete it again to go on"


@workflow.defn
class TeardownWorkflow:
    """The end of one resource."""

    @workflow.init
    def __init__(self, request: TeardownRequest) -> None:
        self._request = request
        self._changed = False
        self._told = ""
        self._rounds = 0
        what = f"{request.kind} {request.name}"
        self._progress = Progress(f"delete {what}", _STEPS)
        self._parking = Parking("teardown", self._progress)
        self._facts = Facts(request.organization, what, request.trigger)
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("teardown"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.run
    async def run(self, _request: TeardownRequest) -> TornDown:
        """Works until the resource is let go; waits for users and parts as long as they stay."""
        self._progress.begins(f"delete {self._what}")
        try:
            while not await self._until_decided():
                await self._go_on_anew()
        except asyncio.CancelledError:
            await self._cancelled()
            raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._progress.is_at(Phase.SUCCEEDED, f"{self._what} is gone")
        return TornDown(
            organization=self._request.organization,
            kind=self._request.kind,
            name=self._request.name,
            message=f"{self._what} is gone",
        )

    @workflow.signal
    def changed(self, request: TeardownRequest) -> None:
        """What belongs to the resource, or uses it, is another than before."""
        self._request = request.model_copy(update={"trigger": self._request.trigger})
        self._changed = True

    @workflow.update
    def resolve(self, resolution: Resolution) -> Parked | None:
        """Decides what becomes of a parked teardown: retry, skip the plane, or give up."""
        return self._parking.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._parking.check(resolution)

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the teardown stands and what is waited for."""
        return self._progress.status().model_copy(update={"parked": self._parking.parked})

    @property
    def _what(self) -> str:
        return f"{self._request.kind} {self._request.name}"

    async def _until_decided(self, *, without_planes: bool = False) -> bool:
        """Goes one round; True = the resource is let go. A technical fault waits for a person."""
        while True:
            try:
                return await self._round(without_planes=without_planes)
            except (FailureError, PlatformError) as failure:
                if is_cancelled_exception(failure):
                    raise asyncio.CancelledError from failure
                error = as_domain_error(failure)
            step = self._progress.failed_step
            if not parking.parks("teardown", step, error):
                await self._tell(_why(error), f"its teardown failed: {error.message}{_AGAIN}")
                await self._refused(error, step)
                raise as_failure(error)
            await self._tell(Reason.PARKED, f"waiting for a person: {error.message}")
            decision = await self._parking.ask(error, self._facts)
            if decision.choice is Choice.COMPENSATE:
                if workflow.patched("teardown-tells-that-it-was-given-up"):
                    told = f"its teardown was given up ({decision.reason}): {error.message}"
                    await self._tell(Reason.CANCELLED, f"{told}{_AGAIN}")
                await self._refused(error, step)
                raise as_failure(error)
            without_planes = decision.choice is Choice.SKIP

    async def _round(self, *, without_planes: bool) -> bool:
        self._changed = False
        with self._progress.step("users"):
            survey = await self._survey()
        if survey.gone:
            return True
        if survey.users:
            await self._waits(Reason.IN_USE, survey.users, "whoever owns what uses it")
            return False
        if survey.remove or survey.pending:
            await self._parts(survey)
            return False
        if without_planes:
            self._progress.skip("planes", "skipped by a person")
        else:
            with self._progress.step("planes"):
                for sweep in survey.planes:
                    await self._sweep(sweep)
                if self._request.kind == Organization.kind:
                    await self._revoke()
        with self._progress.step("record"):
            self._facts.add("teardown.done", message=f"{self._what} is taken down")
            await self._facts.write_to_the_end()
            await call(
                TeardownActivities.let_go,
                self._request,
                f"let {self._what} go",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
                even_if_cancelled=_ends_what_it_began(),
            )
        return True

    async def _survey(self) -> TeardownSurvey:
        return await call(
            TeardownActivities.survey_teardown,
            self._request,
            f"look what {self._what} waits for",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )

    async def _parts(self, survey: TeardownSurvey) -> None:
        """Has the parts deleted whose turn it is; waits for those that take their time."""
        if survey.remove:
            with self._progress.step("parts"):
                await call(
                    TeardownActivities.delete_parts,
                    DeleteParts(organization=self._request.organization, parts=survey.remove),
                    f"delete {few([f'{one.kind} {one.name}' for one in survey.remove])}",
                    queue=ids.CONTROL_QUEUE,
                    options=WRITE,
                    even_if_cancelled=_ends_what_it_began(),
                )
            self._rounds += 1
            self._facts.add(
                "teardown.parts-deleted",
                step=f"parts-{self._rounds}",
                message=few([f"{one.kind} {one.name}" for one in survey.remove]),
            )
            await self._facts.write()
            return
        await self._waits(Reason.REMOVING, survey.pending, "")

    async def _waits(self, reason: Reason, for_what: tuple[str, ...], who: str) -> None:
        """Waits until something is another than it was seen."""
        what = few(for_what)
        until = workflow.now() + _SWEEP
        with self._progress.waiting(what, until=until, who=who), suppress(TimeoutError):
            await self._tell(reason, f"waiting for {what}")
            await workflow.wait_condition(
                lambda: self._changed,
                timeout=_SWEEP,
                timeout_summary=f"look again whether {self._what} can go",
            )
        stop_if_cancelled()

    async def _sweep(self, sweep: PlaneSweep) -> None:
        """Removes from one plane what is left, and waits until it is gone."""
        await self._tell(Reason.REMOVING, f"removing from plane {sweep.plane}")
        where = sweep.component or ", ".join(sweep.namespaces) or sweep.organization
        left = await call(
            TeardownPlaneActivities.sweep_plane,
            sweep,
            f"remove {where} from plane {sweep.plane}"[:200],
            queue=sweep.task_queue,
            options=WRITE,
        )
        while left.left:
            what = f"{few(left.left)} on plane {sweep.plane}"
            with self._progress.waiting(what, who=f"administrators of plane {sweep.plane}"):
                await self._tell(Reason.REMOVING, f"waiting for {what}")
                left = await call(
                    TeardownPlaneActivities.await_namespaces_gone,
                    sweep,
                    f"wait for {what}"[:200],
                    queue=sweep.task_queue,
                    options=watch(_SWEEP),
                )

    async def _revoke(self) -> None:
        """Takes the rights of an organization's pods away; values stay until someone destroys."""
        organization = self._request.organization
        await self._tell(Reason.REMOVING, "taking away rights in OpenBao")
        await workflow.execute_activity_method(
            VaultTenantActivities.ensure_vault_tenant,
            EnsureVaultTenant(organization=organization, places=()),
            summary=f"take away the roles of {organization} in OpenBao",
            task_queue=ids.SECRETS_QUEUE,
            **WRITE,
        )
        stop_if_cancelled()

    async def _tell(self, reason: Reason, message: str, *, even_if_cancelled: bool = False) -> None:
        """Tells on the resource, when it is something else than what was told."""
        if message == self._told:
            return
        await call(
            TeardownActivities.note_teardown,
            TeardownNote(request=self._request, reason=reason.value, message=message),
            f"tell what {self._what} waits for",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=even_if_cancelled,
        )
        self._told = message

    async def _refused(self, error: PlatformError, step: str) -> None:
        self._facts.add(
            "teardown.failed", result=FactResult.FAILED, message=f"{step}: {error.message}"
        )
        await self._facts.write_to_the_end()
        self._progress.is_at(Phase.FAILED, error.message)

    async def _cancelled(self) -> None:
        self._facts.add_cancel("teardown.cancelled")
        why = workflow.cancellation_reason() or "nobody said why"
        await self._tell(
            Reason.CANCELLED,
            f"its teardown was cancelled ({why}){_AGAIN}",
            even_if_cancelled=True,
        )
        await self._facts.write_to_the_end()
        self._progress.is_at(Phase.CANCELLED, "what is gone stays gone")

    async def _go_on_anew(self) -> None:
        """A wait may take months; its history must not grow with it."""
        if workflow.info().is_continue_as_new_suggested():
            await workflow.wait_condition(workflow.all_handlers_finished)
            workflow.continue_as_new(self._request)


def _ends_what_it_began() -> bool:
    """What is soon done and cannot be taken back is done to its end, so that it is told."""
    return workflow.patched("teardown-ends-what-it-began")


def _why(error: PlatformError) -> Reason:
    return Reason.DENIED if isinstance(error, Denied) else Reason.ERRORED
