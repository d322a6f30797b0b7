"""What a look at the health of an environment is asked, passes on and answers."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from domain.deliveries.observing import AskedAs
from domain.deliveries.wire import Wire


class SweepRequest(Wire):
    """Looks once at all that runs in an environment."""

    organization: str
    environment: str


class SweptComponent(Wire):
    """A component that is to run there."""

    component: str
    settled: bool = True
    """False = it is being deployed, and whoever does that judges it."""


class SweptCheck(Wire):
    """A request to make."""

    name: str
    component: str
    url: str = ""
    """Empty = the component has no address there now, so nothing is asked."""
    statuses: tuple[int, ...] = ()
    """Empty = all from 200 to 399."""
    timeout_seconds: int = 10


class SweptMetric(Wire):
    """A question to ask of a Prometheus."""

    name: str
    query: str
    url: str = ""
    """Of the Prometheus. Empty = there is none."""
    asked_as: AskedAs | None = None
    """None = as nobody in particular."""
    timeout_seconds: int = 10


class Damping(Wire):
    """How sure one must be before a change is told."""

    unhealthy_after: int = 2
    healthy_after: int = 2
    flaps_per_hour: int = 4


class SweepPlan(Wire):
    """What there is to look at."""

    declared: bool = True
    """False = nobody wants the environment looked at any more."""
    project: str = ""
    task_queue: str = ""
    plane: str = ""
    components: tuple[SweptComponent, ...] = ()
    checks: tuple[SweptCheck, ...] = ()
    metrics: tuple[SweptMetric, ...] = ()
    damping: Damping = Damping()


class PlaneSweep(Wire):
    """Looks at components on their plane."""

    organization: str
    environment: str
    components: tuple[str, ...] = ()
    checks: tuple[SweptCheck, ...] = ()
    metrics: tuple[SweptMetric, ...] = ()


class Observation(Wire):
    """What one look saw of one subject."""

    subject: str
    """``component NAME``, ``check NAME`` or ``metric NAME``."""
    healthy: bool
    reason: str = ""
    message: str = ""


class PlaneSeen(Wire):
    """What a look at a plane saw. What is not in it was not found."""

    observations: tuple[Observation, ...] = ()


class ToldHealth(Wire):
    """What was told of one subject last, and what speaks against it."""

    subject: str
    healthy: bool = True
    unsteady: bool = False
    since: datetime
    reason: str = ""
    message: str = ""
    against: int = 0
    """How many looks in a row saw the contrary."""
    turns: tuple[datetime, ...] = ()
    """When it changed within the last hour."""
    ever_unwell: bool = False


class Turn(StrEnum):
    """What is told of a subject."""

    UNHEALTHY = "unhealthy"
    HEALTHY = "healthy"
    UNSTEADY = "unsteady"
    """It goes to and fro; further changes are not told."""


class HealthChange(Wire):
    """One change that is told."""

    subject: str
    turn: Turn
    at: datetime
    reason: str = ""
    message: str = ""


class SweepMemory(Wire):
    """What a look leaves to the next one: the result of each is given to the one after it."""

    told: tuple[ToldHealth, ...] = ()
    unsent: tuple[HealthChange, ...] = Field((), max_length=1000)
    """Changes of which nobody could be told yet."""


class SweepResult(SweepMemory):
    """What a look found."""

    seen: int = 0
    unhealthy: tuple[str, ...] = ()
    changes: tuple[HealthChange, ...] = ()
    unanswered: str = ""
    """Why the plane could not be looked at; empty = it was."""


class HealthReport(Wire):
    """What is written to the Environment."""

    organization: str
    environment: str
    told: tuple[ToldHealth, ...] = ()
    at: datetime
