"""What is asked of a set of components that are promoted together, and what it answers."""

from __future__ import annotations

from enum import StrEnum

from pydantic import Field

from domain.deliveries.wire import Trigger, Wire
from domain.phases import Phase

MOST_MEMBERS = 500


class SetMember(Wire):
    """One component of a set."""

    component: str
    artifact: str = ""
    """Empty = what runs in the source."""
    after: tuple[str, ...] = ()
    """Members that must be there before it: what it needs."""


class SetRequest(Wire):
    """Promotes components to one environment, in the order of what they need."""

    organization: str
    name: str
    environment: str
    request_id: str
    members: tuple[SetMember, ...] = Field(max_length=MOST_MEMBERS)
    is_unit: bool = True
    """All or nothing: when one does not succeed, those that did are rolled back in reverse. Else
    each stands for itself, and the failure budget says when no more are begun."""
    max_parallel: int = Field(5, ge=1, le=50)
    every_seconds: int = Field(0, ge=0, le=86_400)
    """Least time between two beginnings."""
    failure_budget: int = Field(0, ge=0)
    """How many may fail before no more are begun. Counts for nothing in a unit."""
    reason: str = ""
    trigger: Trigger = Trigger()


class MemberPhase(StrEnum):
    """Where one member stands."""

    WAITING = "Waiting"
    RUNNING = "Running"
    DONE = "Done"
    FAILED = "Failed"
    SKIPPED = "Skipped"
    """What it needs did not come, or no more were begun."""
    EXCLUDED = "Excluded"
    """A person took it out before it began."""
    UNDONE = "Undone"
    """It was there and was rolled back with the others."""


class MemberState(Wire):
    """How one member goes."""

    component: str
    phase: MemberPhase = MemberPhase.WAITING
    message: str = ""
    release: str = ""
    """What it brought there; empty = nothing new."""


class SetAct(StrEnum):
    """What a person may do to a set that is on its way."""

    PAUSE = "pause"
    RESUME = "resume"
    EXCLUDE = "exclude"


class SetCommand(Wire):
    """A person's word to a set that is on its way."""

    act: SetAct
    component: str = ""
    """Of exclude."""
    reason: str = Field("", max_length=500)
    by: str = ""


class ReleaseSet(Wire):
    """How a set goes or went."""

    organization: str
    name: str
    environment: str
    request_id: str
    phase: Phase
    is_unit: bool
    is_paused: bool = False
    members: tuple[MemberState, ...]
    """In the order of the request."""
    message: str = ""
