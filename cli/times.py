"""Points in time as people give them on the command line."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from cli.errors import ExitCode, Problem

_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def moment_of(text: str, option: str, now: datetime | None = None) -> str | None:
    """Returns a moment for the API: ISO 8601, or in so many minutes, hours or days from now.

    Without a zone it is the time of this machine. Empty = None.

    Raises:
        Problem: It is neither.
    """
    if not text:
        return None
    if match := re.fullmatch(r"(\d{1,4})([mhd])", text):
        later = timedelta(**{_UNITS[match[2]]: int(match[1])})
        return ((now or datetime.now(UTC)) + later).isoformat()
    try:
        return datetime.fromisoformat(text).astimezone().isoformat()
    except ValueError:
        raise Problem(
            f"{option} {text!r} is no moment",
            title="Wrong usage",
            advice="Write 2026-11-27T22:00, 2026-11-27T22:00+01:00, or 30m, 2h, 3d from now.",
            code=ExitCode.USAGE,
        ) from None
