"""Which releases are kept so that there is something to go back to."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

KEPT_RELEASES = 10


class StoredRelease(BaseModel):
    """One release of a component in an environment, as far as keeping it is concerned."""

    model_config = ConfigDict(frozen=True)

    name: str
    last_used: datetime
    """When it was last deployed, or made if it never was."""


def expired_releases(
    releases: Iterable[StoredRelease], in_use: Collection[str], keep: int = KEPT_RELEASES
) -> tuple[str, ...]:
    """Returns the names of the releases that may be deleted, oldest first.

    The ``keep`` most recently used ones stay, and so does everything in use: what runs, what is
    being rolled out and what would be restored.
    """
    newest_first = sorted(
        releases, key=lambda release: (release.last_used, release.name), reverse=True
    )
    expired = [release.name for release in newest_first[keep:] if release.name not in in_use]
    return tuple(reversed(expired))
