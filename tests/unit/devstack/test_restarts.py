"""When a process is started again, and when that is given up."""

from __future__ import annotations

from datetime import timedelta

import pytest

from devstack.restarts import RestartPolicy

pytestmark = pytest.mark.unit

POLICY = RestartPolicy(
    first=timedelta(seconds=1),
    longest=timedelta(seconds=3),
    limit=4,
    window=timedelta(seconds=60),
)


@pytest.mark.parametrize(
    ("ends", "seconds"),
    [([100.0], 1), ([99.0, 100.0], 2), ([98.0, 99.0, 100.0], 3)],
)
def test_the_wait_doubles_up_to_the_longest(ends: list[float], seconds: int) -> None:
    assert POLICY.delay(ends, now=100) == timedelta(seconds=seconds)


def test_too_many_ends_in_the_window_are_a_crash_loop() -> None:
    assert POLICY.delay([97, 98, 99, 100], now=100) is None


def test_ends_before_the_window_are_forgiven() -> None:
    assert POLICY.delay([1, 2, 3, 100], now=100) == timedelta(seconds=1)
