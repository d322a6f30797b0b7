"""Which points the durability harness finds in a history, and what it takes for a difference."""

from __future__ import annotations

import pytest
from temporalio.api.enums.v1 import EventType
from temporalio.api.history.v1 import HistoryEvent

from tests.durability.points import Trace, points_of
from tests.durability.state import differences, normalised
from tests.durability.sweep import Outcome
from tests.durability.table import table

pytestmark = pytest.mark.unit


def event(name: str) -> HistoryEvent:
    return HistoryEvent(event_type=EventType.Value(f"EVENT_TYPE_{name}"))


def activity(name: str) -> HistoryEvent:
    made = event("ACTIVITY_TASK_SCHEDULED")
    made.activity_task_scheduled_event_attributes.activity_type.name = name
    return made


def signal(name: str) -> HistoryEvent:
    made = event("WORKFLOW_EXECUTION_SIGNALED")
    made.workflow_execution_signaled_event_attributes.signal_name = name
    return made


def found(*events: HistoryEvent, traces: tuple[Trace, ...] = ()) -> list[str]:
    return [str(point).partition(": ")[2] for point in points_of("deploy/web", events, traces)]


def test_an_activity_can_be_met_before_after_each_effect_and_after_all() -> None:
    trace = Trace("deploy/web", "apply", effects=3, beats=5)

    assert found(activity("apply"), traces=(trace,)) == [
        "before activity apply",
        "during effect 1 activity apply",
        "during effect 2 activity apply",
        "after activity apply",
    ]


def test_an_activity_that_only_waits_is_met_at_its_first_beat() -> None:
    trace = Trace("deploy/web", "follow", effects=0, beats=6)

    assert found(activity("follow"), traces=(trace,))[1:] == [
        "during beat 1 activity follow",
        "after activity follow",
    ]


def test_the_second_of_its_kind_is_another_point() -> None:
    assert found(signal("requested"), signal("requested")) == [
        "before signal requested",
        "after signal requested",
        "before signal requested #2",
        "after signal requested #2",
    ]


def test_start_end_timers_children_and_signals_to_others_are_points() -> None:
    names = (
        "WORKFLOW_EXECUTION_STARTED",
        "TIMER_STARTED",
        "TIMER_FIRED",
        "START_CHILD_WORKFLOW_EXECUTION_INITIATED",
        "CHILD_WORKFLOW_EXECUTION_STARTED",
        "SIGNAL_EXTERNAL_WORKFLOW_EXECUTION_INITIATED",
        "EXTERNAL_WORKFLOW_EXECUTION_SIGNALED",
        "WORKFLOW_EXECUTION_COMPLETED",
    )

    assert found(*map(event, names)) == [
        "before workflow start",
        "before timer sleep",
        "after timer sleep",
        "before child start",
        "after child start",
        "before outgoing-signal signal",
        "after outgoing-signal signal",
        "before workflow end",
    ]


def test_times_runs_and_content_names_make_no_difference_but_counts_do() -> None:
    one = {"Deployment": [{"name": "web-dev-1-0123456789", "at": "2026-01-01T00:00:00Z"}]}
    other = {"Deployment": [{"name": "web-dev-1-abcdef0123", "at": "2026-02-02T00:00:00Z"}]}
    twice = {"Deployment": other["Deployment"] * 2}

    expected = normalised(one, "acme")

    assert differences(expected, normalised(other, "acme")) == []
    assert len(differences(expected, normalised(twice, "acme"))) == 1


def test_a_difference_names_the_field() -> None:
    lines = differences({"Build": [{"phase": "Succeeded"}]}, {"Build": [{"phase": "Failed"}]})

    assert lines == ["Build: .phase: 'Succeeded' became 'Failed'"]


def test_the_table_counts_passes_and_tells_the_recovery() -> None:
    outcomes = [Outcome("build", "a", recovery=10.0), Outcome("build", "b", ["wrong"])]

    line = table(outcomes).splitlines()[1].split()

    assert line == ["build", "2", "1", "10.0", "10.0", "10.0"]
