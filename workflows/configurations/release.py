"""Brings what a configuration group says to the components that use it, place by place.

Only those are deployed whose values differ. Each goes through the queue of its place like any other
deployment, so what fails is put back as it was; what was brought stays so until somebody restores
an earlier revision, which is a release as well.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.configurations.releases import ConfigurationActivities
from domain import ids
from domain.deliveries import (
    BindingConfigured,
    ConfigurationConsumer,
    ConfigurationNote,
    ConfigurationPlan,
    ConfigurationRelease,
    ConfigurationRequest,
    ConfigureBinding,
    OperationStatus,
)
from domain.errors import Denied, Errored, InvalidRequest, PlatformError
from domain.phases import Phase
from domain.records import FactResult
from domain.records.stops import Place
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.common.brake import Brake
from workflows.common.calls import QUICK, call, watch
from workflows.common.facts import Facts
from workflows.common.progress import Progress
from workflows.common.waves import check_failures, in_turns
from workflows.configurations.consent import Consent
from workflows.configurations.outcomes import Outcomes

_LONGEST = timedelta(hours=12)
"""How long one deployment of a release may take, its place in the queue included."""


@workflow.defn
class ConfigurationWorkflow:
    """The releases of one configuration group, until it has nothing new to say."""

    @workflow.init
    def __init__(self, request: ConfigurationRequest) -> None:
        self._request = request
        self._title = f"release ConfigurationGroup {request.group}"
        self._progress = Progress(self._title, ("plan", "approval", "deploy"))
        self._brake = Brake(Place(organization=request.organization), self._progress)
        self._consent = Consent(self._progress)
        self._facts = Facts(
            request.organization, f"ConfigurationGroup {request.group}", request.trigger
        )
        self._is_stirred = False
        self._round = 0
        self._ends = 0
        self._revision = ""
        self._outcomes = Outcomes()
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("configuration"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.COMPONENT.value_set(request.group),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the release stands."""
        return self._progress.status()

    @workflow.signal
    def asked(self, request: ConfigurationRequest) -> None:
        """The group may say something else now, or is to say again what it said."""
        if request.restore or request.trigger.actor:
            self._request = request
        self._is_stirred = True
        self._consent.stir()

    @workflow.signal
    def stop_changed(self) -> None:
        """Somebody stopped something, or let it go on."""
        self._brake.changed()

    @workflow.run
    async def run(self, _request: ConfigurationRequest) -> ConfigurationRelease:
        """Releases what the group says; what it says meanwhile takes the place of that."""
        self._progress.begins(self._title)
        while True:
            done = await self._released()
            # What was asked for while the end was written down is not lost.
            if not self._is_stirred:
                break
            # As a release of its own: what failed is tried again.
            self._ends, self._revision = self._ends + 1, ""
        if isinstance(done, PlatformError):
            raise as_failure(done)
        self._progress.is_at(Phase.SUCCEEDED, str(self._outcomes))
        return done

    async def _released(self) -> ConfigurationRelease | PlatformError:
        """Releases and writes down how that ended; returns why when it failed."""
        try:
            done = await self._release()
        except asyncio.CancelledError:
            await self._cancelled()
            raise
        except (FailureError, PlatformError) as failure:
            if is_cancelled_exception(failure):
                await self._cancelled()
                raise
            error = as_domain_error(failure)
            await self._failed(error)
            return error
        if done.revision:
            await self._note(Phase.SUCCEEDED, str(self._outcomes))
        await self._written(message=str(self._outcomes), after=done.revision)
        return done

    async def _release(self) -> ConfigurationRelease:
        """Plans and carries out, again while there is something that was not tried."""
        while True:
            self._is_stirred = False
            plan = await self._plan()
            if plan.revision != self._revision:
                await self._begin(plan)
            waves = self._outcomes.untried(plan)
            if not waves and not self._is_stirred:
                return self._outcomes.result(self._request, plan)
            self._round += 1
            await self._carry_out(plan, waves)

    async def _begin(self, plan: ConfigurationPlan) -> None:
        """Tells that another revision is released from now on.

        Raises:
            InvalidRequest: It cannot be used somewhere, so it is brought nowhere.
        """
        if self._revision:
            await self._note(Phase.SUPERSEDED, f"{plan.revision or 'nothing'} takes its place")
        self._revision, self._outcomes = plan.revision, Outcomes(plan.left)
        if not plan.revision:
            return
        await self._note(Phase.RUNNING, f"{_count(plan)} to be deployed")
        if plan.problems:
            raise InvalidRequest(
                f"nothing was deployed: {'; '.join(plan.problems)}",
                facts={"reason": "ConfigurationInvalid"},
            )

    async def _plan(self) -> ConfigurationPlan:
        with self._progress.step("plan"):
            if self._request.restore:
                await call(
                    ConfigurationActivities.restore_configuration,
                    self._request,
                    f"bring {self._request.group} back to {self._request.restore}",
                    queue=ids.CONTROL_QUEUE,
                    options=QUICK,
                )
                self._facts.add(
                    "configuration.restored",
                    step=f"restored-{self._round}",
                    after=self._request.restore,
                )
                self._request = self._request.model_copy(update={"restore": ""})
            plan = await call(
                ConfigurationActivities.plan_configuration,
                self._request,
                f"look who runs with other values than {self._request.group} gives",
                queue=ids.CONTROL_QUEUE,
                options=QUICK,
            )
        self._progress.note("plan", f"{_count(plan)} touched, {plan.untouched} not")
        return plan

    async def _carry_out(
        self, plan: ConfigurationPlan, waves: tuple[tuple[ConfigurationConsumer, ...], ...]
    ) -> None:
        """Goes from place to place; ends early when it must be looked again what there is to do."""
        for wave in waves:
            if self._is_stirred:
                return
            place = wave[0].environment
            if not await self._consent.given(self._request, plan, wave):
                return
            await self._brake.safe_point()
            until = workflow.now() + _LONGEST
            with self._progress.step("deploy", awaiting=f"deployments to {place}", until=until):
                await self._wave(plan, wave)
            self._progress.note("deploy", f"{place}: {self._outcomes}")

    async def _wave(self, plan: ConfigurationPlan, wave: tuple[ConfigurationConsumer, ...]) -> None:
        async def bring(consumer: ConfigurationConsumer) -> None:
            self._outcomes.add(await self._configure(plan, consumer))

        def goes_on() -> bool:
            return len(self._outcomes.failed) <= plan.max_failures and not self._is_stirred

        await in_turns(wave, bring, at_once=plan.max_at_once, goes_on=goes_on)
        check_failures(self._outcomes.failed, plan.max_failures, str(self._outcomes))

    async def _configure(
        self, plan: ConfigurationPlan, consumer: ConfigurationConsumer
    ) -> BindingConfigured:
        info = workflow.info()
        return await call(
            ConfigurationActivities.configure_binding,
            ConfigureBinding(
                organization=self._request.organization,
                group=self._request.group,
                revision=plan.revision,
                consumer=consumer,
                request_id=f"config-{info.run_id[:8]}-{self._round}-{consumer.binding}",
                promotion=info.workflow_id,
                run_id=info.run_id,
                trigger=self._request.trigger,
            ),
            f"deploy {consumer.component} to {consumer.environment} with {plan.revision}",
            queue=ids.CONTROL_QUEUE,
            options=watch(_LONGEST),
        )

    async def _cancelled(self) -> None:
        """What was brought stays so: an earlier revision is restored by a release of its own."""
        self._facts.add_cancel("configuration.cancelled")
        await self._facts.write_to_the_end()
        if self._revision:
            await self._note(Phase.CANCELLED, f"stopped by a person; {self._outcomes}", last=True)
        self._progress.is_at(Phase.CANCELLED, str(self._outcomes))

    async def _failed(self, error: PlatformError) -> None:
        phase = Phase.FAILED
        if isinstance(error, Errored | Denied):
            phase = Phase.ERRORED if isinstance(error, Errored) else Phase.DENIED
        if self._revision:
            await self._note(phase, error.message, reason=error.facts.get("reason", ""), last=True)
        self._progress.is_at(phase, error.message)
        await self._written(result=FactResult.FAILED, message=error.message)

    async def _written(self, **about: Any) -> None:
        step = f"released-{self._ends}" if self._ends else ""
        self._facts.add("configuration.released", step=step, **about)
        await self._facts.write_to_the_end()

    async def _note(
        self, phase: Phase, message: str, *, reason: str = "", last: bool = False
    ) -> None:
        info = workflow.info()
        await call(
            ConfigurationActivities.note_configuration,
            ConfigurationNote(
                organization=self._request.organization,
                group=self._request.group,
                revision=self._revision,
                phase=phase,
                message=message,
                reason=reason,
                by=self._request.trigger.actor or self._request.trigger.kind.value,
                workflow_id=info.workflow_id,
                run_id=info.run_id,
                deployed=len(self._outcomes.deployed),
                failed=len(self._outcomes.failed),
                left=len(self._outcomes.left),
            ),
            f"tell {self._request.group} that its release is {phase.value.lower()}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
            even_if_cancelled=last,
        )


def _count(plan: ConfigurationPlan) -> str:
    count = sum(len(wave) for wave in plan.waves)
    return f"{count} binding{'' if count == 1 else 's'}"
