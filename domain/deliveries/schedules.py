"""How a person changes what runs by the clock."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from domain.deliveries.wire import Wire

PAUSED_BY = "paused by "
"""Begins the note of a schedule that a person paused, which no resource starts again."""


class ScheduleAct(StrEnum):
    """What a person wants of a schedule."""

    PAUSE = "pause"
    RESUME = "resume"
    TRIGGER = "trigger"


class ScheduleOrder(Wire):
    """Changes one schedule of an organization."""

    organization: str
    schedule: str
    """Its id, such as ``sweep/acme/production``."""
    act: ScheduleAct
    actor: str
    authority: str = ""
    reason: str = ""
    at: datetime

    @property
    def note(self) -> str:
        """What the schedule says of itself afterwards; also seen in the Temporal UI."""
        done = PAUSED_BY if self.act is ScheduleAct.PAUSE else "resumed by "
        return f"{done}{self.actor}{f': {self.reason}' if self.reason else ''}"[:300]


class ScheduleChanged(Wire):
    """What became of an order."""

    changed: bool
    """False = it was so already."""
    note: str = ""


class ScheduleName(Wire):
    """Names a schedule."""

    schedule: str
