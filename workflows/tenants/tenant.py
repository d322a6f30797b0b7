"""Brings namespace, rights, admission and bounds of an organization to what it says.

Nothing is undone: each set-up takes the place of the one before, object by object, and a right that
was taken away must not come back because something else failed. The control plane comes first and
waits for no data plane, so that who is removed is out at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.planes.tenants import TenantPlaneActivities
from activities.secrets.tenants import VaultTenantActivities
from activities.tenants.setup import TenantActivities
from domain import ids
from domain.deliveries import OperationStatus
from domain.deliveries.parking import Choice, Parked, Resolution
from domain.deliveries.secrets import EnsureVaultTenant, VaultPlace, VaultTenant
from domain.deliveries.tenants import (
    TenantApplied,
    TenantLeaving,
    TenantPlan,
    TenantPlane,
    TenantRecord,
    TenantRequest,
    TenantSetup,
)
from domain.errors import PlatformError
from domain.phases import Phase
from domain.policies import parking
from domain.policies.tenants.said import conditions, failed
from domain.records import FactResult
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.common.calls import QUICK, WRITE, call, stop_if_cancelled, to_the_end
from workflows.common.facts import Facts
from workflows.common.parking import Parking
from workflows.common.progress import Progress
from workflows.common.words import few
from workflows.tenants.leaving import leave

_STEPS = ("read", "access", "planes", "record")
_LONGEST = timedelta(hours=2)


@workflow.defn
class TenantWorkflow:
    """Sets one organization up, and again while it changes meanwhile."""

    @workflow.init
    def __init__(self, request: TenantRequest) -> None:
        self._request = request
        self._pending = True
        self._rounds = 0
        self._progress = Progress(f"set up {request.organization}", _STEPS)
        self._parking = Parking("tenant", self._progress)
        self._facts = Facts(
            request.organization, f"Organization {request.organization}", request.trigger
        )
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("tenant"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.run
    async def run(self, _request: TenantRequest) -> TenantSetup:
        """Sets up until nothing has changed meanwhile."""
        done = TenantSetup(organization=self._request.organization)
        while self._pending:
            self._pending = False
            self._rounds += 1
            self._facts.begin_again(self._rounds)
            self._progress.restart()
            self._progress.begins(f"set up {self._request.organization}")
            try:
                done = await self._until_decided() or done
            except asyncio.CancelledError:
                await self._cancelled()
                raise
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._progress.is_at(Phase.SUCCEEDED, done.message)
        return done

    @workflow.signal
    def changed(self, request: TenantRequest) -> None:
        """The organization, or a project, environment or plane of it, is another one now."""
        self._request = request
        self._pending = True

    @workflow.update
    def resolve(self, resolution: Resolution) -> Parked | None:
        """Decides what becomes of a parked set-up: retry or compensate (give up)."""
        return self._parking.decide(resolution)

    @resolve.validator
    def _check_resolution(self, resolution: Resolution) -> None:
        self._parking.check(resolution)

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the set-up stands and what is waited for."""
        return self._progress.status().model_copy(update={"parked": self._parking.parked})

    async def _until_decided(self) -> TenantSetup | None:
        """Sets up once; None = what is wanted changed before it was complete."""
        while True:
            try:
                return await self._set_up()
            except (FailureError, PlatformError) as failure:
                if is_cancelled_exception(failure):
                    raise asyncio.CancelledError from failure
                error = as_domain_error(failure)
            if self._pending:
                return None
            if not parking.parks("tenant", self._progress.failed_step, error):
                await self._refused(error)
                raise as_failure(error)
            decision = await self._parking.ask(error, self._facts, gives_way=lambda: self._pending)
            if decision.choice is Choice.COMPENSATE:
                if self._pending:
                    return None
                await self._refused(error)
                raise as_failure(error)

    async def _set_up(self) -> TenantSetup | None:
        request = self._request
        with self._progress.step("read"):
            plan = await call(
                TenantActivities.plan_tenant,
                request,
                f"read what {request.organization} is to have",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )
        if plan.gone:
            for name in _STEPS[1:]:
                self._progress.skip(name, "the organization is gone")
            return TenantSetup(organization=request.organization, message="it is gone")
        with self._progress.step("access"):
            control = await call(
                TenantActivities.set_up_tenant,
                plan,
                f"rights and admission in {request.organization}",
                queue=ids.CONTROL_QUEUE,
                options=WRITE,
            )
        await self._record(plan, control, {}, "")
        with self._progress.step(
            "planes",
            awaiting=", ".join([*(f"plane {one.plane}" for one in plan.planes), "OpenBao"]),
            until=workflow.now() + _LONGEST,
        ):
            planes = await self._planes(plan)
            for leaving in plan.leaving if planes is not None else ():
                await self._leave(leaving)
        if planes is None:
            return None
        await self._record(plan, control, planes, request.wanted)
        done = TenantSetup(
            organization=request.organization,
            namespaces=sum(len(one.places) for one in plan.planes),
            planes=tuple(one.plane for one in plan.planes),
        )
        said = f"{done.namespaces} namespaces on {len(done.planes)} planes"
        self._facts.add("tenant.set-up", after=request.wanted, message=said)
        with self._progress.step("record"):
            await self._facts.write_to_the_end()
        return done.model_copy(update={"message": said})

    async def _planes(self, plan: TenantPlan) -> dict[str, TenantApplied] | None:
        """Sets up all planes and OpenBao at once; None = what is wanted changed meanwhile."""
        planes = {one.plane: asyncio.create_task(self._plane(one)) for one in plan.planes}
        vault = asyncio.create_task(self._vault(plan))
        tasks: dict[str, asyncio.Task[Any]] = {f"plane {name}": one for name, one in planes.items()}
        tasks["OpenBao"] = vault
        for task in tasks.values():
            task.add_done_callback(lambda _: self._progress.awaits(_left(tasks)))
        # One that fails ends the wait: a plane that is away must not hide it.
        over = asyncio.create_task(
            workflow.wait(tasks.values(), return_when=asyncio.FIRST_EXCEPTION)
        )
        try:
            await workflow.wait_condition(lambda: self._pending or over.done())
        except asyncio.CancelledError:
            await to_the_end(_stopped(tasks.values()))
            raise
        await _stopped(tasks.values())
        stop_if_cancelled()
        for task in tasks.values():
            if task.cancelled():
                return None
            if (failure := task.exception()) is not None:
                if is_cancelled_exception(failure):
                    return None
                raise failure
        return {plane: task.result() for plane, task in planes.items()}

    async def _vault(self, plan: TenantPlan) -> VaultTenant:
        places = [place for plane in plan.planes for place in plane.places]
        return await workflow.execute_activity_method(
            VaultTenantActivities.ensure_vault_tenant,
            EnsureVaultTenant(
                organization=plan.organization,
                places=tuple(
                    VaultPlace(project=one.project, environment=one.environment) for one in places
                ),
            ),
            summary=f"engine, policies and roles of {plan.organization} in OpenBao",
            task_queue=ids.SECRETS_QUEUE,
            **WRITE,
        )

    async def _plane(self, plane: TenantPlane) -> TenantApplied:
        return await call(
            TenantPlaneActivities.set_up_tenant_plane,
            plane,
            f"namespaces of {plane.organization} on plane {plane.plane}",
            queue=plane.task_queue,
            options=WRITE,
        )

    async def _leave(self, leaving: TenantLeaving) -> None:
        """Removes what an environment left; comes last, when its new place is there."""
        left = await leave(leaving)
        if left.removed or left.kept:
            told = f"removed {few(left.removed) or 'none'}, kept {few(left.kept) or 'none'}"
            step = f"leave-{leaving.plane}"
            self._facts.add("tenant.plane-left", step=step, message=f"{leaving.plane}: {told}")

    async def _record(
        self,
        plan: TenantPlan,
        control: TenantApplied,
        planes: dict[str, TenantApplied],
        setup: str,
    ) -> None:
        await self._told(
            TenantRecord(
                organization=plan.organization,
                generation=plan.generation,
                repository=plan.repository,
                setup=setup,
                conditions=conditions(plan, control, planes),
            )
        )

    async def _told(self, record: TenantRecord) -> None:
        await call(
            TenantActivities.record_tenant,
            record,
            f"tell on Organization {record.organization} what holds",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )

    async def _refused(self, error: PlatformError) -> None:
        step = self._progress.failed_step
        record = failed(self._request.organization, step, error)
        await self._told(record)
        self._facts.add(
            "tenant.failed", result=FactResult.FAILED, message=f"{step}: {error.message}"
        )
        await self._facts.write_to_the_end()
        self._progress.is_at(Phase.FAILED, error.message)

    async def _cancelled(self) -> None:
        """What is set up stays so; the next change of the organization completes it."""
        self._facts.add_cancel("tenant.cancelled")
        await self._facts.write_to_the_end()
        self._progress.is_at(Phase.CANCELLED, "what was set up stays; the next change completes it")


def _left(tasks: Mapping[str, asyncio.Task[Any]]) -> str:
    return ", ".join(name for name, task in tasks.items() if not task.done())


async def _stopped(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancels what still runs and waits until it has ended."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
