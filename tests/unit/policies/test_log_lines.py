from __future__ import annotations

import pytest

from domain.errors import InvalidRequest
from domain.policies.log_lines import LogLine, is_newer, later, second_of

TIME = "2026-11-27T11:49:16.123456789Z"


def test_a_line_comes_out_of_a_copy_as_it_went_in() -> None:
    line = LogLine.of(f"{TIME} GET / 200".encode(), "uid/main", "web-1")

    assert LogLine.parse(line.copied().rstrip(b"\n")) == line
    assert line.shown() == b"[web-1] GET / 200\n"


@pytest.mark.parametrize("said", [b"", b"no time at all", b"\xff\xfe broken"])
def test_what_has_no_time_is_told_whole(said: bytes) -> None:
    line = LogLine.of(said, "uid/main", "web-1")

    assert LogLine.parse(line.copied().rstrip(b"\n")) == line
    assert (line.time, line.text) == ("", said)


def test_a_line_that_no_copy_has_is_refused() -> None:
    with pytest.raises(InvalidRequest):
        LogLine.parse(b"too short")


@pytest.mark.parametrize(
    ("time", "known", "expected"),
    [
        (TIME, "", True),
        ("", TIME, True),
        (TIME, TIME, False),
        ("2026-11-27T11:49:16.123456790Z", TIME, True),
        ("2026-11-27T11:49:16.2Z", TIME, True),
        ("2026-11-27T11:49:16Z", TIME, False),
        ("2026-10-25T02:10:00.5+01:00", "2026-10-25T02:50:00.5+02:00", True),
    ],
)
def test_newer_is_judged_by_nanoseconds_and_across_clock_changes(
    time: str, known: str, *, expected: bool
) -> None:
    assert is_newer(time, known) is expected


def test_the_second_of_a_time_keeps_its_zone() -> None:
    assert second_of(TIME) == "2026-11-27T11:49:16Z"
    assert second_of("2026-11-27T11:49:16.5+01:00") == "2026-11-27T11:49:16+01:00"
    assert second_of("yesterday") == ""


def test_of_two_readers_the_later_is_remembered() -> None:
    early, late = TIME.replace("16.", "15."), TIME

    assert later({"a": early, "b": late}, {"a": late, "b": early, "c": early}) == {
        "a": late,
        "b": late,
        "c": early,
    }
