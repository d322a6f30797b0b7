"""Which running builds a newer one makes pointless."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from pydantic import BaseModel, ConfigDict

from domain.resources.organization import SupersedePolicy


class BuildInProgress(BaseModel):
    """One build of a component that has not ended."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Workflow id."""
    branch: str
    """Empty when unknown: then nothing is said about its order."""
    commit: str
    started: datetime


def superseded_builds(
    newer: BuildInProgress, others: Iterable[BuildInProgress], policy: SupersedePolicy
) -> tuple[str, ...]:
    """Returns the ids of the builds that ``newer`` supersedes, oldest first.

    Only builds of the same known branch count, only of another commit, and only such as started
    before it: of two builds that see each other exactly one goes on.
    """
    if policy is SupersedePolicy.NEVER or not newer.branch:
        return ()
    older = [
        build
        for build in others
        if build.branch == newer.branch
        and build.commit != newer.commit
        and (build.started, build.id) < (newer.started, newer.id)
    ]
    return tuple(build.id for build in sorted(older, key=lambda build: (build.started, build.id)))
