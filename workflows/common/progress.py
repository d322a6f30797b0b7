"""What a running procedure shows: steps for the query, Markdown for the UI, phase for lists."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from temporalio import workflow
from temporalio.common import SearchAttributeUpdate

from domain.deliveries import OperationStatus, Step, Waiting
from domain.phases import Phase, StepPhase
from runtime import search_attributes as attributes

_MARKS = {
    StepPhase.WAITING: "·",
    StepPhase.RUNNING: "▶",
    StepPhase.DONE: "✓",
    StepPhase.SKIPPED: "-",
    StepPhase.FAILED: "✗",
    StepPhase.UNDONE: "↶",
}


class Progress:
    """The steps of one procedure and where it stands."""

    def __init__(self, title: str, steps: tuple[str, ...]) -> None:
        self._title = title
        self._names = steps
        self._steps: dict[str, Step] = {}
        self._phase = Phase.PENDING
        self._summary = ""
        self._waiting: Waiting | None = None
        self.restart()

    def restart(self, title: str = "") -> None:
        """Begins anew, for a workflow that does the same procedure several times."""
        self._title = title or self._title
        self._steps = {name: Step(name=name) for name in self._names}
        self._summary = ""

    def status(self, queue: tuple[str, ...] = ()) -> OperationStatus:
        """Returns the answer of the query."""
        return OperationStatus(
            phase=self._phase,
            summary=self._summary or self._title,
            steps=tuple(self._steps.values()),
            waiting_for=self._waiting,
            queue=queue,
        )

    def is_at(self, phase: Phase, summary: str = "", *facts: SearchAttributeUpdate[Any]) -> None:
        """Sets the phase, tells it to visibility and to the UI."""
        self._phase = phase
        self._summary = summary or self._summary
        workflow.upsert_search_attributes([attributes.PHASE.value_set(phase.value), *facts])
        self._show()

    def begins(self, summary: str) -> None:
        """Sets the phase to Running, without telling visibility what the start told it already."""
        known = workflow.info().typed_search_attributes.get(attributes.PHASE)
        if known != Phase.RUNNING.value:
            self.is_at(Phase.RUNNING, summary)
            return
        self._phase, self._summary = Phase.RUNNING, summary
        self._show()

    @contextmanager
    def step(
        self, name: str, *, awaiting: str = "", until: datetime | None = None, who: str = ""
    ) -> Iterator[None]:
        """Marks a step as running while the block lasts, then as done or failed.

        Args:
            name: One of the steps given at construction.
            awaiting: What is waited for, when the step is a wait.
            until: When that wait ends by itself.
            who: Who else can end it.
        """
        started = workflow.now()
        self._steps[name] = Step(name=name, phase=StepPhase.RUNNING, started=started)
        self._waiting = (
            Waiting(what=awaiting, since=started, until=until, who=who) if awaiting else None
        )
        self._show()
        try:
            yield
        except (Exception, asyncio.CancelledError):
            # Not GeneratorExit: a run put out of the cache has nothing to tell, and nobody to.
            self._end(name, StepPhase.FAILED)
            raise
        self._end(name, StepPhase.DONE)

    @property
    def failed_step(self) -> str:
        """The step that failed last; empty when none did."""
        failed = [step for step in self._steps.values() if step.phase is StepPhase.FAILED]
        failed.sort(key=lambda step: str(step.finished))
        return failed[-1].name if failed else ""

    @contextmanager
    def waiting(self, what: str, *, until: datetime | None = None, who: str = "") -> Iterator[None]:
        """Says what is waited for while the block lasts, inside a step or between two."""
        before = self._waiting
        self._waiting = Waiting(what=what, since=workflow.now(), until=until, who=who)
        self._show()
        try:
            yield
        except (Exception, asyncio.CancelledError):
            # Not GeneratorExit, as in `step`.
            self._waits_for(before)
            raise
        self._waits_for(before)

    def seconds(self, name: str) -> float | None:
        """Returns how long a step took; None when it did not end."""
        step = self._steps[name]
        if step.started is None or step.finished is None:
            return None
        return round((step.finished - step.started).total_seconds(), 3)

    def awaits(self, what: str) -> None:
        """Says more exactly what the running step waits for."""
        if self._waiting:
            self._waiting = self._waiting.model_copy(update={"what": what})
            self._show()

    def note(self, name: str, message: str) -> None:
        """Adds what a person should know about a step."""
        self._steps[name] = self._steps[name].model_copy(update={"message": message})

    def skip(self, name: str, why: str) -> None:
        """Marks a step as not needed."""
        self._steps[name] = Step(name=name, phase=StepPhase.SKIPPED, message=why)

    def _waits_for(self, waiting: Waiting | None) -> None:
        self._waiting = waiting
        self._show()

    def _end(self, name: str, phase: StepPhase) -> None:
        self._waiting = None
        self._steps[name] = self._steps[name].model_copy(
            update={"phase": phase, "finished": workflow.now()}
        )
        self._show()

    def _show(self) -> None:
        lines = [f"**{self._phase}** {self._summary or self._title}", ""]
        for step in self._steps.values():
            message = f": {step.message}" if step.message else ""
            lines.append(f"- {_MARKS[step.phase]} {step.name}{message}")
        if self._waiting:
            lines += ["", f"Waiting for {self._waiting.what}"]
        workflow.set_current_details("\n".join(lines))
