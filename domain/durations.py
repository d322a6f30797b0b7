"""Durations as people write them in resources: ``90s``, ``2h30m``, ``14d``."""

from __future__ import annotations

import re
from datetime import timedelta

from domain.errors import InvalidRequest

DURATION_PATTERN = r"^([1-9][0-9]{0,3}d)?([1-9][0-9]{0,3}h)?([1-9][0-9]{0,3}m)?([1-9][0-9]{0,4}s)?$"
"""Days, hours, minutes, seconds, each at most once and in this order. Empty = not said."""

_PARTS = re.compile(DURATION_PATTERN)
_UNITS = ("days", "hours", "minutes", "seconds")
_SIZES = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def parse_duration(text: str) -> timedelta:
    """Returns the duration that ``text`` means; nothing for an empty one.

    Raises:
        InvalidRequest: It is not written as durations are.
    """
    found = _PARTS.fullmatch(text)
    if found is None:
        message = f"{text[:40]!r} is not a duration: write it as 90s, 2h30m or 14d"
        raise InvalidRequest(message)
    amounts = {
        unit: int(part[:-1]) for unit, part in zip(_UNITS, found.groups(), strict=True) if part
    }
    return timedelta(**amounts)


def duration_text(duration: timedelta) -> str:
    """Returns a duration as it is written in resources, in whole seconds."""
    rest = int(duration.total_seconds())
    text = ""
    for unit, size in _SIZES:
        if rest >= size:
            text += f"{rest // size}{unit}"
            rest %= size
    return text or "0s"
