"""Reads all that the gates of a promotion are judged by, and renders what it would become."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any, NamedTuple

from activities.common.reading import find, listed, required
from activities.common.statuses import now
from activities.guards.freezes import FreezeReader
from activities.promotions.changes import differences, said
from activities.promotions.dependencies import DependencyReader
from activities.promotions.enforcement import Standings, pipeline_of
from activities.promotions.judging import judged_here
from activities.promotions.limits import Limits
from activities.promotions.neighbours import NeighbourReader
from activities.promotions.told import artifact_facts, place_facts, pointed, step_rules
from activities.releases.bindings import find_binding
from activities.releases.bundles import bundle_of, objects_of
from activities.releases.facts import FactsReader
from clients.kubernetes.cluster import Cluster
from clients.objects import ObjectStore
from domain.deliveries.freezes import FreezePlace
from domain.deliveries.promotions import (
    ChangedObject,
    GateOutcome,
    PlaceFacts,
    PromotionFacts,
    PromotionRequest,
)
from domain.errors import InvalidRequest
from domain.rendering import labels as names
from domain.rendering.configuration.changes import changed_configuration
from domain.rendering.configuration.effective import judged_configuration
from domain.rendering.facts import ReleaseFacts, RenderedRelease
from domain.rendering.network.judging import changed_openings
from domain.rendering.release import render_release
from domain.resources import (
    BindingState,
    Component,
    DataPlane,
    DeployableArtifact,
    DeploymentPipeline,
    Environment,
    Release,
)
from domain.resources.binding import Binding
from domain.resources.gates import GateCheck

_UNDER_WAY = timedelta(days=31)
"""How long what is let through now may be under way: the longest watch, and its deployment."""


class _Place(NamedTuple):
    facts: PlaceFacts
    binding: Binding | None
    release: Release | None


class PromotionReader:
    """Reads; nothing is written, so a plan and a promotion read the same way."""

    def __init__(
        self,
        cluster: Cluster,
        objects: ObjectStore,
        standings: Standings,
        reader: FactsReader,
        *,
        freezes: FreezeReader,
        limits: Limits,
        dependencies: DependencyReader,
        neighbours: NeighbourReader,
    ) -> None:
        self._cluster = cluster
        self._store = objects
        self._standings = standings
        self._reader = reader
        self._freezes = freezes
        self._limits = limits
        self._dependencies = dependencies
        self._neighbours = neighbours

    async def read(self, request: PromotionRequest) -> PromotionFacts:
        """Reads the facts of one promotion as they are now.

        Raises:
            InvalidRequest: The component, its project or its pipeline does not exist.
        """
        component = await required(
            self._cluster,
            Component,
            request.component,
            request.organization,
            f"the promotion of {request.component}",
        )
        facts, target = await self._around(request, component)
        artifact = await self._named(facts, request.artifact)
        if artifact is not None:
            authors = await self._authors(facts, artifact)
            facts = facts.model_copy(update={"artifact": artifact_facts(artifact, authors)})
            facts = await self._rendered(facts, component, target, artifact)
        depends = await self._dependencies.judge(facts)
        judged = (*facts.judged, *depends, *judged_here(facts, request))
        return facts.model_copy(update={"judged": judged})

    async def _around(
        self, request: PromotionRequest, component: Component
    ) -> tuple[PromotionFacts, _Place]:
        """Returns all but what is promoted: places, rules, what is remembered, what is frozen."""
        where, environment = request.organization, request.environment
        pipeline = await pipeline_of(self._cluster, component)
        sources = pipeline.sources_of(environment)
        source = request.source or (sources[0] if len(sources) == 1 else "")
        here, target, found, standing, freeze = await asyncio.gather(
            self._place(component, source),
            self._place(component, environment),
            find(self._cluster, Environment, environment, where),
            self._standings.read(where, component.name, environment),
            self._freezes.telling(_freeze_place(component, environment), _UNDER_WAY),
        )
        source_queue, target_queue = await asyncio.gather(
            self._queue(where, source), self._queue(where, environment)
        )
        artifact = request.artifact or here.facts.artifact
        facts = PromotionFacts(
            organization=where,
            project=component.project,
            component=component.name,
            environment=environment,
            pipeline=pipeline.name,
            first=pipeline.first_environment,
            sources=sources,
            source=here.facts,
            source_passed=await self._passed(pipeline, component, source, artifact),
            source_queue=source_queue,
            target=target.facts,
            target_queue=target_queue,
            is_production=found is not None and found.spec.is_production,
            rules=step_rules(pipeline.target(source, environment)),
            standing=standing,
            freeze=freeze,
            at=now(),
        )
        return facts, target

    async def _named(self, facts: PromotionFacts, name: str) -> DeployableArtifact | None:
        name = name or facts.source.artifact
        return await find(self._cluster, DeployableArtifact, name, facts.organization)

    async def _authors(self, facts: PromotionFacts, artifact: DeployableArtifact) -> set[str]:
        """Returns who wrote what was built since what runs in the target: it comes along.

        Asked only where authors may not approve.
        """
        rule = facts.rules.approval
        if rule is None or rule.allow_authors or not facts.target.artifact:
            return set()
        of_component = f"{names.COMPONENT}={facts.component}"
        built = await listed(self._cluster, DeployableArtifact, facts.organization, of_component)
        made = {one.name: one.metadata.creation_timestamp for one in built}
        since, until = made.get(facts.target.artifact), made.get(artifact.name)
        if since is None or until is None:
            return set()
        return {
            author
            for one in built
            if (at := one.metadata.creation_timestamp) is not None and since < at <= until
            for author in one.spec.authors
        }

    async def _passed(
        self, pipeline: DeploymentPipeline, component: Component, source: str, artifact: str
    ) -> bool:
        """Tells whether the artifact came to the source through its gates: its status can lie."""
        if not source or source == pipeline.first_environment:
            return True
        known = await self._standings.read(component.organization, component.name, source)
        return any(one.artifact == artifact for one in known.passes)

    async def _queue(self, organization: str, environment: str) -> str:
        """Returns the task queue of the plane of an environment; empty when it is not known."""
        found = await find(self._cluster, Environment, environment, organization)
        name = found.spec.data_plane_ref if found else ""
        plane = await find(self._cluster, DataPlane, name, organization)
        return plane.task_queue if plane else ""

    async def _place(self, component: Component, environment: str) -> _Place:
        if not environment:
            return _Place(PlaceFacts(environment=""), None, None)
        binding = await find_binding(
            self._cluster, component.namespace, component.name, environment
        )
        if binding is None:
            return _Place(PlaceFacts(environment=environment), None, None)
        release = await find(
            self._cluster, Release, binding.status.release_ref, component.namespace
        )
        return _Place(place_facts(binding, release), binding, release)

    async def _rendered(
        self,
        facts: PromotionFacts,
        component: Component,
        target: _Place,
        artifact: DeployableArtifact,
    ) -> PromotionFacts:
        """Adds what it would become in the target, and what is different from what runs there."""
        binding = pointed(component, facts.environment, target.binding, artifact.name)
        if binding.wanted_state is BindingState.UNDEPLOY:
            problem = f"{binding.kind} {binding.name} is to be undeployed: set spec.state"
            return facts.model_copy(update={"problem": problem})
        try:
            known = await self._reader.gather(binding)
        except InvalidRequest as error:
            return facts.model_copy(update={"problem": error.message})
        configured = _configured(facts, known)
        try:
            rendered = render_release(known)
        except InvalidRequest as error:
            return facts.model_copy(update={"problem": error.message, "judged": configured})
        fits, refused = await self._limits.judge(facts, known, rendered.objects)
        before = await self._objects(target.release)
        place = (facts.organization, facts.component, facts.environment)
        pairs = await self._neighbours.pairs(place, before or (), rendered.objects)
        return facts.model_copy(
            update={
                "judged": (*configured, *fits),
                "release": rendered.name,
                "hash": rendered.hash,
                "refused": refused,
                "changes": _changes(before, rendered),
                "configuration": changed_configuration(before or (), rendered.objects),
                "network": changed_openings(before or (), rendered.objects),
                "pairs": pairs,
            }
        )

    async def _objects(self, running: Release | None) -> tuple[dict[str, Any], ...] | None:
        return None if running is None else await objects_of(bundle_of(running), self._store)


def _changes(
    before: tuple[dict[str, Any], ...] | None, rendered: RenderedRelease
) -> tuple[ChangedObject, ...]:
    if before is None:
        return tuple(ChangedObject(name=said(one), change="added") for one in rendered.objects)
    return tuple(differences(before, rendered.objects))


def _configured(facts: PromotionFacts, known: ReleaseFacts) -> tuple[GateOutcome, ...]:
    """Judges the gates of configuration: what is needed has a value there, of the right type."""
    judged = judged_configuration(known)
    keys = f"all {len(judged.entries)} keys have values" if judged.entries else "it needs none"
    reason = "; ".join(judged.problems) or f"the configuration for {facts.environment}: {keys}"
    return tuple(
        GateOutcome(name=rule.name, passed=not judged.problems, reason=reason, at=facts.at)
        for rule in facts.rules.gates
        if rule.check is GateCheck.CONFIGURATION
    )


def _freeze_place(component: Component, environment: str) -> FreezePlace:
    return FreezePlace(
        organization=component.organization,
        project=component.project,
        component=component.name,
        environment=environment,
        labels=dict(component.metadata.labels),
    )
