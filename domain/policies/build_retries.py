"""How often a build that the plane made fail is tried again, and how long is waited before."""

from __future__ import annotations

from datetime import timedelta

ATTEMPTS = 3
_PAUSE = timedelta(seconds=15)


def pause_after(attempt: int) -> timedelta | None:
    """Returns the wait after a try that met a technical fault, None when no try is left.

    Args:
        attempt: Number of the try that failed, from 1.
    """
    return _PAUSE * attempt if attempt < ATTEMPTS else None
