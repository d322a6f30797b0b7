from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.policies.deadlines import LAST_LOOK, time_left

pytestmark = pytest.mark.unit

BEGAN = datetime(2026, 1, 1, 12, tzinfo=UTC)
DEADLINE = timedelta(minutes=10)


def test_a_wait_that_is_taken_up_again_ends_when_it_would_have_ended() -> None:
    left = time_left(DEADLINE, BEGAN, BEGAN + timedelta(minutes=7))

    assert left == timedelta(minutes=3)


def test_a_wait_nobody_looked_at_until_its_deadline_gets_a_last_look() -> None:
    assert time_left(DEADLINE, BEGAN, BEGAN + timedelta(hours=3)) == LAST_LOOK
