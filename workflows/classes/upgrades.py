"""Brings the components of a class to its present content, wave by wave.

Each component goes through the queue of its place like any other deployment, so an upgrade never
meets one, and what fails is put back as it was. What was upgraded stays so.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError, is_cancelled_exception

from activities.classes.upgrades import ClassActivities
from domain import ids
from domain.deliveries import (
    BindingUpgrade,
    ClassConsumer,
    ClassUpgrade,
    ClassUpgradePlan,
    ClassUpgradeRequest,
    OperationStatus,
    UpgradeBinding,
)
from domain.errors import Errored, PlatformError
from domain.phases import Phase
from domain.records import FactResult
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error, as_failure
from workflows.common.calls import QUICK, call, watch
from workflows.common.facts import Facts
from workflows.common.progress import Progress
from workflows.common.waves import check_failures, in_turns

_LONGEST = timedelta(hours=12)
"""How long one deployment of an upgrade may take, its place in the queue included."""


@workflow.defn
class ClassUpgradeWorkflow:
    """One upgrade of one class."""

    @workflow.init
    def __init__(self, request: ClassUpgradeRequest) -> None:
        self._request = request
        self._title = f"upgrade {request.class_kind} {request.class_name}"
        self._progress = Progress(self._title, ("plan", "upgrade"))
        self._done: list[BindingUpgrade] = []
        self._facts = Facts(
            request.organization, f"{request.class_kind} {request.class_name}", request.trigger
        )
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("class-upgrade"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.COMPONENT.value_set(request.class_name),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the upgrade stands."""
        return self._progress.status()

    @workflow.run
    async def run(self, _request: ClassUpgradeRequest) -> ClassUpgrade:
        """Upgrades all that need it; stops when more fail than the policy of the class allows."""
        self._progress.begins(self._title)
        try:
            done = await self._upgrade()
        except asyncio.CancelledError:
            await self._cancelled()
            raise
        except (FailureError, PlatformError) as failure:
            if is_cancelled_exception(failure):
                await self._cancelled()
                raise
            error = as_domain_error(failure)
            phase = Phase.ERRORED if isinstance(error, Errored) else Phase.FAILED
            self._progress.is_at(phase, error.message)
            await self._written(result=FactResult.FAILED, message=error.message)
            raise as_failure(error) from failure
        await self._written(message=self._said(), after=done.revision)
        self._progress.is_at(Phase.SUCCEEDED, self._said())
        return done

    async def _cancelled(self) -> None:
        """What was upgraded stays so: nothing is undone."""
        self._facts.add_cancel("class-upgrade.cancelled")
        await self._facts.write_to_the_end()
        self._progress.is_at(Phase.CANCELLED, self._said())

    async def _written(self, **about: Any) -> None:
        self._facts.add("class-upgrade.ended", **about)
        await self._facts.write_to_the_end()

    async def _upgrade(self) -> ClassUpgrade:
        with self._progress.step("plan"):
            plan = await self._plan()
        count = sum(len(wave) for wave in plan.waves)
        self._progress.note("plan", f"{count} bindings in {len(plan.waves)} waves")
        until = workflow.now() + _LONGEST
        with self._progress.step("upgrade", awaiting="the deployments of the waves", until=until):
            while True:
                for number, wave in enumerate(plan.waves, start=1):
                    await self._wave(plan, wave)
                    self._progress.note("upgrade", f"wave {number}: {self._said()}")
                newer = await self._plan()
                if newer.revision == plan.revision:
                    return self._result(plan)
                # The class was changed meanwhile; whoever asked for that found this one running.
                plan = newer

    async def _plan(self) -> ClassUpgradePlan:
        return await call(
            ClassActivities.plan_class_upgrade,
            self._request,
            f"look who follows {self._request.class_kind} {self._request.class_name}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )

    async def _wave(self, plan: ClassUpgradePlan, wave: tuple[ClassConsumer, ...]) -> None:
        async def bring(consumer: ClassConsumer) -> None:
            self._done.append(await self._binding(plan, consumer))

        def goes_on() -> bool:
            return len(self._failed()) <= plan.max_failures

        await in_turns(wave, bring, at_once=plan.max_at_once, goes_on=goes_on)
        check_failures(self._failed(), plan.max_failures, self._said())

    async def _binding(self, plan: ClassUpgradePlan, consumer: ClassConsumer) -> BindingUpgrade:
        run = workflow.info().run_id[:8]
        return await call(
            ClassActivities.upgrade_binding,
            UpgradeBinding(
                organization=self._request.organization,
                consumer=consumer,
                revision=plan.revision,
                request_id=f"class-{run}-{consumer.binding}-{plan.revision[-10:]}",
                trigger=self._request.trigger,
            ),
            f"deploy {consumer.component} to {consumer.environment} with {plan.revision}",
            queue=ids.CONTROL_QUEUE,
            options=watch(_LONGEST),
        )

    def _failed(self) -> list[BindingUpgrade]:
        return [one for one in self._done if one.phase is not Phase.SUCCEEDED]

    def _said(self) -> str:
        failed = self._failed()
        return f"{len(self._done) - len(failed)} upgraded, {len(failed)} failed"

    def _result(self, plan: ClassUpgradePlan) -> ClassUpgrade:
        return ClassUpgrade(
            organization=self._request.organization,
            class_kind=self._request.class_kind,
            class_name=self._request.class_name,
            revision=plan.revision,
            upgraded=tuple(one for one in self._done if one.phase is Phase.SUCCEEDED),
            failed=tuple(self._failed()),
            held=plan.held,
        )
