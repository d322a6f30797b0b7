"""What builds and the lane of their organization tell each other, and what the lane remembers."""

from __future__ import annotations

from pydantic import Field

from domain.deliveries.wire import Wire


class SlotRef(Wire):
    """Names one run of a build, which holds a slot or asks for one."""

    build: str
    """Workflow id."""
    run_id: str


class SlotRequest(Wire):
    """A build asks for a slot of its organization."""

    organization: str
    project: str
    component: str
    build: str
    """Workflow id."""
    run_id: str
    automatic: bool = True
    """No person waits for it."""
    replaces: tuple[str, ...] = ()
    """Ids of builds this one supersedes; it takes the best place of those that wait."""
    limit: int = 0
    """What the Organization allows, as read when this was sent."""
    generation: int = 0
    """Generation of the Organization that was read."""

    @property
    def ref(self) -> SlotRef:
        """The run that asks."""
        return SlotRef(build=self.build, run_id=self.run_id)


class WaitingBuild(Wire):
    """A build in the queue of its organization."""

    request: SlotRequest
    arrived: int
    """By the lane's own clock, which counts arrivals and turns."""
    passed: int = 0
    """How many later requests of people were served before it."""
    told: int = 0
    """The place it was told last; 0 = none yet."""


class HeldSlot(Wire):
    """A slot and who holds it."""

    ref: SlotRef
    told: bool = False
    """The holder knows that it may run."""


class BuildLane(Wire):
    """Who builds and who waits in an organization: everything its lane knows."""

    organization: str
    limit: int = 0
    """How many may build at once; 0 = not read yet."""
    generation: int = 0
    """Generation of the Organization the limit was read from."""
    clock: int = 0
    holders: tuple[HeldSlot, ...] = ()
    waiting: tuple[WaitingBuild, ...] = ()
    """In the order of arrival, which is not the order of turns."""
    turns: dict[str, int] = Field(default_factory=dict)
    """When a project, or a component as ``project/component``, had its last turn."""


class QueuePlace(Wire):
    """Where a waiting build stood when the lane told it."""

    place: int
    waiting: int
    running: int
    limit: int

    def __str__(self) -> str:
        return (
            f"{_ordinal(self.place)} of {self.waiting} waiting, "
            f"{self.running} of {self.limit} running"
        )


class LaneCheck(Wire):
    """Asks how many builds an organization may run, and which of these runs are over."""

    organization: str
    holders: tuple[SlotRef, ...] = ()


class LaneFacts(Wire):
    """What is so outside of the lane."""

    limit: int = 0
    """0 = the Organization is gone."""
    generation: int = 0
    ended: tuple[SlotRef, ...] = ()
    """Runs that are over, so that they need no slot any more."""


class BuildTurn(Wire):
    """Asks to show in a Build resource that it waits for a slot, or that it got one."""

    organization: str
    name: str
    """Of the Build resource."""
    place: QueuePlace | None = None
    """None = it runs."""


def _ordinal(number: int) -> str:
    teen = number % 100 in {11, 12, 13}
    suffix = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{suffix}"
