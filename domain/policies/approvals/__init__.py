"""How approvals are decided: who may, what counts, what time does. Pure."""

from __future__ import annotations

from domain.policies.approvals.course import (
    Due,
    Event,
    concluded,
    opened,
    passed,
    rebound,
    standing,
    upcoming,
)
from domain.policies.approvals.people import (
    Right,
    barred,
    involved,
    is_named,
    open_groups,
    right_of,
)
from domain.policies.approvals.votes import Judgement, check, decide, judge, refused, struck

__all__ = [
    "Due",
    "Event",
    "Judgement",
    "Right",
    "barred",
    "check",
    "concluded",
    "decide",
    "involved",
    "is_named",
    "judge",
    "open_groups",
    "opened",
    "passed",
    "rebound",
    "refused",
    "right_of",
    "standing",
    "struck",
    "upcoming",
]
