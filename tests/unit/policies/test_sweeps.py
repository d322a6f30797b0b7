from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries.sweeps import (
    Damping,
    HealthChange,
    Observation,
    PlaneSeen,
    SweepPlan,
    SweptCheck,
    SweptComponent,
    ToldHealth,
    Turn,
)
from domain.policies import sweeps

START = datetime(2026, 11, 26, 12, tzinfo=UTC)
EVERY = timedelta(minutes=5)
WEB = "component web"


def looks(
    seen: Iterable[bool], damping: Damping, every: timedelta = EVERY
) -> list[tuple[int, Turn]]:
    """Returns at which look what was told of one component."""
    told: tuple[ToldHealth, ...] = ()
    found = []
    for number, healthy in enumerate(seen):
        at = START + number * every
        observation = Observation(subject=WEB, healthy=healthy, message="as seen")
        told, changes = sweeps.judge(told, [observation], damping, at)
        found += [(number, one.turn) for one in changes]
    return found


def test_a_single_bad_look_is_not_told_and_two_in_a_row_are() -> None:
    seen = [True, False, True, False, False, False, True, True]

    assert looks(seen, Damping()) == [(4, Turn.UNHEALTHY), (7, Turn.HEALTHY)]


def test_what_goes_to_and_fro_is_told_to_be_unsteady_once_until_it_was_calm_for_an_hour() -> None:
    flapping = [index % 2 == 0 for index in range(12)]
    calm = [True] * 13

    told = looks([*flapping, *calm], Damping(unhealthy_after=1, healthy_after=1, flaps_per_hour=4))

    assert [turn for _, turn in told] == [
        Turn.UNHEALTHY, Turn.HEALTHY, Turn.UNHEALTHY, Turn.UNSTEADY, Turn.HEALTHY
    ]  # fmt: skip
    assert told[3][0] == 4
    last_change = 12
    assert told[4][0] - last_change == timedelta(hours=1) // EVERY


@given(st.lists(st.booleans(), max_size=80), st.integers(1, 4), st.integers(1, 4))
def test_nothing_is_told_that_the_last_looks_did_not_all_say(
    seen: list[bool], unhealthy_after: int, healthy_after: int
) -> None:
    damping = Damping(
        unhealthy_after=unhealthy_after, healthy_after=healthy_after, flaps_per_hour=60
    )
    told = looks(seen, damping)

    assert [turn for _, turn in told] == [
        (Turn.UNHEALTHY, Turn.HEALTHY)[index % 2] for index in range(len(told))
    ]
    for number, turn in told:
        needed = unhealthy_after if turn is Turn.UNHEALTHY else healthy_after
        assert set(seen[number + 1 - needed : number + 1]) == {turn is Turn.HEALTHY}


def test_what_was_seen_before_and_is_gone_is_unwell_but_not_while_it_is_deployed() -> None:
    known = [ToldHealth(subject=WEB, since=START)]
    settled = SweepPlan(components=(SweptComponent(component="web"),))
    deploying = SweepPlan(components=(SweptComponent(component="web", settled=False),))
    unwell = PlaneSeen(observations=(Observation(subject=WEB, healthy=False),))

    (gone,) = sweeps.observations(settled, PlaneSeen(), known)

    assert (gone.healthy, gone.reason) == (False, "Missing")
    assert sweeps.observations(settled, PlaneSeen(), ()) == ()
    assert sweeps.observations(deploying, PlaneSeen(), known) == ()
    assert sweeps.observations(deploying, unwell, known) == ()


def test_what_nobody_wants_any_more_is_neither_seen_nor_remembered() -> None:
    plan = SweepPlan(checks=(SweptCheck(name="front", component="web"),))
    seen = PlaneSeen(
        observations=(
            Observation(subject="check front", healthy=True),
            Observation(subject="check old", healthy=False),
        )
    )
    known = [ToldHealth(subject=name, since=START) for name in ("check front", "check old", WEB)]

    assert [one.subject for one in sweeps.observations(plan, seen, known)] == ["check front"]
    assert [one.subject for one in sweeps.still_wanted(plan, known)] == ["check front"]


def test_a_summary_names_what_is_unwell_and_why() -> None:
    good = ToldHealth(subject=WEB, since=START)
    bad = ToldHealth(subject="check front", healthy=False, since=START, message="answered 503")

    assert sweeps.summary([good]) == "all 1 are well"
    assert sweeps.summary([good, bad]) == "1 of 2 are unwell: check front: answered 503"


def test_a_headline_stays_short() -> None:
    changes = [
        HealthChange(subject=f"check c{number}", turn=Turn.UNHEALTHY, at=START)
        for number in range(7)
    ]

    told = sweeps.headline(changes)

    assert told.startswith("check c0 is unhealthy, ")
    assert told.endswith("check c4 is unhealthy and 2 more")
