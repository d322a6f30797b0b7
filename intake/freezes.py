"""What the status of a FreezeWindow says, and when it says something else: pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import NamedTuple

from domain.policies import windows
from domain.resources import FreezeWindow

_LOOKS = (timedelta(days=15), windows.HORIZON)
"""Most change soon: only when nothing does, it is looked further."""


class ShownWindow(NamedTuple):
    """When a window is."""

    fields: Mapping[str, str | bool]
    """Of its status."""
    edge: datetime | None
    """When they change by themselves; None = not in the year to come."""


def shown(window: FreezeWindow, now: datetime) -> ShownWindow:
    """Returns what is told of a window at a moment. One that cannot be read tells nothing."""
    if windows.problems(window):
        return ShownWindow({"active": False}, None)
    lasting, coming = _found(window, now, _LOOKS[0])
    if coming is None:
        lasting, coming = _found(window, now, _LOOKS[1])
    end = max((one.end for one in lasting), default=coming.end if coming else None)
    fields: dict[str, str | bool] = {"active": bool(lasting)}
    if coming is not None:
        fields["nextStart"] = _text(coming.start)
    if end is not None:
        fields["nextEnd"] = _text(end)
    edges = [one for one in (coming.start if coming else None, end) if one is not None]
    return ShownWindow(fields, min(edges, default=None))


def _found(
    window: FreezeWindow, now: datetime, look: timedelta
) -> tuple[list[windows.Occurrence], windows.Occurrence | None]:
    """Returns the times that last, and the one that comes next."""
    found = list(windows.occurrences(window, now, now + look))
    lasting = [one for one in found if one.start <= now]
    return lasting, next((one for one in found if one.start > now), None)


def says_so(window: FreezeWindow, now: datetime) -> bool:
    """Tells whether the status says that already."""
    told = window.status.model_dump(mode="json", by_alias=True)
    wanted = shown(window, now).fields
    names = ("active", "nextStart", "nextEnd")
    return all(told.get(name) == wanted.get(name) for name in names)


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
