"""When deployments may go where: freeze windows over time. Wall time holds.

A window is at the same time on the wall all the year. In the hour that a clock skips it begins
when the clock goes on; in the hour that comes twice it lasts to the end of the second.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from operator import itemgetter
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dateutil.rrule import rrule, rrulestr
from pydantic import BaseModel, ConfigDict

from domain.deliveries.freezes import ClosedBy, FreezePlace, FreezeVerdict, LiftedBy
from domain.durations import parse_duration
from domain.errors import InvalidRequest
from domain.resources.freeze import (
    FreezeEffect,
    FreezeOverride,
    FreezeSchedule,
    FreezeWindow,
    OverrideBy,
)

HORIZON = timedelta(days=366)
"""How far it is looked ahead."""
_LOOKS = (timedelta(days=15), timedelta(days=70), HORIZON)
"""Most change soon: only when nothing does, it is looked further."""
_LONGEST = timedelta(days=366)
_DAY = timedelta(days=1)
_BY_MONTH = ("BYMONTHDAY", "BYYEARDAY", "BYWEEKNO", "BYSETPOS")
_MOST = 2000


class Occurrence(BaseModel):
    """One time that a window is."""

    model_config = ConfigDict(frozen=True)

    window: str
    effect: FreezeEffect
    reason: str
    start: datetime
    end: datetime


def problems(window: FreezeWindow) -> tuple[str, ...]:
    """Says what is wrong with a window beyond what its schema can say; empty when nothing is."""
    fault = _fault(window.spec.schedule)
    return (fault,) if fault else ()


@lru_cache(maxsize=1024)
def _fault(schedule: FreezeSchedule) -> str:
    try:
        start, rule = _rule(schedule)
    except InvalidRequest as error:
        return error.message
    if rule is not None and rule.after(start - _DAY) is None:
        return f"recurrence {schedule.recurrence!r} never happens"
    return ""


def occurrences(window: FreezeWindow, after: datetime, before: datetime) -> Iterator[Occurrence]:
    """Yields the times of a window that touch an interval, in order.

    Raises:
        InvalidRequest: Its schedule means nothing; see ``problems``.
    """
    spec = window.spec
    if spec.suspended:
        return
    zone = _zone(spec.schedule.time_zone)
    length = parse_duration(spec.schedule.duration)
    first = after.astimezone(zone).replace(tzinfo=None) - length - _DAY
    last = before.astimezone(zone).replace(tzinfo=None) + _DAY
    for wall in _walls(spec.schedule, first, last):
        begin = wall.replace(tzinfo=zone).astimezone(UTC)
        end = (wall + length).replace(tzinfo=zone, fold=1).astimezone(UTC)
        # One that lies in the hour the clock skips does not happen that day.
        if begin < end and end > after and begin < before:
            yield Occurrence(
                window=window.name, effect=spec.effect, reason=spec.reason, start=begin, end=end
            )


def is_about(window: FreezeWindow, place: FreezePlace) -> bool:
    """Tells whether a window has a say about a place."""
    scope = window.spec.scope
    return (
        window.organization == place.organization
        and (not scope.environments or place.environment in scope.environments)
        and (not scope.projects or place.project in scope.projects)
        and all(place.labels.get(key) == value for key, value in scope.match_labels.items())
    )


def override_of(window: FreezeWindow, place: FreezePlace, at: datetime) -> FreezeOverride | None:
    """Returns the override by which a place is let in now; None = nobody lets it in."""
    if window.spec.override_by is OverrideBy.NOBODY:
        return None
    holding = [
        one
        for one in window.status.overrides
        if one.environment == place.environment
        and one.component in {"", place.component}
        and one.at <= at < one.until
    ]
    return max(holding, key=lambda one: (one.until, one.id), default=None)


def verdict(windows: Iterable[FreezeWindow], place: FreezePlace, at: datetime) -> FreezeVerdict:
    """Decides whether a place is open, and until when that holds.

    A window that cannot be read keeps its place closed, with the reason: rather a deployment that
    waits than one in a freeze.
    """
    about = [one for one in windows if is_about(one, place) and not one.spec.suspended]
    lifted = {one.name: by for one in about if (by := override_of(one, place, at))}
    concerned = [one for one in about if one.name not in lifted]
    if lifted and _closed_by(about, at) and not _closed_by(concerned, at):
        return FreezeVerdict(
            at=at,
            until=min(one.until for one in lifted.values()),
            overridden=tuple(sorted(lifted)),
            lifted=tuple(
                LiftedBy(window=name, by=one.by, reason=one.reason)
                for name, one in sorted(lifted.items())
            ),
        )
    closed = _closed_by(concerned, at)
    for look in _LOOKS:
        until = _change(concerned, at, at + look)
        if until is not None:
            return FreezeVerdict(at=at, closed_by=closed, until=until)
    return FreezeVerdict(at=at, closed_by=closed)


def upcoming(
    windows: Iterable[FreezeWindow], after: datetime, before: datetime
) -> tuple[Occurrence, ...]:
    """Returns what happens in an interval, in order; windows that cannot be read are left out."""
    found: list[Occurrence] = []
    for window in windows:
        if not problems(window):
            found += list(occurrences(window, after, before))[:_MOST]
    return tuple(sorted(found, key=lambda one: (one.start, one.window)))


def _closed_by(windows: list[FreezeWindow], at: datetime) -> tuple[ClosedBy, ...]:
    denying = [w for w in windows if w.spec.effect is FreezeEffect.DENY]
    allowing = [w for w in windows if w.spec.effect is FreezeEffect.ALLOW]
    closed = [one for window in denying if (one := _denial(window, at))]
    lasting = [window for window in allowing if not problems(window) and _current(window, at)]
    if allowing and not lasting:
        closed += [_not_yet(window, at) for window in allowing]
    return tuple(sorted(closed, key=lambda one: one.window))


def _denial(window: FreezeWindow, at: datetime) -> ClosedBy | None:
    if faults := problems(window):
        return _told(window, None, f"it cannot be read, so it counts: {faults[0]}")
    current = _current(window, at)
    return _told(window, current.end) if current else None


def _not_yet(window: FreezeWindow, at: datetime) -> ClosedBy:
    if faults := problems(window):
        return _told(window, None, f"it cannot be read, so it does not open: {faults[0]}")
    following = next(occurrences(window, at, at + HORIZON), None)
    reason = f"open only at its times ({window.spec.reason})"
    return _told(window, following.start if following else None, reason)


def _told(window: FreezeWindow, until: datetime | None, reason: str = "") -> ClosedBy:
    return ClosedBy(
        window=window.name,
        reason=reason or window.spec.reason,
        until=until,
        in_progress=window.spec.in_progress.value,
        override_by=window.spec.override_by.value,
    )


def _current(window: FreezeWindow, at: datetime) -> Occurrence | None:
    """The time of the window that lasts at a moment; of several the one that ends last."""
    found = [
        one
        for one in occurrences(window, at, at + timedelta(microseconds=1))
        if one.start <= at < one.end
    ]
    return max(found, key=lambda one: one.end, default=None)


def _change(windows: list[FreezeWindow], at: datetime, limit: datetime) -> datetime | None:
    """The first moment at which a place is open that was closed, or the other way round.

    It goes through all beginnings and ends in order and counts what lasts.
    """
    allowing = any(window.spec.effect is FreezeEffect.ALLOW for window in windows)
    lasting = dict.fromkeys(FreezeEffect, 0)
    edges: list[tuple[datetime, int, FreezeEffect]] = []
    for window in windows:
        effect = window.spec.effect
        if problems(window):
            lasting[effect] += effect is FreezeEffect.DENY
            continue
        for one in occurrences(window, at, limit):
            edges += [(one.start, 1, effect), (one.end, -1, effect)]

    def is_closed() -> bool:
        nothing_allows = allowing and not lasting[FreezeEffect.ALLOW]
        return bool(lasting[FreezeEffect.DENY]) or nothing_allows

    before: bool | None = None
    for moment, group in groupby(sorted(edges), key=itemgetter(0)):
        if moment > at and before is None:
            before = is_closed()
        for _, step, effect in group:
            lasting[effect] += step
        if before is not None and is_closed() is not before:
            return moment if moment <= limit else None
    return None


def _walls(schedule: FreezeSchedule, first: datetime, last: datetime) -> Iterator[datetime]:
    """The beginnings on the wall within an interval."""
    start, rule = _rule(schedule)
    left_out = {_wall(text) for text in schedule.except_dates}
    found = [start] if rule is None else rule.between(first, last, inc=True)
    yield from (wall for wall in found if first <= wall <= last and wall not in left_out)


def _rule(schedule: FreezeSchedule) -> tuple[datetime, rrule | None]:
    _zone(schedule.time_zone)
    length = parse_duration(schedule.duration)
    if not timedelta(0) < length <= _LONGEST:
        raise InvalidRequest(f"duration {schedule.duration!r} must be up to {_LONGEST.days} days")
    for text in schedule.except_dates:
        _wall(text)
    return _wall(schedule.start), _parsed(schedule.start, schedule.recurrence)


@lru_cache(maxsize=1024)
def _parsed(start: str, recurrence: str) -> rrule | None:
    if not recurrence:
        return None
    named = {part.partition("=")[0] for part in recurrence.split(";")}
    if "FREQ=DAILY" in recurrence or "FREQ=WEEKLY" in recurrence:
        for part in _BY_MONTH:
            if part in named:
                message = f"recurrence {recurrence!r}: {part} needs FREQ=MONTHLY or FREQ=YEARLY"
                raise InvalidRequest(message)
    try:
        made = rrulestr(recurrence, dtstart=_wall(start), cache=True)
    except (ValueError, TypeError, KeyError) as error:
        message = f"recurrence {recurrence!r} is no rule of RFC 5545: {str(error)[:100]}"
        raise InvalidRequest(message) from None
    if not isinstance(made, rrule):
        raise InvalidRequest(f"recurrence {recurrence!r} must be one rule")
    return made


def _wall(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise InvalidRequest(f"{text!r} is no date and time such as 2026-11-27T18:00") from None


@lru_cache(maxsize=64)
def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidRequest(f"there is no time zone {name!r}: use an IANA name") from None
