"""The time by which an activity judges: that of Temporal, whatever the clock of its worker says."""

from __future__ import annotations

import time
from datetime import datetime, timedelta

from temporalio import activity


class Clock:
    """Begins with when Temporal handed the activity out and goes on by what has passed since.

    Workers differ in their clocks, and a clock that is set jumps; deadlines must not.
    """

    def __init__(self) -> None:
        self._began = activity.info().started_time
        self._since = time.monotonic()

    def now(self) -> datetime:
        """Returns the present time, aware and in UTC."""
        return self._began + timedelta(seconds=time.monotonic() - self._since)
