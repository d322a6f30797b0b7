from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.resources import FreezeWindow, parse, parse_as
from intake.freezes import shown
from intake.summaries import summary
from tests.unit.intake.resources import ORG, world

pytestmark = pytest.mark.unit
FRIDAY = datetime(2026, 11, 27, 17, tzinfo=UTC)


def window(**schedule: Any) -> FreezeWindow:
    times = {
        "start": "2026-11-06T18:00",
        "duration": "62h",
        "timeZone": "Europe/Berlin",
        "recurrence": "FREQ=WEEKLY;BYDAY=FR",
        **schedule,
    }
    content = {
        "metadata": {"name": "weekend", "namespace": ORG, "generation": 1},
        "spec": {"reason": "nobody is on call", "schedule": times},
    }
    return parse_as(FreezeWindow, content)


def test_a_window_tells_whether_it_lasts_and_when_that_changes() -> None:
    before = shown(window(), FRIDAY - timedelta(hours=1))
    at_its_edge = shown(window(), FRIDAY)

    assert before.fields == {
        "active": False,
        "nextStart": "2026-11-27T17:00:00Z",
        "nextEnd": "2026-11-30T07:00:00Z",
    }
    assert before.edge == FRIDAY
    assert at_its_edge.fields == {
        "active": True,
        "nextStart": "2026-12-04T17:00:00Z",
        "nextEnd": "2026-11-30T07:00:00Z",
    }
    assert at_its_edge.edge == FRIDAY + timedelta(hours=62)


def test_what_is_over_and_what_is_suspended_never_changes() -> None:
    once = window(recurrence="")
    suspended = once.model_copy(update={"spec": once.spec.model_copy(update={"suspended": True})})

    assert shown(once, FRIDAY) == ({"active": False}, None)
    assert shown(suspended, datetime(2026, 11, 6, tzinfo=UTC)) == ({"active": False}, None)


def test_one_that_cannot_be_read_is_invalid_and_says_why() -> None:
    said = summary(window(timeZone="Mars/Olympus"), world(), FRIDAY)

    assert said is not None
    (ready,) = said["status"]["conditions"]
    assert (ready["status"], ready["reason"]) == ("False", "Invalid")
    assert "Mars/Olympus" in ready["message"]


def test_it_is_told_again_when_its_time_came_and_not_before() -> None:
    first = summary(window(), world(), FRIDAY - timedelta(hours=1))
    assert first is not None
    told = parse(window().to_dict() | {"status": first["status"]})

    assert summary(told, world(), FRIDAY - timedelta(minutes=1)) is None
    again = summary(told, world(), FRIDAY)

    assert again is not None
    assert again["status"]["active"] is True
