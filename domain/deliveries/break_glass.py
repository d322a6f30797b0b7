"""Rights for a while: what is asked for, by which rule, and what was given."""

from __future__ import annotations

from datetime import datetime

from domain.deliveries.approvals import ApprovalRule
from domain.deliveries.wire import Trigger, Wire
from domain.phases import Phase


class BreakGlassRequest(Wire):
    """Somebody asks for a role in one environment, for a while."""

    organization: str
    project: str = ""
    """Empty = all projects."""
    environment: str
    role: str
    person: str
    """Who is to have it, as in the claim ``email`` or ``sub``."""
    reason: str
    seconds: int
    trigger: Trigger = Trigger()


class BreakGlassPlan(Wire):
    """By which rule of the Organization it may be given, as it is now."""

    rule: ApprovalRule


class GrantOrder(Wire):
    """A right that is to be given, or taken back."""

    id: str
    request: BreakGlassRequest
    until: datetime
    approved_by: tuple[str, ...] = ()


class BreakGlass(Wire):
    """How it ended."""

    organization: str
    environment: str
    person: str
    role: str
    phase: Phase
    until: datetime | None = None
    """When the right was to end; None = it was not given."""
    approved_by: tuple[str, ...] = ()
    message: str = ""
