"""Gives a person a role for a while, once others agreed, and takes it back.

The grant says itself when it ends, so it ends also while no worker runs; taking it back then only
tidies up.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.tenants.grants import GrantActivities
from domain import ids
from domain.deliveries import OperationStatus
from domain.deliveries.approvals import ApprovalRequest, BoundFacts
from domain.deliveries.break_glass import (
    BreakGlass,
    BreakGlassPlan,
    BreakGlassRequest,
    GrantOrder,
)
from domain.durations import duration_text
from domain.errors import CompensationFailed, Denied, Errored, PlatformError
from domain.phases import Phase
from domain.records import FactResult
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.approvals.asking import approved
from workflows.common.calls import QUICK, call, to_the_end
from workflows.common.facts import Facts
from workflows.common.progress import Progress
from workflows.common.saga import Saga

_STEPS = ("approval", "grant", "end")


@workflow.defn
class BreakGlassWorkflow:
    """One right of one person in one environment: asked for, agreed to, given, taken back."""

    @workflow.init
    def __init__(self, request: BreakGlassRequest) -> None:
        self._progress = Progress(title(request), _STEPS)
        self._facts = Facts(
            request.organization,
            f"{request.person} as {request.role} in {request.environment}",
            request.trigger,
            environment=request.environment,
        )
        self._facts.is_about(project=request.project)
        self._until: datetime | None = None
        self._agreed: tuple[str, ...] = ()
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("break-glass"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.ENVIRONMENT.value_set(request.environment),
                attributes.ACTOR.value_set(request.trigger.actor or request.person),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.query
    def status(self) -> OperationStatus:
        """Where it stands and what it waits for."""
        return self._progress.status()

    @workflow.run
    async def run(self, request: BreakGlassRequest) -> BreakGlass:
        """Asks, gives, waits, takes back. Cancelled = it is taken back at once."""
        saga = Saga()
        self._progress.begins(title(request))
        self._facts.add("break-glass.requested", result=FactResult.ASKED, reason=request.reason)
        try:
            await self._given(request, saga)
        except asyncio.CancelledError:
            await to_the_end(self._cancelled(saga))
            raise
        except (FailureError, PlatformError) as failure:
            if is_cancelled_exception(failure):
                await to_the_end(self._cancelled(saga))
                raise
            error = as_domain_error(failure)
            raise as_failure(await to_the_end(self._failed(saga, error))) from failure
        message = f"{request.person} is {request.role} in {request.environment} no more"
        self._facts.add("break-glass.ended", message=message)
        await self._facts.write_to_the_end()
        self._progress.is_at(Phase.SUCCEEDED, message)
        return BreakGlass(
            organization=request.organization,
            environment=request.environment,
            person=request.person,
            role=request.role,
            phase=Phase.SUCCEEDED,
            until=self._until,
            approved_by=self._agreed,
            message=message,
        )

    async def _given(self, request: BreakGlassRequest, saga: Saga) -> None:
        plan = await self._planned(request)
        await self._facts.write()
        self._agreed = await self._approved(request, plan)
        if await self._planned(request) != plan:
            raise Denied("the rule changed while people were asked: ask again")
        until = self._until = workflow.now() + timedelta(seconds=request.seconds)
        info = workflow.info()
        order = GrantOrder(
            id=f"g{ids.content_hash([info.workflow_id, info.run_id])[:16]}",
            request=request,
            until=until,
            approved_by=self._agreed,
        )
        self._facts.add(
            "break-glass.granted",
            after=order.id,
            reason=request.reason,
            authority=", ".join(self._agreed),
            message=f"until {until:%Y-%m-%d %H:%M} UTC",
        )
        await self._facts.write()
        saga.add(f"took grant {order.id} back", lambda: self._lift(order))
        with self._progress.step("grant"):
            await call(
                GrantActivities.place_grant,
                order,
                f"give {request.person} the role {request.role} in {request.environment}",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )
        who = "who may administer there, by cancelling this operation"
        with self._progress.step("end", awaiting="the end of the right", until=until, who=who):
            await workflow.sleep(until - workflow.now(), summary="take the right back")
            await saga.compensate()

    async def _planned(self, request: BreakGlassRequest) -> BreakGlassPlan:
        return await call(
            GrantActivities.plan_break_glass,
            request,
            f"look who must agree that {request.person} is {request.role}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )

    async def _approved(self, request: BreakGlassRequest, plan: BreakGlassPlan) -> tuple[str, ...]:
        rule = plan.rule
        bound = request.model_dump(mode="json", exclude={"trigger"})
        asked = ApprovalRequest(
            subject=ids.break_glass_id(request.organization, request.person, request.environment),
            organization=request.organization,
            project=request.project,
            environment=request.environment,
            asked=title(request)[:200],
            details=request.reason,
            facts=BoundFacts(
                policies=ids.content_hash(rule.model_dump(mode="json")),
                plan=ids.content_hash(bound),
            ),
            rule=rule,
            requester=request.person,
        )
        who = ", ".join((*rule.groups, *rule.required_groups)) or "whoever may approve there"
        until = workflow.now() + rule.expires_after
        workflow.upsert_search_attributes([attributes.AWAITING.value_set(True)])
        with self._progress.step("approval", awaiting="approval", until=until, who=who):
            result = await approved(asked)
        workflow.upsert_search_attributes([attributes.AWAITING.value_set(False)])
        if not result.approved or result.hash != asked.hash:
            raise Denied(result.message or f"the approval was {result.outcome.value}")
        return tuple(vote.person.shown for vote in result.votes if vote.approves)

    async def _lift(self, order: GrantOrder) -> None:
        await call(
            GrantActivities.lift_grant,
            order,
            f"take the role {order.request.role} of {order.request.person} back",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=True,
        )

    async def _cancelled(self, saga: Saga) -> None:
        message = "cancelled"
        try:
            await saga.compensate()
        except CompensationFailed as worse:
            message = worse.message
        self._facts.add_cancel("break-glass.cancelled", saga.undone or [message])
        await self._facts.write_to_the_end()
        self._progress.is_at(Phase.CANCELLED, "; ".join(saga.undone) or message)

    async def _failed(self, saga: Saga, error: PlatformError) -> PlatformError:
        try:
            await saga.compensate()
        except CompensationFailed as worse:
            error = CompensationFailed(f"{error.message}; {worse.message}")
        denied = isinstance(error, Denied)
        phase = Phase.DENIED if denied else Phase.FAILED
        phase = Phase.ERRORED if isinstance(error, Errored) else phase
        self._facts.add(
            f"break-glass.{phase.value.lower()}",
            result=FactResult.REFUSED if denied else FactResult.FAILED,
            message=error.message,
        )
        await self._facts.write_to_the_end()
        self._progress.is_at(phase, error.message)
        return error


def title(request: BreakGlassRequest) -> str:
    """Says in a few words who asks for what."""
    long = duration_text(timedelta(seconds=request.seconds))
    where = request.environment + (f" of project {request.project}" if request.project else "")
    return f"give {request.person} the role {request.role} in {where} for {long}"
