"""What the rollback procedure is asked, judges by and answers."""

from __future__ import annotations

from datetime import datetime

from domain.deliveries.freezes import FreezeVerdict
from domain.deliveries.standings import Standing
from domain.deliveries.wire import Trigger, Wire
from domain.phases import Phase
from domain.policies.promotion.rollback import KnownRelease


class RollbackRequest(Wire):
    """Brings back a release that did well before."""

    organization: str
    component: str
    environment: str
    request_id: str
    to: str = ""
    """Release; empty = the last verified one."""
    bad: str = ""
    """Release that is to go; when it does not run any more, there is nothing to do. Empty = what
    runs, whatever it is."""
    reason: str = ""
    per_day: int = 3
    """How often automation may roll back here within a day."""
    trigger: Trigger = Trigger()


class RollbackFacts(Wire):
    """What is known of a place that is to be rolled back."""

    running: str = ""
    """Release; empty = nothing runs."""
    binding: str = ""
    binding_kind: str = ""
    artifact: str = ""
    image: str = ""
    known: tuple[KnownRelease, ...] = ()
    standing: Standing
    freeze: FreezeVerdict | None = None
    """What keeps changes away now. A rollback goes past it, and that is written down."""
    at: datetime


class Rollback(Wire):
    """Result of a rollback."""

    organization: str
    component: str
    environment: str
    request_id: str
    phase: Phase
    bad: str = ""
    release: str = ""
    artifact: str = ""
    message: str = ""
    undone: tuple[str, ...] = ()
