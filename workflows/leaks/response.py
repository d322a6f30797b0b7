"""Answers a leak: all secrets of a project are turned over at once, when a person has confirmed it.

First it is looked what there is to do, and nothing is done until a person confirms exactly that.
What comes to its end is not undone, whatever becomes of the others: it is the remedy. See
docs/decisions/0035-a-leak-is-answered-by-the-plan-that-was-seen.md.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from domain.deliveries import OperationStatus
from domain.deliveries.leaks import Confirmation, LeakOutcome, LeakPlan, LeakReport, LeakRequest
from domain.errors import Conflict, Denied, Errored, Failed, PlatformError
from domain.phases import Phase
from domain.records import FactResult
from domain.secrets import leaks
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.common.calls import to_the_end
from workflows.common.facts import Facts
from workflows.common.progress import Progress
from workflows.leaks.replacing import LeakedSecrets, planned

_DECISION = timedelta(hours=24)
"""How long a plan waits for somebody to confirm it."""
_RESULTS = {Phase.SUCCEEDED: FactResult.DONE, Phase.CANCELLED: FactResult.UNDONE}


@workflow.defn
class LeakResponseWorkflow:
    """One response to a leak in one project: plan, confirmation, rotations, evidence."""

    @workflow.init
    def __init__(self, request: LeakRequest) -> None:
        self._request = request
        where = f" in {request.environment}" if request.environment else ""
        self._title = f"answer a leak in project {request.project}{where}"
        self._progress = Progress(self._title, ("plan", "confirm", "replace"))
        self._secrets = LeakedSecrets(request)
        self._confirmation: Confirmation | None = None
        self._report = LeakReport(
            organization=request.organization,
            project=request.project,
            environment=request.environment,
            reason=request.reason,
            reported_by=request.trigger.actor or request.trigger.kind.value,
            reported_at=workflow.now(),
        )
        self._facts = Facts(
            request.organization,
            f"secrets of project {request.project}{where}",
            request.trigger,
            environment=request.environment,
        )
        self._facts.is_about(project=request.project)
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("leak"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.PROJECT.value_set(request.project),
                attributes.COMPONENT.value_set(request.project),
                attributes.ENVIRONMENT.value_set(request.environment or "all"),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the response stands."""
        return self._progress.status()

    @workflow.query
    def report(self) -> LeakReport:
        """The plan, and what was done: the evidence."""
        return self._report.model_copy(update={"secrets": self._secrets.states})

    @workflow.update
    async def confirm(self, confirmation: Confirmation) -> LeakReport:
        """Takes a person's word for the plan, if it is still what is to be done."""
        try:
            plan = await planned(self._request)
        except (FailureError, PlatformError) as failure:
            raise as_failure(as_domain_error(failure)) from failure
        if self._confirmation is not None:
            return self.report()
        if plan.hash != confirmation.plan:
            self._tell(plan=plan)
            raise as_failure(
                Conflict("what is to be done is another now: look at the plan once more")
            )
        self._confirmation = confirmation
        return self.report()

    @confirm.validator
    def _check_confirmation(self, confirmation: Confirmation) -> None:
        if self._confirmation is not None or not self._report.awaits_confirmation:
            raise Conflict("nothing waits to be confirmed")
        if confirmation.plan != self._report.plan.hash:
            raise Conflict("that is not the plan that waits: look at it once more")

    @workflow.run
    async def run(self, _request: LeakRequest) -> LeakReport:
        """Returns the evidence when every secret was replaced."""
        self._progress.begins(self._title)
        self._facts.add("leak.reported", result=FactResult.ASKED, reason=self._request.reason)
        try:
            await self._facts.write()
            await self._answered()
        except asyncio.CancelledError:
            await to_the_end(self._end(Phase.CANCELLED, "stopped by a person"))
            raise
        except (FailureError, PlatformError) as failure:
            if is_cancelled_exception(failure):
                await to_the_end(self._end(Phase.CANCELLED, "stopped by a person"))
                raise
            error = as_domain_error(failure)
            phase = Phase.ERRORED if isinstance(error, Errored) else Phase.FAILED
            await self._end(phase, error.message)
            raise as_failure(error) from failure
        done, message = leaks.summary(self._secrets.states, self._report.plan)
        await self._end(Phase.SUCCEEDED if done else Phase.FAILED, message)
        if not done:
            raise as_failure(Failed(message))
        return self.report()

    async def _answered(self) -> None:
        with self._progress.step("plan"):
            self._tell(plan=await planned(self._request), awaits_confirmation=True)
        plan = await self._confirmed()
        with self._progress.step("replace", awaiting=f"{len(plan.entries)} rotations"):
            await self._secrets.replace(plan)

    async def _confirmed(self) -> LeakPlan:
        """Returns the plan that a person has confirmed.

        Raises:
            Denied: Nobody did in time.
        """
        until = workflow.now() + _DECISION
        who = "whoever administers the project, with `pavane secret leak`"
        awaiting = "a person to confirm the plan; nothing is done before"
        with self._progress.step("confirm", awaiting=awaiting, until=until, who=who):
            try:
                await workflow.wait_condition(
                    lambda: self._confirmation is not None,
                    timeout=_DECISION,
                    timeout_summary="give up, unless a person confirms the plan",
                )
            except TimeoutError:
                raise Denied("nobody confirmed the plan in time: nothing was done") from None
        await workflow.wait_condition(workflow.all_handlers_finished)
        confirmation = self._confirmation
        assert confirmation is not None  # noqa: S101 - it was waited for
        self._tell(
            awaits_confirmation=False,
            confirmed_by=confirmation.actor,
            confirmed_at=workflow.now(),
        )
        plan = self._report.plan
        skipped = sorted({group for entry in plan.entries for group in entry.skips})
        self._facts.add(
            "leak.confirmed",
            actor=confirmation.actor,
            after_hash=plan.hash,
            message=f"not asked: {', '.join(skipped)}" if skipped else "",
            evidence=tuple(entry.path for entry in plan.entries[:50]),
        )
        await self._facts.write()
        return plan

    async def _end(self, phase: Phase, message: str) -> None:
        await workflow.wait_condition(workflow.all_handlers_finished)
        self._tell(awaits_confirmation=False, ended_at=workflow.now(), message=message)
        replaced = [
            f"{one.path} {one.before} to {one.version}"
            for one in self._secrets.states
            if one.outcome is LeakOutcome.REPLACED
        ]
        self._facts.add(
            "leak.answered",
            result=_RESULTS.get(phase, FactResult.FAILED),
            message=message[:1000],
            after_hash=self._report.plan.hash,
            evidence=(workflow.info().workflow_id, *replaced[:49]),
        )
        await self._facts.write_to_the_end()
        self._progress.is_at(phase, message)

    def _tell(self, **changes: object) -> None:
        self._report = self._report.model_copy(update=changes)
