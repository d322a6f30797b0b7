"""What a new request for a promotion does to one that is still on its way to the gates."""

from __future__ import annotations

from enum import StrEnum

from domain.deliveries.promotions import PromotionRequest


class Arrival(StrEnum):
    """What becomes of the newer request."""

    JOINS = "joins"
    """It asks for the same: the older one answers it."""
    SUPERSEDES = "supersedes"
    """The older one ends and this one takes its place."""
    WAITS = "waits"
    """It comes after the older one."""


def arrival(newer: PromotionRequest, older: PromotionRequest, artifact: str = "") -> Arrival:
    """Decides what a newer request does to an older one.

    Args:
        newer: The request that came.
        older: The request that has not been let through yet.
        artifact: What the older one turned out to be about; empty = unknown.
    """
    if _asks_the_same(newer, older, artifact):
        return Arrival.JOINS
    by_itself = newer.trigger.is_automatic and not older.trigger.is_automatic
    return Arrival.WAITS if by_itself else Arrival.SUPERSEDES


def _asks_the_same(newer: PromotionRequest, older: PromotionRequest, artifact: str) -> bool:
    if (newer.hotfix, newer.source or older.source) != (older.hotfix, older.source or newer.source):
        return False
    if (newer.not_before, newer.expires) != (older.not_before, older.expires):
        return False
    if not newer.artifact:
        return not older.artifact
    return newer.artifact == (older.artifact or artifact)
