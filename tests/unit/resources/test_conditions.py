from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.resources.component import ProjectStatus
from domain.resources.conditions import (
    MESSAGE_LIMIT,
    Condition,
    ConditionStatus,
    set_condition,
    without_condition,
)

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(minutes=5)


def _set(
    before: tuple[Condition, ...] = (),
    status: ConditionStatus | bool = False,
    message: str = "waiting for an artifact",
    now: datetime = NOON,
    of_type: str = "Ready",
) -> tuple[Condition, ...]:
    return set_condition(
        before, of_type, status, "Testing", message, observed_generation=7, now=now
    )


def test_a_condition_that_does_not_hold_says_what_is_waited_for() -> None:
    with pytest.raises(ValueError, match=r"Ready=False \(Testing\) must say what is waited for"):
        _set(message="")
    with pytest.raises(ValueError, match="must say what is waited for"):
        _set(status=ConditionStatus.UNKNOWN, message="")
    (ready,) = _set(status=True, message="")
    assert ready.is_true


def test_the_time_stays_while_the_status_stays() -> None:
    (after,) = _set(_set(), message="waiting for the plane", now=LATER)
    assert after.last_transition_time == NOON
    assert after.message == "waiting for the plane"


def test_the_time_moves_when_the_status_moves() -> None:
    (after,) = _set(_set(), status=True, now=LATER)
    assert after.last_transition_time == LATER
    assert after.status is ConditionStatus.TRUE


def test_other_conditions_stay_and_the_order_is_that_of_types() -> None:
    both = _set(_set(of_type="Resolved"), of_type="Ready")
    assert [one.type for one in both] == ["Ready", "Resolved"]
    assert without_condition(both, "Ready") == both[1:]


def test_setting_the_same_again_changes_nothing() -> None:
    once = _set()
    assert _set(once, now=LATER) == once


def test_a_long_message_keeps_its_beginning_and_its_end() -> None:
    (ready,) = _set(message="first" + "x" * 2 * MESSAGE_LIMIT + "last")
    assert len(ready.message) <= MESSAGE_LIMIT
    assert ready.message.startswith("first")
    assert ready.message.endswith("last")


def test_conditions_are_written_as_kubernetes_writes_them() -> None:
    status = ProjectStatus(conditions=_set())
    assert status.model_dump(mode="json", by_alias=True)["conditions"] == [
        {
            "type": "Ready",
            "status": "False",
            "reason": "Testing",
            "message": "waiting for an artifact",
            "observedGeneration": 7,
            "lastTransitionTime": "2026-01-01T12:00:00Z",
        }
    ]
    assert status.condition("Ready") == _set()[0]
    assert status.condition("Resolved") is None
