"""What a parked flow is asked, and what it tells."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from pydantic import Field

from domain.deliveries.wire import Wire


class Choice(StrEnum):
    """What a person may choose for a flow that exhausted its budget."""

    RETRY = "retry"
    """Try the same again."""
    SKIP = "skip"
    """Go on without what did not succeed; only where the policy allows it."""
    FIX = "fix"
    """Change the input, then try again."""
    COMPENSATE = "compensate"
    """Give up: undo what was done and end."""


class Resolution(Wire):
    """What a person decided about a parked flow, and why."""

    choice: Choice
    reason: str = Field("", max_length=1000)
    actor: str = ""
    authority: str = ""
    artifact: str = ""
    """With ``fix``: the artifact to deploy instead."""
    force_conflicts: bool = False
    """With ``fix``: take fields over from other managers."""


class Parked(Wire):
    """A flow that waits for a person because of a technical fault."""

    step: str
    message: str
    since: datetime
    reminder: datetime
    until: datetime
    """When it gives up by itself."""
    choices: tuple[Choice, ...]
