"""Reads what ran in a place and did well, from the control plane alone."""

from __future__ import annotations

import asyncio

from temporalio import activity

from activities.common.reading import listed, required
from activities.common.statuses import now
from activities.guards.freezes import FreezeReader
from activities.promotions.enforcement import Standings, pipeline_of
from activities.releases.bindings import find_binding
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from domain.deliveries.freezes import FreezePlace
from domain.deliveries.rollbacks import RollbackFacts, RollbackRequest
from domain.deliveries.standings import Standing
from domain.errors import InvalidRequest
from domain.phases import Phase
from domain.policies.promotion.rollback import KnownRelease
from domain.policies.promotion.standing import is_vetoed
from domain.rendering import labels as names
from domain.resources import Component, Deployment, Release
from domain.resources.deployment import DeployAction


class RollbackActivities:
    """What the rollback procedure knows."""

    def __init__(self, cluster: Cluster, standings: Standings, watches: SharedWatches) -> None:
        """``watches`` are those of the control plane."""
        self._cluster = cluster
        self._freezes = FreezeReader(cluster, watches)
        self._standings = standings

    @activity.defn
    async def read_rollback(self, request: RollbackRequest) -> RollbackFacts:
        """Returns what runs and what did well before.

        In a gated place that is what passed and was verified; in the first environment what was
        deployed with success. Idempotent: a reading. Asks neither the registry nor the plane.

        Raises:
            InvalidRequest: There is no binding, or no pipeline to tell which place it is.
        """
        where, name = request.organization, request.component
        binding = await find_binding(self._cluster, where, name, request.environment)
        if binding is None:
            raise InvalidRequest(f"{name} was never deployed to {request.environment}")
        selector = f"{names.COMPONENT}={name},{names.ENVIRONMENT}={request.environment}"
        asked = f"the rollback of {name}"
        component, standing, releases = await asyncio.gather(
            required(self._cluster, Component, name, where, asked),
            self._standings.read(where, name, request.environment),
            listed(self._cluster, Release, where, selector),
        )
        place = FreezePlace(
            organization=where,
            project=component.project,
            component=name,
            environment=request.environment,
            labels=dict(component.metadata.labels),
        )
        freeze = await self._freezes.telling(place)
        stored = {release.name for release in releases}
        pipeline = await pipeline_of(self._cluster, component)
        if request.environment == pipeline.first_environment:
            deployments = await listed(self._cluster, Deployment, where, selector)
            known = _deployed(deployments, standing, stored)
        else:
            known = _verified(standing, stored)
        return RollbackFacts(
            running=binding.status.release_ref,
            binding=binding.name,
            binding_kind=binding.kind,
            artifact=binding.status.artifact_ref,
            image=binding.status.image,
            known=known,
            standing=standing,
            freeze=freeze,
            at=now(),
        )


def _verified(standing: Standing, stored: set[str]) -> tuple[KnownRelease, ...]:
    found = [
        KnownRelease(
            name=one.release,
            artifact=one.artifact,
            since=one.verified,
            is_stored=one.release in stored,
        )
        for one in standing.passes
        if one.verified is not None
    ]
    return tuple(sorted(found, key=lambda one: one.since))


def _deployed(
    deployments: list[Deployment], standing: Standing, stored: set[str]
) -> tuple[KnownRelease, ...]:
    found: dict[str, KnownRelease] = {}
    for one in deployments:
        spec, finished = one.spec, one.status.finished
        counts = spec.action in {DeployAction.DEPLOY, DeployAction.ROLLBACK}
        if one.status.phase is not Phase.SUCCEEDED or not counts or finished is None:
            continue
        if not spec.release_ref or is_vetoed(standing, spec.artifact_ref, spec.image):
            continue
        before = found.get(spec.release_ref)
        if before is None or before.since < finished:
            found[spec.release_ref] = KnownRelease(
                name=spec.release_ref,
                artifact=spec.artifact_ref,
                since=finished,
                is_stored=spec.release_ref in stored,
            )
    return tuple(sorted(found.values(), key=lambda one: one.since))
