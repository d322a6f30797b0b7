"""The points of a history at which a worker can die, as names that mean the same in every run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

Moment = Literal["before", "during", "after"]
ASK = "ask"
"""Kind of the points at which a process asks for a procedure, and name of the trace of that."""


@dataclass(frozen=True)
class Point:
    """One moment in the life of one workflow."""

    workflow: str
    """Its id without the organization, which is another one in each run."""
    kind: str
    """activity, signal, update, timer, child, outgoing-signal, cancel, workflow, ask."""
    name: str
    """Type of the activity, name of the signal or update; start or end of a workflow."""
    occurrence: int = 1
    moment: Moment = "before"
    effects: int = 0
    """Of ``during``: how many effects the activity has had; 0 = beats are counted instead."""
    beats: int = 0
    """Of ``during`` an activity without effects: at which heartbeat."""

    def __str__(self) -> str:
        detail = f" effect {self.effects}" if self.effects else ""
        detail += f" beat {self.beats}" if self.beats else ""
        number = f" #{self.occurrence}" if self.occurrence > 1 else ""
        return f"{self.workflow}: {self.moment}{detail} {self.kind} {self.name}{number}"

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True)
class Trace:
    """What one execution of an activity did, as the worker saw it; no history tells that."""

    workflow: str
    name: str
    effects: int
    beats: int


def points_of(
    workflow: str, events: Iterable[HistoryEvent], traces: Iterable[Trace]
) -> list[Point]:
    """Lists every point of one workflow's history, in its order."""
    seen = _Counter(workflow)
    done: dict[str, list[Trace]] = {}
    for one in traces:
        if one.workflow == workflow:
            done.setdefault(one.name, []).append(one)
    found: list[Point] = []
    for event in events:
        for point in _points_at(event, seen):
            found.append(point)
            if point.kind == "activity":
                executions = done.get(point.name, [])
                position = point.occurrence - 1
                trace = executions[position] if position < len(executions) else None
                found += _inside(point, trace)
    return found


def points_of_asking(traces: Iterable[Trace]) -> list[Point]:
    """Before, while and after each procedure was asked for the first time."""
    asked = dict.fromkeys(one.workflow for one in traces if one.name == ASK)
    moments: tuple[Moment, ...] = ("before", "during", "after")
    return [Point(each, ASK, "start", moment=moment) for each in asked for moment in moments]


class _Counter:
    def __init__(self, workflow: str) -> None:
        self._workflow = workflow
        self._numbers: Counter[tuple[str, str, str]] = Counter()

    def next(self, kind: str, name: str, moment: Moment) -> Point:
        self._numbers[kind, name, moment] += 1
        number = self._numbers[kind, name, moment]
        return Point(self._workflow, kind, name, number, moment)


def _points_at(event: HistoryEvent, seen: _Counter) -> Iterator[Point]:
    """What comes in can be met before and after it was worked on, what goes out on its two ways."""
    match event.event_type:
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_STARTED:
            yield seen.next("workflow", "start", "before")
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_SIGNALED:
            name = event.workflow_execution_signaled_event_attributes.signal_name
            yield seen.next("signal", name, "before")
            yield seen.next("signal", name, "after")
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_UPDATE_ACCEPTED:
            accepted = event.workflow_execution_update_accepted_event_attributes
            name = accepted.accepted_request.input.name
            yield seen.next("update", name, "before")
            yield seen.next("update", name, "after")
        case EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCEL_REQUESTED:
            yield seen.next("cancel", "workflow", "before")
            yield seen.next("cancel", "workflow", "after")
        case EventType.EVENT_TYPE_ACTIVITY_TASK_SCHEDULED:
            name = event.activity_task_scheduled_event_attributes.activity_type.name
            yield seen.next("activity", name, "before")
        case EventType.EVENT_TYPE_TIMER_STARTED:
            yield seen.next("timer", "sleep", "before")
        case EventType.EVENT_TYPE_TIMER_FIRED:
            yield seen.next("timer", "sleep", "after")
        case _:
            yield from _points_of_others(event, seen)


def _points_of_others(event: HistoryEvent, seen: _Counter) -> Iterator[Point]:
    match event.event_type:
        case EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_INITIATED:
            yield seen.next("child", "start", "before")
        case (
            EventType.EVENT_TYPE_CHILD_WORKFLOW_EXECUTION_STARTED
            | EventType.EVENT_TYPE_START_CHILD_WORKFLOW_EXECUTION_FAILED
        ):
            yield seen.next("child", "start", "after")
        case EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED:
            yield seen.next("outgoing-signal", "signal", "before")
        case (
            EventType.EVENT_TYPE_EXTERNAL_WORKFLOW_EXECUTION_SIGNALED
            | EventType.EVENT_TYPE_SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_FAILED
        ):
            yield seen.next("outgoing-signal", "signal", "after")
        case (
            EventType.EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED
            | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_FAILED
            | EventType.EVENT_TYPE_WORKFLOW_EXECUTION_CANCELED
        ):
            yield seen.next("workflow", "end", "before")


def _inside(point: Point, trace: Trace | None) -> list[Point]:
    """After each effect but the last, which is the same as after all; else at its first beat."""
    common = (point.workflow, point.kind, point.name, point.occurrence)
    inside: list[Point] = []
    if trace is not None and trace.effects:
        inside = [Point(*common, "during", effects=one) for one in range(1, trace.effects)]
    elif trace is not None and trace.beats:
        # How often a wait beats hangs on how long it takes: only the first beat is in every run.
        inside = [Point(*common, "during", beats=1)]
    return [*inside, Point(*common, "after")]
