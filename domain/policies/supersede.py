"""Which running builds a newer one makes pointless."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from domain.deliveries import Trigger


class SupersedePolicy(StrEnum):
    """What an organization wants to happen to a build when a newer commit arrives."""

    ALWAYS = "Always"
    """The older build of the branch gives way, whoever asked for it."""
    AUTOMATIC = "Automatic"
    """It gives way unless a person asked for it."""
    NEVER = "Never"
    """Every commit is built to the end."""


class BuildInProgress(BaseModel):
    """One build of a component that has not ended."""

    model_config = ConfigDict(frozen=True)

    id: str
    """Workflow id."""
    branch: str
    """Empty when unknown: then nothing is said about its order."""
    commit: str
    started: datetime
    trigger: Trigger = Trigger()


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
        and (policy is SupersedePolicy.ALWAYS or build.trigger.is_automatic)
    ]
    return tuple(build.id for build in sorted(older, key=lambda build: (build.started, build.id)))
