"""How much is left of a wait that may be taken up again by another worker."""

from __future__ import annotations

from datetime import datetime, timedelta

LAST_LOOK = timedelta(seconds=5)
"""Left in any case: what became ready while nobody looked is to be seen, not failed."""


def time_left(deadline: timedelta, began: datetime, now: datetime) -> timedelta:
    """Returns what is left of ``deadline``, counted from the beginning of the wait.

    A wait that began anew with each worker that was killed would end late, or never.
    """
    return max(began + deadline - now, LAST_LOOK)
