"""Reads all that the gates of a promotion are judged by, and renders what it would become."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from activities.builds.artifacts import new_binding
from activities.common.reading import find, required
from activities.common.statuses import now
from activities.guards.freezes import FreezeReader
from activities.promotions.changes import differences, said
from activities.promotions.dependencies import DependencyReader
from activities.promotions.enforcement import Standings, pipeline_of
from activities.promotions.judging import judged_here
from activities.releases.bindings import find_binding
from activities.releases.bundles import bundle_of, objects_of
from activities.releases.facts import FactsReader
from activities.releases.quotas import Quotas
from clients.kubernetes.cluster import Cluster
from clients.objects import ObjectStore
from domain.deliveries.freezes import FreezePlace
from domain.deliveries.promotions import (
    ArtifactFacts,
    ChangedObject,
    GateOutcome,
    GateRule,
    PlaceFacts,
    PromotionFacts,
    PromotionRequest,
    StepRules,
)
from domain.errors import Denied, InvalidRequest
from domain.policies.quotas import Usage, usage_of
from domain.rendering.configuration.effective import judged_configuration
from domain.rendering.facts import ReleaseFacts, RenderedRelease
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
from domain.resources.conditions import Reason
from domain.resources.gates import GateCheck
from domain.resources.pipeline import PromotionTarget


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
        quotas: Quotas,
        dependencies: DependencyReader,
    ) -> None:
        self._cluster = cluster
        self._objects = objects
        self._standings = standings
        self._reader = reader
        self._freezes = freezes
        self._quotas = quotas
        self._dependencies = dependencies

    async def read(self, request: PromotionRequest) -> PromotionFacts:
        """Reads the facts of one promotion as they are now.

        Raises:
            InvalidRequest: The component, its project or its pipeline does not exist.
        """
        where = request.organization
        asked = f"the promotion of {request.component}"
        component = await required(self._cluster, Component, request.component, where, asked)
        pipeline = await pipeline_of(self._cluster, component)
        sources = pipeline.sources_of(request.environment)
        source_name = request.source or (sources[0] if len(sources) == 1 else "")
        where_to = FreezePlace(
            organization=where,
            project=component.project,
            component=component.name,
            environment=request.environment,
            labels=dict(component.metadata.labels),
        )
        source, target, environment, standing, freeze = await asyncio.gather(
            self._place(component, source_name),
            self._place(component, request.environment),
            find(self._cluster, Environment, request.environment, where),
            self._standings.read(where, component.name, request.environment),
            self._freezes.telling(where_to),
        )
        source_queue, target_queue = await asyncio.gather(
            self._queue(where, source_name), self._queue(where, request.environment)
        )
        name = request.artifact or source.facts.artifact
        artifact = await find(self._cluster, DeployableArtifact, name, where)
        step = pipeline.target(source_name, request.environment)
        facts = PromotionFacts(
            organization=where,
            project=component.project,
            component=component.name,
            environment=request.environment,
            pipeline=pipeline.name,
            first=pipeline.first_environment,
            sources=sources,
            source=source.facts,
            source_passed=await self._passed(pipeline, component, source_name, name),
            source_queue=source_queue,
            target=target.facts,
            target_queue=target_queue,
            is_production=environment is not None and environment.spec.is_production,
            artifact=_artifact(artifact) if artifact else None,
            rules=_rules(step) if step else StepRules(),
            standing=standing,
            freeze=freeze,
            at=now(),
        )
        if artifact is not None:
            facts = await self._rendered(facts, component, target, artifact)
        depends = await self._dependencies.judge(facts)
        judged = (*facts.judged, *depends, *judged_here(facts, request))
        return facts.model_copy(update={"judged": judged})

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
        return _Place(_place(binding, release), binding, release)

    async def _rendered(
        self,
        facts: PromotionFacts,
        component: Component,
        target: _Place,
        artifact: DeployableArtifact,
    ) -> PromotionFacts:
        """Adds what it would become in the target, and what is different from what runs there."""
        binding = _pointed(component, facts.environment, target.binding, artifact.name)
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
        fits = await self._fits(facts, known, usage_of(rendered.objects))
        return facts.model_copy(
            update={
                "judged": (*configured, *fits),
                "release": rendered.name,
                "hash": rendered.hash,
                "changes": await self._changes(target.release, rendered),
            }
        )

    async def _fits(
        self, facts: PromotionFacts, known: ReleaseFacts, asked: Usage
    ) -> tuple[GateOutcome, ...]:
        """Judges the gates of quotas, as the deployment will: by what others take up now."""
        rules = [rule for rule in facts.rules.gates if rule.check is GateCheck.QUOTA]
        if not rules:
            return ()
        passed, reason = True, f"it fits into the quotas of {facts.environment}"
        try:
            await self._quotas.check(known, asked)
        except Denied as denied:
            passed, reason = False, denied.message
        return tuple(
            GateOutcome(name=rule.name, passed=passed, reason=reason, at=facts.at) for rule in rules
        )

    async def _changes(
        self, running: Release | None, rendered: RenderedRelease
    ) -> tuple[ChangedObject, ...]:
        if running is None:
            return tuple(ChangedObject(name=said(one), change="added") for one in rendered.objects)
        before = await objects_of(bundle_of(running), self._objects)
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


def _place(binding: Binding, release: Release | None) -> PlaceFacts:
    ready = binding.status.condition("Ready")
    # A wish that was refused says nothing about what runs.
    refused = ready is not None and ready.reason in {Reason.GATE_CLOSED, Reason.DENIED}
    is_ready = ready is not None and (ready.is_true or (refused and release is not None))
    since = ready.last_transition_time if ready else None
    if since is not None and release is not None and release.status.applied is not None:
        since = release.status.applied if refused else max(since, release.status.applied)
    return PlaceFacts(
        environment=binding.environment,
        binding=binding.name,
        binding_kind=binding.kind,
        artifact=binding.status.artifact_ref,
        version=binding.status.version,
        release=binding.status.release_ref,
        wanted=binding.artifact,
        ready=is_ready and bool(binding.status.artifact_ref),
        reason=ready.reason if ready else "",
        message=ready.message if ready else "",
        since=since,
    )


def _artifact(artifact: DeployableArtifact) -> ArtifactFacts:
    spec = artifact.spec
    return ArtifactFacts(
        name=artifact.name,
        image=spec.image,
        commit=spec.commit,
        branch=spec.branch,
        version=artifact.version,
        build=spec.build_ref,
        has_test_report=bool(spec.test_report),
        scan=spec.scan.verdict,
        scan_reason=spec.scan.reason,
    )


def _rules(step: PromotionTarget) -> StepRules:
    given = step.model_dump(exclude={"gates", "approval", "hotfix", "mode", "name"})
    return StepRules.model_validate(
        {
            **given,
            "auto": step.mode == "Auto",
            "gates": [GateRule.model_validate(gate.model_dump()) for gate in step.gates],
            "approval": step.approval.rule if step.approval else None,
            "skips": step.hotfix.skips,
        }
    )


def _pointed(
    component: Component, environment: str, binding: Binding | None, artifact: str
) -> Binding:
    """Returns the binding as it would be; nothing is written."""
    if binding is not None:
        spec = binding.spec.model_copy(update={"artifact_ref": artifact})
        return binding.model_copy(update={"spec": spec})
    return new_binding(component, environment, artifact)
