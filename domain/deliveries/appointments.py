"""Deployments that wait for their time: what is asked for, and how far ahead."""

from __future__ import annotations

from datetime import datetime, timedelta

from domain.deliveries.wire import Trigger, Wire
from domain.errors import InvalidRequest

LONGEST_AHEAD = timedelta(days=90)
"""How far ahead a deployment can be ordered, as a promotion can be."""


class DeployAtRequest(Wire):
    """Somebody wants something deployed, not before a moment."""

    organization: str
    component: str
    environment: str
    artifact: str = ""
    """DeployableArtifact to point the binding to then; empty = what the binding names by then."""
    force_conflicts: bool = False
    """Take fields over from another field manager."""
    not_before: datetime
    expires: datetime | None = None
    """When it is given up, if it was not begun by then; None = never."""
    trigger: Trigger = Trigger()


def check_ahead(not_before: datetime, now: datetime) -> None:
    """Returns when a deployment can be ordered for that moment.

    Raises:
        InvalidRequest: It is too far away.
    """
    if not_before > now + LONGEST_AHEAD:
        raise InvalidRequest(
            f"{not_before:%Y-%m-%d %H:%M} UTC is more than {LONGEST_AHEAD.days} days away"
        )
