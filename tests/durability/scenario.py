"""What a scenario is: the points at which workers die are found in its recorded history."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager

from tests.durability.observing import observed
from tests.durability.place import Place
from tests.durability.state import State


class Scenario:
    """Base: what exists, what is asked for, what must hold."""

    name: str
    answers_throughout = False
    """True when what runs before must answer every request until what comes next does."""
    is_undone_by_cancel = True
    """False when a part of it is finished and stays, whatever is cancelled later."""
    resumes = ""
    """How ids of the procedure begin that a cancel leaves half way and asking again completes.
    Empty = there is none."""
    times = 1
    """How often each request is sent, all at once."""
    by_intake = False
    """True when resources are changed and the intake asks: its workers are killed as they do."""
    only: tuple[str, ...] = ("",)
    """Words of the points that are not those of another scenario as well."""

    async def before(self, place: Place) -> None:
        """Brings about what exists before; nobody is killed yet."""

    async def act(self, place: Place) -> None:
        """Asks for what the scenario is about."""
        raise NotImplementedError

    async def stopped(self, place: Place) -> list[str]:
        """Returns what is wrong after a cancel of what it ``resumes``."""
        raise NotImplementedError

    def observers(
        self, place: Place, failures: list[str]
    ) -> list[AbstractAsyncContextManager[None]]:
        """Returns who looks on while it is disturbed, and notes what must not be seen."""
        return [observed(place, failures)] if self.answers_throughout else []

    def facts(self, state: State) -> None:
        """Asserts what must hold at the end of an undisturbed run, so that it shows something."""
        raise NotImplementedError


def runs(state: State) -> list[str]:
    """The first letter of the version of each pod that is ready."""
    return [pod["version"][:1] for pod in state["plane Pod"] if pod["ready"]]


def phases(state: State, kind: str) -> list[str]:
    return sorted(one["status"]["phase"] for one in state[kind])
