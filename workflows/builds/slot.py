"""A build's side of the lane of its organization: asks for a slot, waits for it, gives it back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import FailureError

from activities.builds.lanes import BuildLaneActivities
from domain import ids
from domain.deliveries import (
    BuildPlan,
    BuildTurn,
    QueuePlace,
    SlotRef,
    SlotRequest,
    StageDuration,
)
from domain.errors import Errored
from domain.phases import Phase
from domain.policies import build_admission
from workflows.common.calls import QUICK, call
from workflows.common.progress import Progress


class BuildSlot:
    """The slot of one build. Lives inside one workflow run."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._is_granted = False
        self._waits = False
        self._place: QueuePlace | None = None
        self._began: datetime | None = None
        self._ended: datetime | None = None
        self._until = workflow.now()
        self._reminders = 0

    @property
    def stages(self) -> tuple[StageDuration, ...]:
        """How long the build waited; empty when it never asked."""
        if self._began is None:
            return ()
        seconds = ((self._ended or workflow.now()) - self._began).total_seconds()
        return (StageDuration(name="queue", seconds=round(seconds, 3)),)

    @property
    def _what(self) -> str:
        return f"a build slot: {self._place}" if self._place else "a build slot"

    def begins_again(self) -> None:
        """The build asks anew, after it gave its slot back to wait for a person."""
        self._is_granted = self._waits = False
        self._place = None

    def granted(self) -> None:
        """The lane says that the build may run; said twice it counts once."""
        self._is_granted = True
        self._waits = False
        self._ended = self._ended or workflow.now()

    def queued(self, place: QueuePlace) -> None:
        """The lane says where in the queue the build stands."""
        self._place = place
        if self._waits:
            self._progress.awaits(self._what)

    async def ask(self, plan: BuildPlan, *, automatic: bool) -> None:
        """Asks for a slot; the lane is begun if there is none. Asking again changes nothing."""
        self._began = self._began or workflow.now()
        info = workflow.info()
        await call(
            BuildLaneActivities.enter_build_lane,
            SlotRequest(
                organization=plan.organization,
                project=plan.project,
                component=plan.component,
                build=info.workflow_id,
                run_id=info.run_id,
                automatic=automatic,
                replaces=plan.older,
            ),
            f"ask for a build slot of {plan.organization}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )

    async def wait(self, plan: BuildPlan, *, automatic: bool) -> None:
        """Waits for the slot; one that must be waited for is shown in the Build resource.

        Raises:
            Errored: No slot came free in the longest time a build waits.
        """
        self._until = workflow.now() + build_admission.LONGEST_WAIT
        who = f"an administrator of {plan.organization}, by spec.builds.concurrency"
        with self._progress.step("queue", awaiting=self._what, until=self._until, who=who):
            self._waits = True
            await self._message(plan, lambda: self._place is not None, automatic=automatic)
            if self._is_granted:
                return
            self._progress.is_at(Phase.PENDING)
            await self._show(plan, self._place)
            await self._message(plan, lambda: False, automatic=automatic)
            self._progress.is_at(Phase.RUNNING)
            await self._show(plan, None)

    async def _message(self, plan: BuildPlan, also: Callable[[], bool], *, automatic: bool) -> None:
        """Waits until the slot is granted or something else is so, and reminds the lane of it.

        A lane that was terminated has forgotten who waits; asking again begins another one.
        """
        while not (self._is_granted or also()):
            left = self._until - workflow.now()
            if left <= timedelta():
                raise Errored(self._overdue(plan.organization))
            pause = build_admission.pause_before_reminder(self._reminders)
            try:
                await workflow.wait_condition(
                    lambda: self._is_granted or also(),
                    timeout=min(left, pause),
                    timeout_summary="ask again for a build slot",
                )
            except TimeoutError:
                self._reminders += 1
                await self.ask(plan, automatic=automatic)

    def _overdue(self, organization: str) -> str:
        hours = build_admission.LONGEST_WAIT / timedelta(hours=1)
        where = f" ({self._place})" if self._place else ""
        return f"no build slot of {organization} came free in {hours:g} hours{where}"

    async def _show(self, plan: BuildPlan, place: QueuePlace | None) -> None:
        await call(
            BuildLaneActivities.show_build_turn,
            BuildTurn(organization=plan.organization, name=plan.name, place=place),
            f"show that {plan.name} {'waits' if place else 'runs'}",
            queue=ids.CONTROL_QUEUE,
            options=QUICK,
        )

    async def leave(self, organization: str) -> None:
        """Gives the slot back, or the place in the queue.

        Idempotent: a slot that was given back already, or a lane that is gone, changes nothing.
        """
        self._ended = self._ended or workflow.now()
        self._waits = False
        info = workflow.info()
        handle = workflow.get_external_workflow_handle(ids.build_lane_id(organization))
        try:
            await handle.signal(
                "slot_released", SlotRef(build=info.workflow_id, run_id=info.run_id)
            )
        except FailureError:
            workflow.logger.info("the lane of %s has ended already", organization)
