"""Promotes components together: as one unit, all or none, or as a batch at a bounded rate.

It waits for approvals and freezes as long as its members do, so it is served with the lanes.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow

from domain.deliveries import OperationStatus
from domain.deliveries.sets import MemberPhase, ReleaseSet, SetAct, SetCommand, SetRequest
from domain.errors import Conflict, Denied, Errored, Failed, PlatformError
from domain.phases import Phase
from domain.policies.promotion import sets
from domain.records import FactResult
from runtime import search_attributes as attributes
from runtime.errors import as_failure
from workflows.common.calls import to_the_end
from workflows.common.facts import Facts
from workflows.common.progress import Progress
from workflows.sets.members import Members

_WORDS = {
    SetAct.PAUSE: "set.paused",
    SetAct.RESUME: "set.resumed",
    SetAct.EXCLUDE: "set.excluded",
}
_LONGEST_PAUSE = timedelta(days=30)
_LONGEST = timedelta(days=120)
"""Longer than the waits of a member together: what is left then is given up."""


@workflow.defn
class ReleaseSetWorkflow:
    """One set of components on its way to one environment."""

    @workflow.init
    def __init__(self, request: SetRequest) -> None:
        self._request = request
        self._title = f"promote set {request.name} to {request.environment}"
        self._progress = Progress(self._title, ("promote", "undo"))
        self._members = Members(request)
        self._is_paused = False
        self._words = 0
        self._phase, self._message = Phase.RUNNING, ""
        self._next = workflow.now()
        self._log = Facts(
            request.organization,
            f"set {request.name} to {request.environment}",
            request.trigger,
            environment=request.environment,
        )
        workflow.upsert_search_attributes(
            [
                attributes.KIND.value_set("set"),
                attributes.ORGANIZATION.value_set(request.organization),
                attributes.COMPONENT.value_set(request.name),
                attributes.ENVIRONMENT.value_set(request.environment),
                attributes.ACTOR.value_set(request.trigger.actor or request.trigger.kind.value),
                attributes.PHASE.value_set(Phase.RUNNING.value),
            ]
        )

    @workflow.run
    async def run(self, request: SetRequest) -> ReleaseSet:
        """Begins members as they may go; a unit that does not come whole is taken back."""
        self._progress.begins(self._title)
        named = ", ".join(one.component for one in request.members)
        self._log.add("set.requested", result=FactResult.ASKED, reason=request.reason,
                      message=named[:500])  # fmt: skip
        try:
            await self._log.write()
            with self._progress.step("promote", awaiting=f"{len(request.members)} components"):
                await self._all()
        except asyncio.CancelledError:
            await to_the_end(self._end(Phase.CANCELLED, "cancelled"))
            await workflow.wait_condition(workflow.all_handlers_finished)
            raise
        failure = await to_the_end(self._judged())
        await workflow.wait_condition(workflow.all_handlers_finished)
        if failure is not None:
            raise as_failure(failure)
        return self.members()

    @workflow.update
    def command(self, command: SetCommand) -> ReleaseSet:
        """A person pauses or resumes it, or takes a member out that has not begun."""
        self._words += 1
        self._log.add(_WORDS[command.act], step=f"word-{self._words}", actor=command.by,
                      reason=command.reason, before=command.component)  # fmt: skip
        if command.act is SetAct.EXCLUDE:
            why = f"by {command.by}: {command.reason}"
            self._members.tell(command.component, MemberPhase.EXCLUDED, why)
        else:
            self._is_paused = command.act is SetAct.PAUSE
        return self.members()

    @command.validator
    def _check_command(self, command: SetCommand) -> None:
        states = self._members.states
        if why := sets.refusal(command, states, is_paused=self._is_paused):
            raise Conflict(why)

    @workflow.query
    def status(self) -> OperationStatus:
        """Where the set stands."""
        return self._progress.status()

    @workflow.query
    def members(self) -> ReleaseSet:
        """Where each member stands."""
        request = self._request
        return ReleaseSet(
            organization=request.organization,
            name=request.name,
            environment=request.environment,
            request_id=request.request_id,
            phase=self._phase,
            is_unit=request.is_unit,
            is_paused=self._is_paused,
            members=tuple(self._members.states[one.component] for one in request.members),
            message=self._message,
        )

    async def _all(self) -> None:
        """Begins members until none is left, or more failed than may."""
        request, members = self._request, self._members
        while not sets.is_over(request, members.states):
            for name, why in sets.lost(request, members.states).items():
                members.tell(name, MemberPhase.SKIPPED, why)
            name = "" if self._is_paused else sets.ready(request, members.states)
            if name and workflow.now() >= self._next:
                self._next = workflow.now() + timedelta(seconds=request.every_seconds)
                members.begin(name)
            elif name or members.are_running or self._is_paused:
                await self._something(self._next if name else None)
            elif not sets.lost(request, members.states):
                return
        await members.stop() if request.is_unit else await self._rest()

    async def _rest(self) -> None:
        """Lets those that are on their way come to their end; no further one is begun."""
        while self._members.are_running:
            await self._something(None)

    async def _something(self, moment: datetime | None) -> None:
        """Waits until a member ended, a person said something, or it is time for the next."""
        before = (self._members.ended, self._words)
        longest = _LONGEST_PAUSE if self._is_paused else _LONGEST
        limit = longest if moment is None else moment - workflow.now()
        try:
            await workflow.wait_condition(
                lambda: (self._members.ended, self._words) != before,
                timeout=limit,
                timeout_summary="begin the next member" if moment else "give up",
            )
        except TimeoutError:
            if moment is None:
                await self._members.stop()
                raise as_failure(Denied(f"nothing came of it within {longest.days} days")) from None

    async def _judged(self) -> PlatformError | None:
        """Says how it ended, and takes a unit back that did not come whole."""
        states = self._members.states.values()
        failed = [one for one in states if one.phase is MemberPhase.FAILED]
        if not failed:
            await self._end(Phase.SUCCEEDED, f"{self._request.environment} has all of it")
            return None
        said = "; ".join(f"{one.component}: {one.message}" for one in failed)[:1000]
        return await self._end(Phase.FAILED, said)

    async def _end(self, phase: Phase, message: str) -> PlatformError | None:
        members = self._members
        failure: PlatformError = Failed(message)
        await members.stop()
        if phase is not Phase.SUCCEEDED and self._request.is_unit and members.done:
            with self._progress.step("undo", awaiting="the members that came to be taken back"):
                why = f"set {self._request.name} did not come whole: {message}"
                # One after the other, the last first: what others need goes after them.
                back = [await members.take_back(name, why) for name in reversed(members.done)]
            if not all(back):
                phase, failure = Phase.ERRORED, Errored(f"{message}; not all was taken back")
        for name, state in members.states.items():
            if state.phase is MemberPhase.WAITING:
                members.tell(name, MemberPhase.SKIPPED, "no more were begun")
        self._phase, self._message = phase, message if phase is Phase.SUCCEEDED else failure.message
        results = {Phase.SUCCEEDED: FactResult.DONE, Phase.CANCELLED: FactResult.UNDONE}
        evidence = [f"{one.component} {one.phase.value}" for one in members.states.values()]
        self._log.add(f"set.{phase.value.lower()}", result=results.get(phase, FactResult.FAILED),
                      message=self._message, evidence=tuple(evidence[:50]))  # fmt: skip
        await self._log.write_to_the_end()
        self._progress.is_at(phase, self._message)
        return None if phase in {Phase.SUCCEEDED, Phase.CANCELLED} else failure
