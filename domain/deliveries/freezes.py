"""What a procedure asks about freeze windows and what it is told."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from domain.deliveries.wire import Wire


class FreezePlace(Wire):
    """What is to be deployed where."""

    organization: str
    project: str = ""
    component: str = ""
    environment: str
    labels: dict[str, str] = Field(default_factory=dict)
    """Of the component."""


class ClosedBy(Wire):
    """One window that keeps a place closed."""

    window: str
    reason: str
    until: datetime | None = None
    """When it ends, or for a window that allows, when it begins; None = never again."""
    in_progress: Literal["Finish", "Hold", "Revert"] = "Finish"
    override_by: Literal["admin", "developer", "nobody"] = "admin"


class LiftedBy(Wire):
    """Who let a place in although a window is closed."""

    window: str
    by: str
    reason: str


class FreezeVerdict(Wire):
    """Whether a place is open at a moment."""

    at: datetime
    closed_by: tuple[ClosedBy, ...] = ()
    """Empty = it is open."""
    until: datetime | None = None
    """When that changes: of a closed place when it opens, of an open one when it closes. None =
    not in the year to come."""

    overridden: tuple[str, ...] = ()
    """Windows that somebody lifted for this place."""
    lifted: tuple[LiftedBy, ...] = ()
    """Who did, and why."""
    reverts_then: bool = False
    """What is under way when an open place closes, at ``until``, is to be undone then."""

    @property
    def is_open(self) -> bool:
        """Tells whether something may be deployed there."""
        return not self.closed_by

    @property
    def in_progress(self) -> str:
        """What becomes of a rollout that runs now: the strictest of the windows decides."""
        order = ("Revert", "Hold")
        found = {one.in_progress for one in self.closed_by}
        return next((name for name in order if name in found), "Finish")

    @property
    def message(self) -> str:
        """Why it is closed, in words."""
        return "; ".join(f"freeze {one.window}: {one.reason}" for one in self.closed_by)
