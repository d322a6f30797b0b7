from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.deliveries import BuildLane, LaneFacts, QueuePlace, SlotRef, SlotRequest
from domain.policies import build_admission as policy

pytestmark = pytest.mark.unit

PROJECTS = ("shop", "bank", "news")
COMPONENTS = ("web", "api")


def a_request(number: int, project: str = "shop", component: str = "web", **more: Any) -> Any:
    return SlotRequest(
        organization="acme",
        project=project,
        component=component,
        build=f"build/acme/{component}/{number}",
        run_id=str(number),
        **more,
    )


def a_lane(*requests: SlotRequest, limit: int = 1) -> BuildLane:
    lane = BuildLane(organization="acme", limit=limit)
    for request in requests:
        lane = policy.enter(lane, request)
    return lane


def waiting(lane: BuildLane) -> list[int]:
    """Numbers of the requests in the order of their turns."""
    return [int(one.request.run_id) for one in policy.order(lane)]


def running(lane: BuildLane) -> list[int]:
    return [int(held.ref.run_id) for held in lane.holders]


def test_builds_run_at_once_until_the_limit_is_reached() -> None:
    lane = policy.admit(a_lane(a_request(1), a_request(2), a_request(3), limit=2))

    assert (running(lane), waiting(lane)) == ([1, 2], [3])
    assert policy.untold(lane) == (a_request(1).ref, a_request(2).ref)


def test_projects_take_turns_however_many_builds_one_of_them_has() -> None:
    many = [a_request(number) for number in range(1, 5)]
    lane = a_lane(*many, a_request(5, "bank"), a_request(6, "news"))

    assert waiting(lane) == [1, 5, 6, 2, 3, 4]


def test_components_take_turns_inside_the_turns_of_their_project() -> None:
    lane = a_lane(a_request(1), a_request(2), a_request(3, component="api"), a_request(4, "bank"))

    assert waiting(lane) == [1, 4, 3, 2]


def test_whoever_had_a_turn_stands_behind_whoever_waits_since_then() -> None:
    lane = policy.admit(a_lane(a_request(1), a_request(2)))
    lane = policy.enter(lane, a_request(3, "bank"))
    lane = policy.admit(policy.leave(lane, a_request(1).ref))

    assert (running(lane), waiting(lane)) == ([2], [3])


def test_a_person_goes_first_among_the_builds_of_a_component() -> None:
    lane = a_lane(a_request(1), a_request(2), a_request(3, automatic=False))

    assert waiting(lane) == [3, 1, 2]


def test_an_automatic_build_lets_people_pass_a_few_times_only() -> None:
    people = [a_request(number, automatic=False) for number in range(2, 9)]

    assert waiting(a_lane(a_request(1), *people)) == [2, 3, 4, 1, 5, 6, 7, 8]


def test_a_build_takes_the_place_of_the_one_it_supersedes() -> None:
    older = a_request(1)
    lane = a_lane(older, a_request(2), a_request(3, "bank"))

    lane = policy.enter(lane, a_request(4, replaces=(older.build,)))

    assert waiting(lane) == [4, 3, 2]


def test_asking_twice_is_asking_once() -> None:
    lane = a_lane(a_request(1), a_request(2))

    assert policy.enter(lane, a_request(2)) == lane


def test_a_holder_that_asks_again_is_told_again() -> None:
    lane = policy.granted(policy.admit(a_lane(a_request(1))), a_request(1).ref)
    assert policy.untold(lane) == ()

    assert policy.untold(policy.enter(lane, a_request(1))) == (a_request(1).ref,)


def test_leaving_frees_a_slot_or_a_place_and_means_one_run_only() -> None:
    lane = policy.admit(a_lane(a_request(1), a_request(2), a_request(3)))
    other_run = SlotRef(build=a_request(1).build, run_id="another")

    assert policy.leave(lane, other_run) == lane
    assert waiting(policy.leave(lane, a_request(2).ref)) == [3]
    assert running(policy.admit(policy.leave(lane, a_request(1).ref))) == [2]


def test_a_limit_read_from_an_older_organization_does_not_count() -> None:
    lane = a_lane(a_request(1, limit=3, generation=2), a_request(2, limit=1, generation=1))
    assert lane.limit == 3

    newer = policy.enter(lane, a_request(3, limit=5, generation=3))
    assert newer.limit == 5


def test_a_lowered_limit_stops_nobody_and_admits_nobody() -> None:
    lane = policy.admit(a_lane(*(a_request(number) for number in range(4)), limit=3))

    lowered = policy.admit(policy.learned(lane, LaneFacts(limit=1, generation=2)))

    assert (running(lowered), waiting(lowered)) == ([0, 1, 2], [3])
    left = policy.admit(policy.leave(policy.leave(lowered, a_request(0).ref), a_request(1).ref))
    assert running(left) == [2]


def test_runs_that_are_over_lose_their_slots() -> None:
    lane = policy.admit(a_lane(a_request(1), a_request(2)))

    found = policy.learned(lane, LaneFacts(limit=1, ended=(a_request(1).ref,)))

    assert running(policy.admit(found)) == [2]


def test_a_lane_whose_organization_is_gone_keeps_its_limit() -> None:
    assert policy.learned(a_lane(limit=3), LaneFacts()).limit == 3


def test_builds_are_told_their_place_in_words() -> None:
    lane = policy.admit(a_lane(*(a_request(number) for number in range(6)), limit=2))

    _, news = policy.announce(lane)

    assert [str(place) for _, place in news][:3] == [
        "1st of 4 waiting, 2 of 2 running",
        "2nd of 4 waiting, 2 of 2 running",
        "3rd of 4 waiting, 2 of 2 running",
    ]


@pytest.mark.parametrize(
    ("number", "words"), [(1, "1st"), (11, "11th"), (22, "22nd"), (103, "103rd"), (112, "112th")]
)
def test_places_are_ordinal_numbers(number: int, words: str) -> None:
    place = QueuePlace(place=number, waiting=200, running=1, limit=1)

    assert str(place).startswith(f"{words} of ")


def test_the_front_is_told_every_change_and_the_far_end_only_large_ones() -> None:
    lane = policy.admit(a_lane(*(a_request(number) for number in range(41))))
    lane, first = policy.announce(lane)
    _, unchanged = policy.announce(lane)

    lane = policy.admit(policy.leave(lane, a_request(0).ref))
    _, news = policy.announce(lane)

    assert (len(first), len(unchanged)) == (40, 0)
    assert [place.place for _, place in news] == [1, 2, 3, 4, 5]


def test_a_shrinking_queue_is_told_far_fewer_places_than_there_were() -> None:
    size = 200
    lane = policy.admit(a_lane(*(a_request(number) for number in range(size + 1))))
    told = 0
    while lane.waiting:
        lane, news = policy.announce(lane)
        told += len(news)
        lane = policy.admit(policy.leave(lane, lane.holders[0].ref))

    assert told < size * 20


def test_looks_and_reminders_become_rarer_up_to_a_longest_pause() -> None:
    looks = [policy.pause_before_look(number, somebody_waits=True) for number in range(20)]
    reminders = [policy.pause_before_reminder(number) for number in range(20)]

    for pauses in (looks, reminders):
        assert pauses == sorted(pauses)
        assert pauses[0] < pauses[-1] == pauses[-2]
    assert policy.pause_before_look(0, somebody_waits=False) > looks[-1]
    assert timedelta(hours=24) == policy.LONGEST_WAIT


requests = st.tuples(
    st.sampled_from(PROJECTS), st.sampled_from(COMPONENTS), st.booleans(), st.booleans()
)
steps = st.lists(
    st.one_of(
        requests,
        requests,
        st.tuples(st.just("ends"), st.integers(0, 2)),
        st.tuples(st.just("ends"), st.integers(0, 2)),
        st.tuples(st.just("cancels"), st.integers(0, 9)),
        st.tuples(st.just("limit"), st.integers(1, 3)),
    ),
    min_size=40,
    max_size=120,
)


class Simulation:
    """Lets builds come and go and checks after each step what must always hold."""

    def __init__(self) -> None:
        self.lane = BuildLane(organization="acme", limit=2)
        self.count = 0
        self.known: dict[str, Request] = {}
        self.projects: dict[str, Counter[str]] = {}
        """For each project that waits: the turns of the others since it joined or had one."""
        self.components: dict[Place, Counter[Place]] = {}
        self.passed: Counter[str] = Counter()
        """How many later requests of people were served before each automatic one."""

    def does(self, step: Any) -> None:
        before = self.lane
        match step:
            case ("limit", limit):
                self.lane = policy.learned(self.lane, LaneFacts(limit=limit, generation=1))
            case ("ends", which):
                refs = [held.ref for held in self.lane.holders]
                self.lane = policy.leave(self.lane, refs[which % len(refs)]) if refs else self.lane
            case ("cancels", which):
                self._cancels(which)
            case _:
                self._comes(*step)
        free = max(0, self.lane.limit - len(self.lane.holders))
        expected = [one.request.ref for one in policy.order(self.lane)][:free]
        held = {one.ref for one in self.lane.holders}
        waiting = [self.known[one.request.run_id] for one in self.lane.waiting]
        self.lane = policy.admit(self.lane)
        refs = [one.ref for one in self.lane.holders]
        admitted = [ref for ref in refs if ref not in held]
        self._adds_up(before, refs)
        if admitted:
            assert len(self.lane.turns) <= 2 * len(self.lane.waiting)
        assert admitted == expected
        for ref in admitted:
            self._is_fair(self.known[ref.run_id], waiting)

    def _comes(self, project: str, component: str, automatic: bool, replaces: bool) -> None:
        place = (project, component)
        same = [one.request for one in self.lane.waiting if _place(one.request) == place]
        replaced = same[0] if replaces and same else None
        older = (replaced.build,) if replaced else ()
        self.count += 1
        request = a_request(self.count, project, component, automatic=automatic, replaces=older)
        since = self.known[replaced.run_id].since if replaced else self.count
        self.known[request.run_id] = Request(place, automatic, since, request.run_id)
        self.passed[request.run_id] = self.passed[replaced.run_id] if replaced else 0
        waits = {_place(one.request) for one in self.lane.waiting}
        if project not in {one for one, _ in waits}:
            self.projects[project] = Counter()
        if place not in waits:
            self.components[place] = Counter()
        self.lane = policy.enter(self.lane, request)

    def _cancels(self, which: int) -> None:
        if not self.lane.waiting:
            return
        ref = self.lane.waiting[which % len(self.lane.waiting)].request.ref
        self.lane = policy.leave(self.lane, ref)
        # The next request of the place counts from its own arrival.
        place = self.known[ref.run_id].place
        self.projects[place[0]] = Counter()
        self.components[place] = Counter()

    def _adds_up(self, before: BuildLane, refs: list[SlotRef]) -> None:
        lane = self.lane
        assert len(refs) <= max(lane.limit, len(before.holders))
        assert not lane.waiting or len(refs) >= lane.limit
        known = refs + [one.request.ref for one in lane.waiting]
        assert max(Counter(known).values(), default=1) == 1

    def _is_fair(self, served: Request, waiting: list[Request]) -> None:
        waiting.remove(served)
        project = served.place[0]
        for other in {one.place[0] for one in waiting} - {project}:
            self.projects[other][project] += 1
            assert self.projects[other][project] == 1
        for place in {one.place for one in waiting if one.place[0] == project} - {served.place}:
            self.components[place][served.place] += 1
            assert self.components[place][served.place] == 1
        for one in waiting:
            if one.place == served.place and one.since < served.since:
                assert one.automatic
                assert not served.automatic
                self.passed[one.key] += 1
                assert self.passed[one.key] <= policy.PATIENCE
        self.projects[project] = Counter()
        self.components[served.place] = Counter()


Place = tuple[str, str]


class Request(NamedTuple):
    """A request as the simulation knows it."""

    place: Place
    automatic: bool
    since: int
    key: str


def _place(request: SlotRequest) -> Place:
    return request.project, request.component


@given(steps=steps)
def test_the_limit_holds_no_slot_is_idle_and_nobody_overtakes_twice(
    steps: list[Any],
) -> None:
    simulation = Simulation()
    for step in steps:
        simulation.does(step)


@given(steps=steps)
def test_the_same_events_give_the_same_turns_also_after_a_journey_through_json(
    steps: list[Any],
) -> None:
    one, other = Simulation(), Simulation()
    for step in steps:
        one.does(step)
        other.does(step)
        other.lane = BuildLane.model_validate_json(other.lane.model_dump_json())
    assert one.lane == other.lane


@given(rivals=st.lists(st.booleans(), min_size=20, max_size=60))
def test_a_stream_of_people_in_other_projects_does_not_starve_one_automatic_build(
    rivals: list[bool],
) -> None:
    lane = policy.admit(a_lane(a_request(0, "bank"), a_request(1)))
    turns = 0
    for number, person in enumerate(rivals, start=2):
        lane = policy.enter(lane, a_request(number, f"p{number}", automatic=not person))
        lane = policy.admit(policy.leave(lane, lane.holders[0].ref))
        turns += 1
        if running(lane) == [1]:
            break
    assert turns == 1
