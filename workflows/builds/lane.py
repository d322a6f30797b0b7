"""The lane of an organization: which of its builds may run and in which order the others wait.

One entity workflow an organization, begun by the first build that asks and over when none is left
(docs/decisions/0006). It trusts no build to say that it ended: while somebody waits it looks.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, FailureError

from activities.builds.lanes import BuildLaneActivities
from domain import ids
from domain.deliveries import BuildLane, LaneCheck, QueuePlace, SlotRef, SlotRequest
from domain.phases import Phase
from domain.policies import build_admission
from runtime import search_attributes as attributes
from runtime.errors import as_domain_error
from workflows.common.calls import Options, call

_LOOK: Options = {
    "start_to_close_timeout": timedelta(seconds=20),
    "schedule_to_close_timeout": timedelta(minutes=1),
    "retry_policy": RetryPolicy(initial_interval=timedelta(milliseconds=500)),
    "cancellation_type": workflow.ActivityCancellationType.TRY_CANCEL,
}
"""Short, because free slots must not wait for it: without an answer what is known counts."""
_SHORTEST = timedelta(seconds=1)


@workflow.defn
class BuildLaneWorkflow:
    """Gives the slots of one organization to its builds, each project in its turn."""

    @workflow.init
    def __init__(self, lane: BuildLane) -> None:
        self._lane = lane
        self._is_dirty = True
        self._must_ask = bool(lane.waiting)
        self._looked = workflow.now()
        self._looks = 0
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set(attributes.LANE),
                attributes.ORGANIZATION.value_set(lane.organization),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.run
    async def run(self, _lane: BuildLane) -> None:
        """Gives out slots until nobody holds or wants one.

        A cancel does not end a lane that builds depend on: it begins anew with all it knows.
        """
        try:
            await self._serve()
        except asyncio.CancelledError:
            if self._is_idle:
                raise
            workflow.continue_as_new(self._lane)

    @workflow.signal
    def slot_requested(self, request: SlotRequest) -> None:
        """A build wants to run."""
        self._lane = build_admission.enter(self._lane, request)
        self._is_dirty = True

    @workflow.signal
    def slot_released(self, ref: SlotRef) -> None:
        """A build ended or waits no longer."""
        self._lane = build_admission.leave(self._lane, ref)
        self._is_dirty = self._must_ask = True

    @workflow.signal
    def limit_changed(self) -> None:
        """The Organization was changed; what it allows now is read before the next decision."""
        self._is_dirty = self._must_ask = True

    @workflow.query
    def lane(self) -> BuildLane:
        """Who builds and who waits."""
        return self._lane

    @property
    def _is_idle(self) -> bool:
        return not (self._lane.holders or self._lane.waiting)

    @property
    def _next_look(self) -> datetime:
        waits = bool(self._lane.waiting)
        return self._looked + build_admission.pause_before_look(self._looks, somebody_waits=waits)

    async def _serve(self) -> None:
        while True:
            self._is_dirty = False
            if self._must_ask and self._lane.waiting:
                await self._learn(())
            self._must_ask = False
            await self._give()
            if workflow.now() >= self._next_look and not self._is_idle:
                await self._look()
            await self._tell_places()
            self._show()
            if workflow.info().is_continue_as_new_suggested():
                # Whatever arrives from here on makes the server ask again, so nothing is lost.
                workflow.continue_as_new(self._lane)
            if not await self._something_happened() and self._is_idle:
                return

    async def _something_happened(self) -> bool:
        """Waits for a message; False when it is time to look by oneself, or to end."""
        pause = max(self._next_look - workflow.now(), _SHORTEST)
        why = "look whether the builds still run"
        if self._is_idle:
            pause, why = build_admission.LINGER, "end, unless a build comes"
        try:
            await workflow.wait_condition(
                lambda: self._is_dirty, timeout=pause, timeout_summary=why
            )
        except TimeoutError:
            # A message that came in the same moment as the end of the pause counts.
            return self._is_dirty
        return True

    async def _look(self) -> None:
        """Finds holders that are over without having said so; gives their slots to others."""
        self._looked = workflow.now()
        self._looks += 1
        await self._learn(tuple(held.ref for held in self._lane.holders))
        await self._give()

    async def _learn(self, holders: tuple[SlotRef, ...]) -> None:
        """Reads the limit, and which of these holders are over."""
        look = f", look at {len(holders)} running builds" if holders else ""
        try:
            facts = await call(
                BuildLaneActivities.inspect_build_lane,
                LaneCheck(organization=self._lane.organization, holders=holders),
                f"read the limit of {self._lane.organization}{look}",
                queue=ids.CONTROL_QUEUE,
                options=_LOOK,
            )
        except ActivityError as failure:
            reason = as_domain_error(failure).message
            workflow.logger.warning("going on with what is known: %s", reason)
            return
        for ref in facts.ended:
            workflow.logger.warning("%s ended without giving its slot back", ref.build)
        self._lane = build_admission.learned(self._lane, facts)

    async def _give(self) -> None:
        """Admits builds and tells them; one that cannot be told any more frees its slot."""
        while True:
            before = len(self._lane.waiting)
            self._lane = build_admission.admit(self._lane)
            if len(self._lane.waiting) != before:
                self._looks = 0
            refs = build_admission.untold(self._lane)
            if not refs:
                return
            reached = await asyncio.gather(*(self._grant(ref) for ref in refs))
            for ref, is_there in zip(refs, reached, strict=True):
                change = build_admission.granted if is_there else build_admission.leave
                self._lane = change(self._lane, ref)

    async def _grant(self, ref: SlotRef) -> bool:
        handle = workflow.get_external_workflow_handle(ref.build, run_id=ref.run_id)
        try:
            await handle.signal("slot_granted")
        except FailureError:
            workflow.logger.info("%s is over and needs no slot", ref.build)
            return False
        return True

    async def _tell_places(self) -> None:
        self._lane, news = build_admission.announce(self._lane)
        reached = await asyncio.gather(*(self._tell(ref, place) for ref, place in news))
        for (ref, _), is_there in zip(news, reached, strict=True):
            if not is_there:
                self._lane = build_admission.leave(self._lane, ref)
                self._is_dirty = True

    async def _tell(self, ref: SlotRef, place: QueuePlace) -> bool:
        handle = workflow.get_external_workflow_handle(ref.build, run_id=ref.run_id)
        try:
            await handle.signal("slot_queued", place)
        except FailureError:
            return False
        return True

    def _show(self) -> None:
        lane = self._lane
        lines = [f"{len(lane.holders)} of {lane.limit} slots are taken", ""]
        lines += [f"- ▶ {held.ref.build}" for held in lane.holders]
        lines += [f"- · {one.request.build}" for one in build_admission.order(lane)[:50]]
        workflow.set_current_details("\n".join(lines))
