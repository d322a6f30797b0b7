"""How a gate of a promotion says what it found."""

from __future__ import annotations

from datetime import datetime

from domain.deliveries.promotions import GateState, GateVerdict


def is_open(
    name: str,
    reason: str,
    *,
    since: datetime | None = None,
    evidence: dict[str, str] | None = None,
) -> GateVerdict:
    """Says that the way is free here."""
    return GateVerdict(
        name=name,
        check=name,
        state=GateState.OPEN,
        reason=reason,
        since=since,
        evidence=evidence or {},
    )


def is_closed(
    name: str,
    reason: str,
    *,
    state: GateState = GateState.CLOSED,
    since: datetime | None = None,
    until: datetime | None = None,
    who: str = "",
    evidence: dict[str, str] | None = None,
) -> GateVerdict:
    """Says that it is not, and what opens it."""
    return GateVerdict(
        name=name,
        check=name,
        state=state,
        reason=reason,
        since=since,
        until=until,
        who=who,
        evidence=evidence or {},
    )
