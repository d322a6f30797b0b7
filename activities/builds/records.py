"""Writes down in the control plane that a build runs and what came of it."""

from __future__ import annotations

from temporalio import activity

from activities.builds.artifacts import bind_first_environment, write_artifact
from activities.builds.planning import BRANCH_ANNOTATION, older_builds, plan_of, source_of
from activities.common.kinds import platform
from activities.common.reading import build_plane, find, read
from activities.common.statuses import judged, now, write_status
from activities.guards.stops import heed
from activities.records.histories import asked_build
from clients.kubernetes.cluster import Cluster
from clients.records import Records
from domain import ids
from domain.deliveries import Build as BuildResult
from domain.deliveries import BuildPlan, BuildRecord, BuildRefusal, BuildRequest, BuildStarted
from domain.errors import Conflict
from domain.phases import Phase
from domain.records import FactBatch
from domain.records.stops import Place
from domain.rendering import labels as names
from domain.resources import Build, Component, Metadata, Organization, Resource
from domain.resources.build import (
    BuildResourceSpec,
    BuildStage,
    BuildStatus,
    OperationRef,
    Revision,
    TriggerInfo,
)
from settings import Settings


class BuildRecordActivities:
    """Effects of builds on the control plane."""

    def __init__(self, cluster: Cluster, settings: Settings, history: Records) -> None:
        self._cluster = cluster
        self._history = history
        self._registry = settings.registry.pull_host

    @activity.defn
    async def register_build(self, request: BuildRequest) -> BuildPlan:
        """Makes sure that a Build resource says that this build runs; plans the build.

        Idempotent: the resource's name derives from the commit.

        Raises:
            Stopped: An emergency stop holds for the organization.
            NotFound: There is no such component or organization.
            InvalidRequest: The component has no repository, or no build plane can be chosen.
        """
        place = Place(organization=request.organization)
        heed(await self._history.append(FactBatch(facts=(asked_build(request),), place=place)))
        component = await read(self._cluster, Component, request.component, request.organization)
        organization = await read(self._cluster, Organization, request.organization)
        source = source_of(component)
        plane = await build_plane(
            self._cluster, request.organization, organization.spec.builds.build_plane_ref
        )
        build = await self._ensure(request, component)
        plan = plan_of(request, component, source, plane, build.name, registry_host=self._registry)
        status = BuildStatus(
            phase=Phase.RUNNING,
            message="the build runs",
            commit=request.commit,
            trigger=TriggerInfo(**request.trigger.model_dump()),
            operation=_operation(),
            log=plan.log,
            started=now(),
            conditions=build.status.conditions,
        )
        older = await older_builds(self._cluster, request, build, status, organization)
        await self._judge(build, status, ready=False, reason="Building", message="the build runs")
        return plan.model_copy(update={"older": older})

    async def _ensure(self, request: BuildRequest, component: Component) -> Build:
        name = request.build or ids.build_name(request.component, request.commit)
        build = Build(
            metadata=Metadata(
                name=name,
                namespace=request.organization,
                labels={
                    names.ORGANIZATION: request.organization,
                    names.PROJECT: component.project,
                    names.COMPONENT: request.component,
                },
                annotations={BRANCH_ANNOTATION: request.branch} if request.branch else {},
            ),
            spec=BuildResourceSpec(
                component_ref=request.component, revision=Revision(commit=request.commit)
            ),
        )
        try:
            await self._cluster.create(build.manifest())
        except Conflict:
            labels = {"metadata": build.manifest()["metadata"]}
            await self._cluster.patch(platform("Build"), name, request.organization, labels)
        return await read(self._cluster, Build, name, request.organization)

    @activity.defn
    async def record_build(self, record: BuildRecord) -> BuildResult:
        """Writes down how a build ended; a successful one leaves a DeployableArtifact.

        With autoDeploy the binding of the first environment is pointed to the artifact, unless
        that already wants what a later build made. Idempotent: all names derive from content.
        """
        plan = record.plan
        await self._history.append(FactBatch(facts=record.facts))
        build = await read(self._cluster, Build, plan.name, plan.organization)
        artifact = binding = ""
        if record.phase is Phase.SUCCEEDED:
            component = await read(self._cluster, Component, plan.component, plan.organization)
            artifact = await write_artifact(self._cluster, record)
            await self._remember(component, plan, artifact)
            if component.spec.auto_deploy:
                binding = await bind_first_environment(self._cluster, component, artifact, build)
        message = record.message or (f"built {artifact}" if artifact else record.phase.value)
        status = _final(record, build.status, artifact, message)
        succeeded = record.phase is Phase.SUCCEEDED
        reason = "Succeeded" if succeeded else record.phase.value
        await self._judge(build, status, ready=succeeded, reason=reason, message=message)
        return BuildResult(
            name=plan.name,
            phase=record.phase,
            commit=plan.commit,
            artifact=artifact,
            image=record.outcome.image,
            binding=binding,
            message=message,
        )

    @activity.defn
    async def adopt_build(self, request: BuildRequest) -> BuildStarted:
        """Points a person's Build resource to the build of its commit that exists already.

        Idempotent: writes the same status again.
        """
        workflow_id = ids.build_id(request.organization, request.component, request.commit)
        answer = BuildStarted(
            workflow_id=workflow_id, run_id="", commit=request.commit, existing=True
        )
        if not request.build:
            return answer
        build = await read(self._cluster, Build, request.build, request.organization)
        first = await self._cluster.find(
            platform("Build"),
            ids.build_name(request.component, request.commit),
            request.organization,
        )
        status = BuildStatus.model_validate((first or {}).get("status", {}))
        adopted = status.model_copy(update={"operation": OperationRef(workflow_id=workflow_id)})
        succeeded = status.phase is Phase.SUCCEEDED
        message = f"commit {request.commit[:12]} is built by {workflow_id}"
        await self._judge(build, adopted, ready=succeeded, reason="Adopted", message=message)
        return answer

    @activity.defn
    async def refuse_build(self, refusal: BuildRefusal) -> None:
        """Says on a person's Build resource why nothing was built.

        Idempotent: writes the same status again. A request without a resource, or whose resource
        is gone, has nobody to tell but its caller.
        """
        request = refusal.request
        build = await find(self._cluster, Build, request.build, request.organization)
        if build is None:
            return
        status = build.status.model_copy(
            update={
                "phase": refusal.phase,
                "message": refusal.message,
                "operation": _operation(),
                "trigger": TriggerInfo(**request.trigger.model_dump()),
                "finished": build.status.finished or now(),
            }
        )
        reason = "RevisionUnresolved"
        await self._judge(build, status, ready=False, reason=reason, message=refusal.message)

    async def _remember(self, component: Component, plan: BuildPlan, artifact: str) -> None:
        latest = {
            "latestBuild": plan.name,
            "latestCommit": plan.commit,
            "latestArtifact": artifact,
        }
        await self._cluster.patch(
            platform("Component"),
            component.name,
            component.namespace,
            {"status": latest},
            "status",
        )

    async def _judge(
        self, build: Resource, status: BuildStatus, *, ready: bool, reason: str, message: str
    ) -> None:
        generation = build.metadata.generation
        told = judged(
            status, ready=ready, reason=reason, message=message, generation=generation, at=now()
        )
        await write_status(self._cluster, build, told)


def _operation() -> OperationRef:
    info = activity.info()
    return OperationRef(workflow_id=info.workflow_id or "", run_id=info.workflow_run_id or "")


def _final(record: BuildRecord, before: BuildStatus, artifact: str, message: str) -> BuildStatus:
    outcome = record.outcome
    return before.model_copy(
        update={
            "phase": record.phase,
            "message": message,
            "image": outcome.image,
            "artifact_ref": artifact,
            "stages": tuple(
                BuildStage(name=stage.name, seconds=stage.seconds) for stage in outcome.stages
            ),
            "log": outcome.log,
            "log_tail": record.log_tail,
            "cache_hit": outcome.cache_hit,
            "finished": now(),
        }
    )
