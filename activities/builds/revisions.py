"""Finds out which commit a Git revision means."""

from __future__ import annotations

from temporalio import activity

from activities.common.reading import read
from clients.git import GitRemotes
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries import BuildRequest, ResolvedCommit
from domain.errors import InvalidRequest
from domain.resources import Component


class RevisionActivities:
    """Readings of Git repositories."""

    def __init__(self, cluster: Cluster, git: GitRemotes) -> None:
        self._cluster = cluster
        self._git = git

    @activity.defn
    async def resolve_revision(self, request: BuildRequest) -> ResolvedCommit:
        """Returns the commit a branch or tag points to now; a complete commit is itself.

        Idempotent: a reading.

        Raises:
            NotFound: There is no such component.
            InvalidRequest: The component has no repository, or the revision does not exist there.
        """
        component = await read(self._cluster, Component, request.component, request.organization)
        source = component.build
        if source is None:
            message = (
                f"component {request.component} has no repository: "
                "set spec.buildSpecInComponent.repository"
            )
            raise InvalidRequest(message)
        revision = request.revision or source.branch
        if ids.is_commit(revision):
            return ResolvedCommit(commit=revision, branch=request.branch)
        return await self._git.resolve(source.repository, revision)
