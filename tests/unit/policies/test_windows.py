from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries.freezes import FreezePlace
from domain.policies import windows
from domain.resources import FreezeWindow, parse_as
from domain.resources.freeze import FreezeOverride

pytestmark = pytest.mark.unit
BERLIN = ZoneInfo("Europe/Berlin")
PLACE = FreezePlace(organization="acme", project="shop", component="web", environment="production")


def window(name: str = "weekend", *, organization: str = "acme", **spec: Any) -> FreezeWindow:
    schedule = {
        "start": "2026-01-02T18:00",
        "duration": "62h",
        "timeZone": "Europe/Berlin",
        "recurrence": "FREQ=WEEKLY;BYDAY=FR",
        **spec.pop("schedule", {}),
    }
    return parse_as(
        FreezeWindow,
        {
            "metadata": {"name": name, "namespace": organization},
            "spec": {"reason": "nobody is on call", "schedule": schedule, **spec},
        },
    )


def berlin(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


def once(start: str, duration: str, **spec: Any) -> FreezeWindow:
    return window(schedule={"start": start, "duration": duration, "recurrence": ""}, **spec)


def test_place_is_closed_during_a_window_and_says_until_when() -> None:
    found = windows.verdict([window()], PLACE, berlin("2026-01-10T12:00"))
    assert not found.is_open
    assert found.until == berlin("2026-01-12T08:00")
    assert found.message == "freeze weekend: nobody is on call"


def test_open_place_says_when_it_closes() -> None:
    found = windows.verdict([window()], PLACE, berlin("2026-01-12T08:00"))
    assert found.is_open
    assert found.until == berlin("2026-01-16T18:00")


@pytest.mark.parametrize(
    ("friday", "monday", "hours"),
    [
        ("2026-03-27T18:00", "2026-03-30T08:00", 61),
        ("2026-10-23T18:00", "2026-10-26T08:00", 63),
        ("2026-06-05T18:00", "2026-06-08T08:00", 62),
    ],
)
def test_wall_time_holds_when_daylight_saving_begins_or_ends(
    friday: str, monday: str, hours: int
) -> None:
    begin = berlin(friday)
    (found,) = windows.upcoming([window()], begin, begin + timedelta(hours=1))
    assert found.start == berlin(friday)
    assert found.end == berlin(monday)
    assert found.end - found.start == timedelta(hours=hours)


def test_window_in_the_hour_the_clock_skips_begins_when_it_goes_on() -> None:
    (found,) = windows.upcoming(
        [once("2026-03-29T02:30", "4h")],
        datetime(2026, 3, 28, tzinfo=UTC),
        datetime(2026, 3, 30, tzinfo=UTC),
    )
    assert found.start.astimezone(BERLIN).hour == 3
    assert found.end == berlin("2026-03-29T06:30")


def test_window_wholly_in_the_hour_the_clock_skips_does_not_happen() -> None:
    day = datetime(2026, 3, 28, tzinfo=UTC), datetime(2026, 3, 30, tzinfo=UTC)
    assert windows.upcoming([once("2026-03-29T02:15", "45m")], *day) == ()


def test_window_in_the_hour_that_comes_twice_lasts_through_both() -> None:
    (found,) = windows.upcoming(
        [once("2026-10-25T02:00", "45m")],
        datetime(2026, 10, 24, tzinfo=UTC),
        datetime(2026, 10, 26, tzinfo=UTC),
    )
    assert found.end - found.start == timedelta(hours=1, minutes=45)


def test_windows_that_meet_keep_closed_until_the_last_one_ends() -> None:
    first = once("2026-01-10T08:00", "4h", name="first")
    second = once("2026-01-10T11:00", "3h", name="second")
    found = windows.verdict([first, second], PLACE, berlin("2026-01-10T09:00"))
    assert found.until == berlin("2026-01-10T14:00")


def test_windows_that_allow_close_everything_between_them() -> None:
    hours = window(
        "hours",
        effect="Allow",
        schedule={
            "start": "2026-01-05T09:00",
            "duration": "7h",
            "recurrence": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
        },
    )
    found = windows.verdict([hours], PLACE, berlin("2026-01-09T16:30"))
    assert not found.is_open
    assert found.until == berlin("2026-01-12T09:00")
    assert windows.verdict([hours], PLACE, berlin("2026-01-09T10:00")).is_open


def test_window_that_denies_wins_over_one_that_allows() -> None:
    allow = once("2026-01-10T08:00", "8h", name="allow", effect="Allow")
    deny = once("2026-01-10T10:00", "1h", name="deny")
    found = windows.verdict([allow, deny], PLACE, berlin("2026-01-10T10:30"))
    assert [one.window for one in found.closed_by] == ["deny"]
    assert found.until == berlin("2026-01-10T11:00")


@pytest.mark.parametrize(
    ("scope", "concerned"),
    [
        ({}, True),
        ({"environments": ["production", "staging"]}, True),
        ({"environments": ["staging"]}, False),
        ({"projects": ["shop"]}, True),
        ({"projects": ["other"]}, False),
        ({"matchLabels": {"tier": "front"}}, True),
        ({"matchLabels": {"tier": "back"}}, False),
        ({"environments": ["production"], "projects": ["other"]}, False),
    ],
)
def test_window_is_about_what_its_scope_says(scope: dict[str, Any], concerned: bool) -> None:
    place = PLACE.model_copy(update={"labels": {"tier": "front"}})
    found = windows.verdict([window(scope=scope)], place, berlin("2026-01-10T12:00"))
    assert found.is_open is not concerned


def test_window_of_another_organization_is_none() -> None:
    other = window(organization="other")
    assert windows.verdict([other], PLACE, berlin("2026-01-10T12:00")).is_open


def test_suspended_window_and_left_out_beginning_count_for_nothing() -> None:
    at = berlin("2026-01-10T12:00")
    assert windows.verdict([window(suspended=True)], PLACE, at).is_open
    left_out = window(schedule={"exceptDates": ["2026-01-09T18:00"]})
    assert windows.verdict([left_out], PLACE, at).is_open


@pytest.mark.parametrize(
    ("schedule", "fault"),
    [
        ({"timeZone": "Mars/Olympus"}, "no time zone 'Mars/Olympus'"),
        ({"recurrence": "FREQ=WEEKLY;BYDAY=XX"}, "no rule of RFC 5545"),
        ({"recurrence": "FREQ=DAILY;BYMONTHDAY=30"}, "needs FREQ=MONTHLY"),
        ({"recurrence": "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"}, "never happens"),
        ({"start": "2026-02-30T10:00"}, "no date and time"),
        ({"duration": "9999d"}, "up to 366 days"),
        ({"exceptDates": ["2026-13-01T10:00"]}, "no date and time"),
    ],
)
def test_window_that_cannot_be_read_keeps_closed_and_says_why(
    schedule: dict[str, Any], fault: str
) -> None:
    broken = window(schedule=schedule)
    assert fault in windows.problems(broken)[0]
    if "never" not in fault:
        assert fault in windows.verdict([broken], PLACE, berlin("2026-01-10T12:00")).message
    assert windows.upcoming([broken], berlin("2026-01-01T00:00"), berlin("2027-01-01T00:00")) == ()


def test_strictest_window_says_what_becomes_of_a_running_rollout() -> None:
    both = [window("one", inProgress="Hold"), window("two", inProgress="Revert")]
    found = windows.verdict(both, PLACE, berlin("2026-01-10T12:00"))
    assert found.in_progress == "Revert"


def lifted(name: str = "weekend", component: str = "", **spec: Any) -> FreezeWindow:
    made = window(name, **spec)
    override = FreezeOverride(
        id="one",
        environment="production",
        component=component,
        by="ada",
        reason="the shop is down",
        at=berlin("2026-01-10T11:00"),
        until=berlin("2026-01-10T13:00"),
    )
    status = made.status.model_copy(update={"overrides": (override,)})
    return made.model_copy(update={"status": status})


def test_override_opens_a_window_for_its_place_and_its_time() -> None:
    noon, later = berlin("2026-01-10T12:00"), berlin("2026-01-10T13:00")
    found = windows.verdict([lifted(component="web")], PLACE, noon)
    assert found.is_open
    assert found.overridden == ("weekend",)
    assert [(one.by, one.reason) for one in found.lifted] == [("ada", "the shop is down")]
    assert found.until == later
    assert not windows.verdict([lifted()], PLACE, later).is_open
    assert not windows.verdict([lifted(component="other")], PLACE, noon).is_open
    elsewhere = PLACE.model_copy(update={"environment": "staging"})
    assert not windows.verdict([lifted()], elsewhere, noon).is_open


def test_override_of_one_window_leaves_the_others_closed() -> None:
    found = windows.verdict([lifted(), window("other")], PLACE, berlin("2026-01-10T12:00"))
    assert [one.window for one in found.closed_by] == ["other"]


def test_window_that_nobody_may_override_is_not_overridden() -> None:
    found = windows.verdict([lifted(overrideBy="nobody")], PLACE, berlin("2026-01-10T12:00"))
    assert not found.is_open


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 6, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds the zone
schedules = st.fixed_dictionaries(
    {
        "start": st.sampled_from(["2026-01-02T18:00", "2026-03-28T02:15", "2026-10-24T02:45"]),
        "duration": st.sampled_from(["45m", "3h", "26h", "8d"]),
        "recurrence": st.sampled_from(
            ["", "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=FR,SU", "FREQ=MONTHLY;BYMONTHDAY=-1"]
        ),
        "timeZone": st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu"]),
    }
)
effects = st.sampled_from(["Deny", "Allow"])


@given(at=moments, given_=st.lists(st.tuples(schedules, effects), min_size=1, max_size=3))
def test_what_is_said_to_hold_until_a_moment_does_and_not_longer(
    at: datetime, given_: list[tuple[dict[str, str], str]]
) -> None:
    made = [
        window(f"w{index}", schedule=schedule, effect=effect)
        for index, (schedule, effect) in enumerate(given_)
    ]
    found = windows.verdict(made, PLACE, at)
    if found.until is None:
        return
    just_before = windows.verdict(made, PLACE, found.until - timedelta(milliseconds=1))
    assert just_before.is_open is found.is_open
    assert windows.verdict(made, PLACE, found.until).is_open is not found.is_open
