"""What is kept of the past of a component in an environment, so that one can go back to it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

KEPT_RELEASES = 10
"""What can be gone back to."""
KEPT_DEPLOYMENTS = 25
"""Enough to look at; the whole history is in the records database."""


class Stored(BaseModel):
    """One Release or Deployment of a component in an environment, as far as keeping it matters."""

    model_config = ConfigDict(frozen=True)

    name: str
    last_used: datetime
    """When it was last deployed, or made if it never was."""


def expired(stored: Iterable[Stored], in_use: Collection[str], keep: int) -> tuple[str, ...]:
    """Returns the names of those that may be deleted, oldest first.

    The ``keep`` most recently used ones stay, and so does everything in use: what runs, what is
    being rolled out and what would be restored.
    """
    newest_first = sorted(stored, key=lambda each: (each.last_used, each.name), reverse=True)
    old = [each.name for each in newest_first[keep:] if each.name not in in_use]
    return tuple(reversed(old))
