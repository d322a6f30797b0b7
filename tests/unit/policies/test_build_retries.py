from __future__ import annotations

from datetime import timedelta

import pytest

from domain.policies.build_retries import pause_after

pytestmark = pytest.mark.unit


def test_each_pause_is_longer_and_the_third_try_is_the_last() -> None:
    pauses = [pause_after(attempt) for attempt in (1, 2, 3)]

    assert pauses == [timedelta(seconds=15), timedelta(seconds=30), None]
