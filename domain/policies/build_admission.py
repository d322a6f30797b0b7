"""Whose turn it is to build: fair shares of an organization's slots.

Projects take turns, inside a project its components, inside a component the oldest request is
first, but a request of a person goes before automatic ones. Whoever begins to wait joins behind
all that wait already, so a project is never overtaken twice by the same other one. A person
overtakes an automatic request a few times at most. A build that supersedes a waiting one takes
its place: often pushed branches are built too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from datetime import timedelta

from domain.deliveries.build_lanes import (
    BuildLane,
    HeldSlot,
    LaneFacts,
    QueuePlace,
    SlotRef,
    SlotRequest,
    WaitingBuild,
)

PATIENCE = 3
"""How many later requests of people one automatic request lets pass."""
LONGEST_WAIT = timedelta(hours=24)
"""How long a build waits for a slot before it ends as ``Errored``."""
LINGER = timedelta(minutes=1)
"""How long a lane without builds stays, so that the next build need not start it again."""

_FIRST_LOOK = timedelta(seconds=15)
_LAST_LOOK = timedelta(minutes=10)
_UNASKED_LOOK = timedelta(hours=1)
_FIRST_REMINDER = timedelta(minutes=5)
_LAST_REMINDER = timedelta(minutes=30)
_NEAR = 5
"""Up to this place a waiting build is told every change of it."""


def enter(lane: BuildLane, request: SlotRequest) -> BuildLane:
    """Lets a build wait for its turn.

    Idempotent: one that waits keeps its place, one that holds a slot is told so again.
    """
    if request.limit and request.generation >= lane.generation:
        lane = _with_limit(lane, request.limit, request.generation)
    if any(held.ref == request.ref for held in lane.holders):
        return _told(lane, request.ref, told=False)
    if any(one.request.ref == request.ref for one in lane.waiting):
        return lane
    replaced = [one for one in lane.waiting if one.request.build in request.replaces]
    kept = [one for one in lane.waiting if one not in replaced]
    clock = lane.clock + 1
    new = WaitingBuild(
        request=request,
        arrived=min([clock, *(one.arrived for one in replaced)]),
        passed=max([0, *(one.passed for one in replaced)]),
    )
    waiting = tuple(sorted([*kept, new], key=lambda one: one.arrived))
    return lane.model_copy(update={"clock": clock, "waiting": waiting})


def leave(lane: BuildLane, ref: SlotRef) -> BuildLane:
    """Gives back the slot of a build, or takes it out of the queue.

    Idempotent: a build that is not there changes nothing.
    """
    return lane.model_copy(
        update={
            "holders": tuple(held for held in lane.holders if held.ref != ref),
            "waiting": tuple(one for one in lane.waiting if one.request.ref != ref),
        }
    )


def admit(lane: BuildLane) -> BuildLane:
    """Gives free slots to those whose turn it is; the new holders are not told yet."""
    turns = _Turns(lane)
    holders = list(lane.holders)
    while turns.waiting and len(holders) < lane.limit:
        holders.append(HeldSlot(ref=turns.take().request.ref))
    if len(holders) == len(lane.holders):
        return lane
    return lane.model_copy(
        update={
            "clock": turns.clock,
            "holders": tuple(holders),
            "waiting": tuple(sorted(turns.waiting, key=lambda one: one.arrived)),
            "turns": turns.remembered(),
        }
    )


def learned(lane: BuildLane, facts: LaneFacts) -> BuildLane:
    """Takes over what was found outside; a lane keeps its limit when its Organization is gone."""
    for ref in facts.ended:
        lane = leave(lane, ref)
    return _with_limit(lane, facts.limit, facts.generation) if facts.limit else lane


def granted(lane: BuildLane, ref: SlotRef) -> BuildLane:
    """Remembers that a holder knows that it may run."""
    return _told(lane, ref, told=True)


def untold(lane: BuildLane) -> tuple[SlotRef, ...]:
    """Returns the holders that do not know yet that they may run."""
    return tuple(held.ref for held in lane.holders if not held.told)


def order(lane: BuildLane) -> tuple[WaitingBuild, ...]:
    """Returns who waits in the order of their turns, as it is while nobody comes or leaves."""
    turns = _Turns(lane)
    return tuple(turns.take() for _ in lane.waiting)


def announce(lane: BuildLane) -> tuple[BuildLane, tuple[tuple[SlotRef, QueuePlace], ...]]:
    """Returns which waiting builds should be told their place, and a lane that remembers it.

    Those near the front are told every change and those far behind only a large one, so that a
    queue of n is told about n log n places while it shrinks, not n squared.
    """
    places = {one.request.ref: place for place, one in enumerate(order(lane), start=1)}
    news = []
    waiting = []
    for one in lane.waiting:
        place = places[one.request.ref]
        if _is_worth_telling(one.told, place):
            told = QueuePlace(
                place=place,
                waiting=len(lane.waiting),
                running=len(lane.holders),
                limit=lane.limit,
            )
            news.append((one.request.ref, told))
            waiting.append(one.model_copy(update={"told": place}))
        else:
            waiting.append(one)
    return lane.model_copy(update={"waiting": tuple(waiting)}), tuple(news)


def pause_before_look(looks: int, *, somebody_waits: bool) -> timedelta:
    """Returns after how long the holders are looked at again; the pauses grow."""
    if not somebody_waits:
        return _UNASKED_LOOK
    return min(_FIRST_LOOK * (1 << min(looks, 10)), _LAST_LOOK)


def pause_before_reminder(reminders: int) -> timedelta:
    """Returns after how long a waiting build asks again, in case its lane was lost."""
    return min(_FIRST_REMINDER * (1 << min(reminders, 10)), _LAST_REMINDER)


def _with_limit(lane: BuildLane, limit: int, generation: int) -> BuildLane:
    return lane.model_copy(update={"limit": limit, "generation": generation})


def _told(lane: BuildLane, ref: SlotRef, *, told: bool) -> BuildLane:
    holders = tuple(
        HeldSlot(ref=held.ref, told=told) if held.ref == ref else held for held in lane.holders
    )
    return lane.model_copy(update={"holders": holders})


def _is_worth_telling(told: int, place: int) -> bool:
    if told == place:
        return False
    far = told and place > _NEAR
    return not far or place * 4 <= told * 3 or place * 3 >= told * 4


class _Turns:
    """Takes one waiting build after the other; each step costs a look at projects, not at all."""

    def __init__(self, lane: BuildLane) -> None:
        self.clock = lane.clock
        self._last = dict(lane.turns)
        self._projects: dict[str, dict[str, _Component]] = {}
        for one in sorted(lane.waiting, key=lambda one: one.arrived):
            components = self._projects.setdefault(one.request.project, {})
            components.setdefault(one.request.component, _Component()).add(one)

    @property
    def waiting(self) -> list[WaitingBuild]:
        """Who was not taken."""
        return [
            one
            for components in self._projects.values()
            for component in components.values()
            for one in component
        ]

    def take(self) -> WaitingBuild:
        """Returns whose turn it is and notes that they had it."""
        project = min(self._projects, key=self._since)
        components = self._projects[project]
        name = min(components, key=lambda name: self._component_since(project, name))
        taken = components[name].take()
        self.clock += 1
        self._last[project] = self._last[f"{project}/{name}"] = self.clock
        if not components[name]:
            del components[name]
        if not components:
            del self._projects[project]
        return taken

    def remembered(self) -> dict[str, int]:
        """Returns the turns that still matter: whoever comes anew joins behind all others."""
        kept = set(self._projects)
        kept |= {
            f"{project}/{name}" for project in self._projects for name in self._projects[project]
        }
        return {name: turn for name, turn in sorted(self._last.items()) if name in kept}

    def _since(self, project: str) -> tuple[int, str]:
        """When the project joined those that wait, or had its turn: the smaller, the sooner."""
        oldest = min(component.oldest for component in self._projects[project].values())
        return max(self._last.get(project, 0), oldest), project

    def _component_since(self, project: str, name: str) -> tuple[int, str]:
        last = self._last.get(f"{project}/{name}", 0)
        return max(last, self._projects[project][name].oldest), name


class _Component:
    """The waiting builds of one component."""

    def __init__(self) -> None:
        self._people: deque[WaitingBuild] = deque()
        self._automatic: deque[WaitingBuild] = deque()

    def __iter__(self) -> Iterator[WaitingBuild]:
        return iter([*self._people, *self._automatic])

    def __len__(self) -> int:
        return len(self._people) + len(self._automatic)

    @property
    def oldest(self) -> int:
        """When the oldest of them arrived."""
        return min(queue[0].arrived for queue in (self._people, self._automatic) if queue)

    def add(self, one: WaitingBuild) -> None:
        """Adds one that came after all others."""
        (self._automatic if one.request.automatic else self._people).append(one)

    def take(self) -> WaitingBuild:
        """Returns the oldest of a person, unless an automatic one let enough of them pass."""
        if not self._people:
            return self._automatic.popleft()
        if self._automatic:
            first = self._automatic[0]
            if first.arrived < self._people[0].arrived:
                if first.passed >= PATIENCE:
                    return self._automatic.popleft()
                self._automatic[0] = first.model_copy(update={"passed": first.passed + 1})
        return self._people.popleft()
