from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.durations import duration_text, parse_duration
from domain.errors import InvalidRequest

pytestmark = pytest.mark.unit


@given(seconds=st.integers(1, 9999 * 86_400))
def test_what_is_written_is_read_again(seconds: int) -> None:
    duration = timedelta(seconds=seconds)
    assert parse_duration(duration_text(duration)) == duration


@pytest.mark.parametrize("text", ["1", "h", "-1h", "1m1h", "0h", "1.5h", "1h\n"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest, match="is not a duration"):
        parse_duration(text)


def test_nothing_is_no_time() -> None:
    assert parse_duration("") == timedelta(0)
