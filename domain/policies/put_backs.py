"""Whether drifted objects are put back, and when it is time to stop because somebody insists."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from pydantic import BaseModel, ConfigDict

from domain.deliveries.drift import Contest, DriftedField, DriftMemory, PutBackNote

COUNTED = timedelta(hours=1)
"""How long a put-back counts against the limit."""
HELD = timedelta(hours=24)
"""How long a contested field is left alone before putting back is tried again."""
_TOLD = 10


class DriftVerdict(BaseModel):
    """What is done about the drift of one place."""

    model_config = ConfigDict(frozen=True)

    put_back: tuple[str, ...] = ()
    """``Kind/name`` of the objects to put back; empty = leave all as it is."""
    contests: tuple[Contest, ...] = ()
    """Fields that are left alone because they were changed again and again."""
    memory: DriftMemory = DriftMemory()
    """To be kept for the next look."""


def judge_drift(
    drifted: Iterable[DriftedField],
    memory: DriftMemory,
    *,
    restore: bool,
    limit: int,
    now: datetime,
) -> DriftVerdict:
    """Returns what to put back.

    A field that was put back ``limit`` times within the last hour and differs again is contested,
    and so is its whole object: it is left alone for a day. A contest ends when its field is as it
    is wanted, or when the policy no longer puts back.
    """
    fields = {(each.object, each.field): each for each in drifted}
    notes = tuple(note for note in memory.notes if now - note.at < COUNTED)
    if not restore:
        return DriftVerdict(memory=DriftMemory(notes=notes))
    contests = {
        (contest.object, contest.field): contest
        for contest in memory.contests
        if now < contest.until and (contest.object, contest.field) in fields
    }
    for key, each in fields.items():
        times = sum(1 for note in notes if (note.object, note.field) == key)
        if key not in contests and times >= limit:
            contests[key] = Contest(
                object=each.object,
                field=each.field,
                manager=each.manager,
                since=now,
                until=now + HELD,
            )
    left = {name for name, _ in contests}
    put_back = tuple(
        dict.fromkeys(each.object for each in fields.values() if each.object not in left)
    )
    asked = tuple(
        PutBackNote(object=name, field=field, at=now) for name, field in fields if name not in left
    )
    # What is contested starts anew when it is over.
    kept = tuple(note for note in notes if (note.object, note.field) not in contests)
    return DriftVerdict(
        put_back=put_back,
        contests=tuple(contests.values()),
        memory=DriftMemory(notes=(*kept, *asked), contests=tuple(contests.values())),
    )


def remembered_until(memory: DriftMemory) -> datetime | None:
    """Returns when nothing is remembered any more, None when nothing is."""
    ends = [note.at + COUNTED for note in memory.notes]
    ends += [contest.until for contest in memory.contests]
    return max(ends, default=None)


def put_backs_of(drifted: Iterable[DriftedField], memory: DriftMemory) -> int:
    """Returns how often the most disputed of the fields was put back within the last hour."""
    keys = [(note.object, note.field) for note in memory.notes]
    return max((keys.count((each.object, each.field)) for each in drifted), default=0)


def described(drifted: Iterable[DriftedField]) -> str:
    """Returns the drift in words: each field with what it is, what is wanted and who has it."""
    lines = [_described(each) for each in drifted]
    more = [f"and {len(lines) - _TOLD} more"] if len(lines) > _TOLD else []
    return "; ".join([*lines[:_TOLD], *more])


def contested(contests: Iterable[Contest], component: str, environment: str, limit: int) -> str:
    """Returns why a contested field is left alone and who can end that."""
    listed = tuple(contests)
    fields = ", ".join(
        f"{one.object} {one.field or '(deleted)'}".rstrip() for one in listed[:_TOLD]
    )
    managers = sorted({one.manager for one in listed if one.manager}) or ["somebody unknown"]
    until = max(one.until for one in listed)
    who = ", ".join(managers)
    return (
        f"{who} changed {fields} again after {limit} put-backs within an hour, so it is left "
        f"alone until {until:%Y-%m-%d %H:%M} UTC. Whoever runs {who} can end this, or a person "
        f"who may deploy, by `pavane deploy {component} -e {environment} --force` or by setting "
        f"spec.drift of Environment {environment} to Report"
    )


def _described(each: DriftedField) -> str:
    if not each.field:
        return f"{each.object} is gone"
    by = f" ({each.manager})" if each.manager else ""
    is_now = f"is {each.live}" if each.live else "is absent"
    return f"{each.object} {each.field} {is_now}, wanted {each.wanted or 'empty'}{by}"
