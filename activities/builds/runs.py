"""Runs builds on a build plane: submits the Argo Workflow, follows it, stops it."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.builds.logs import BuildLog
from activities.common.heartbeats import heartbeating
from activities.common.kinds import ARGO_WORKFLOWS, PODS
from activities.common.log_tails import log_tail
from activities.common.observation import changes
from activities.secrets.delivery import SecretDelivery
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.kubernetes.subscriptions import Predicate
from clients.objects import ObjectStore
from clients.registry import Registry
from domain import ids
from domain.deliveries import BuildFollow, BuildHandle, BuildOutcome, BuildPlan
from domain.errors import BuildFailed, Conflict, Errored
from domain.phases import Phase
from domain.policies.build_outcome import BuildVerdict, judge_build
from domain.rendering import labels as names
from domain.rendering.build import (
    MAIN_CONTAINER,
    PULL_SECRET,
    SCRIPT_DIGEST,
    BuilderSettings,
    render_build,
)
from domain.rendering.provenance import PROVENANCE_TYPE, provenance
from domain.secrets import delivery
from settings import Settings

_RUN = "choreo.dev/run"
"""Which run and try of the build procedure submitted an Argo Workflow."""


class BuildRunActivities:
    """Effects on a build plane, and the waiting for their end."""

    def __init__(
        self,
        cluster: Cluster,
        watches: SharedWatches,
        objects: ObjectStore,
        registry: Registry,
        settings: Settings,
        *,
        secrets: SecretDelivery | None = None,
    ) -> None:
        """``secrets`` brings what nodes pull with; None = nothing does."""
        self._secrets = secrets
        self._cluster = cluster
        self._watches = watches
        self._objects = objects
        self._registry = registry
        bundle = settings.build.trust_bundle
        self._builder = BuilderSettings(
            builder_image=settings.build.builder_image,
            insecure=settings.registry.url.startswith("http://"),
            build_arguments={"PYTHON_IMAGE": settings.build.runtime_image},
            trust_bundle=bundle.read_text() if bundle else "",
            scan_command=settings.build.scan_command,
            scan_refuses=settings.build.scan_refuses,
        )

    @activity.defn
    async def submit_build(self, plan: BuildPlan) -> BuildHandle:
        """Creates what a build needs and the Argo Workflow that runs it.

        Idempotent: the Argo Workflow's name derives from the commit; one that exists is adopted,
        unless it ended badly before this build began: then it is replaced.

        Raises:
            InvalidRequest: The plane's pull secret is not there.
            Denied: It is of one project, or of one environment.
        """
        namespace = ids.build_namespace(plan.organization)
        rendered = render_build(plan, self._builder)
        workflow = copy.deepcopy(rendered.workflow)
        run = f"{activity.info().workflow_run_id}.{plan.attempt}"
        workflow["metadata"]["labels"][_RUN] = run
        for obj in rendered.setup:
            await self._cluster.apply(obj, force=True)
        if plan.pull_path and self._secrets is not None:
            pulls = delivery.of_builds(
                plan.organization, namespace, PULL_SECRET, plan.pull_path, plan.pull_host
            )
            await self._secrets.deliver(pulls)
        await self._remove_previous(namespace, plan.name, run)
        try:
            created = await self._cluster.create(workflow)
        except Conflict:
            found = await self._cluster.get(ARGO_WORKFLOWS, plan.name, namespace)
            return BuildHandle(
                namespace=namespace, name=plan.name, uid=found["metadata"]["uid"], adopted=True
            )
        return BuildHandle(namespace=namespace, name=plan.name, uid=created["metadata"]["uid"])

    async def _remove_previous(self, namespace: str, name: str, run: str) -> None:
        """Removes the Argo Workflow of an earlier build of the same commit that did not succeed."""
        found = await self._find(name, namespace)
        if found is None or found["metadata"].get("labels", {}).get(_RUN) == run:
            return
        await self._cluster.delete(
            ARGO_WORKFLOWS, name, namespace, "Foreground", found["metadata"]["uid"]
        )
        watch = self._watches.of(ARGO_WORKFLOWS, labels=names.COMPONENT)
        async with changes([watch], _named(name)) as seen:
            while await self._find(name, namespace) is not None:
                activity.heartbeat("waiting for the previous build to go")
                await seen.wait(timedelta(seconds=5))

    @activity.defn
    async def follow_build(self, request: BuildFollow) -> BuildOutcome:
        """Waits for the end of a build and archives its log while it appears.

        Idempotent: a reading; a later attempt archives the log again from its start. Cancel: at
        once, the build is stopped by ``stop_build``. Heartbeat: the message of Argo.

        Raises:
            BuildFailed: The user's build or test did not pass; ``facts`` has the log's end.
            Errored: The build could not be carried out.
        """
        handle = request.handle
        log = BuildLog(
            self._cluster,
            self._watches,
            self._objects,
            namespace=handle.namespace,
            key=request.plan.log,
        )
        async with heartbeating(lambda: log.said), log:
            verdict = await self._ended(handle, log)
            await log.complete()
        return await self._outcome(request, verdict, log)

    async def _ended(self, handle: BuildHandle, log: BuildLog) -> BuildVerdict:
        """Waits for the end of the Argo Workflow; its pod's log is copied meanwhile."""
        watch = self._watches.of(ARGO_WORKFLOWS, labels=names.COMPONENT)
        async with changes([watch], _named(handle.name)) as seen:
            while True:
                live = watch.store.get((handle.namespace, handle.name))
                live = live or await self._find(handle.name, handle.namespace)
                if live is None:
                    raise Errored(f"Argo Workflow {handle.name} was deleted while it ran")
                verdict = judge_build(live)
                log.pod_is(verdict.pod)
                if verdict.phase.is_terminal:
                    return verdict
                await seen.wait(timedelta(minutes=1))

    async def _find(self, name: str, namespace: str) -> dict[str, Any] | None:
        return await self._cluster.find(ARGO_WORKFLOWS, name, namespace)

    async def _outcome(
        self, request: BuildFollow, verdict: BuildVerdict, log: BuildLog
    ) -> BuildOutcome:
        if verdict.phase is Phase.SUCCEEDED:
            return await self._succeeded(request.plan, verdict, log)
        tail = log.tail or await log_tail(
            self._cluster, request.handle.namespace, verdict.pod, MAIN_CONTAINER
        )
        reason = verdict.stage or verdict.phase.value
        facts = {"log": tail, "log_key": request.plan.log, "reason": reason}
        if verdict.phase is Phase.FAILED:
            raise BuildFailed(verdict.message, facts=facts)
        raise Errored(verdict.message, facts=facts)

    async def _succeeded(
        self, plan: BuildPlan, verdict: BuildVerdict, log: BuildLog
    ) -> BuildOutcome:
        report = verdict.report
        outcome = BuildOutcome(
            digest=report.digest,
            image=f"{plan.image}@{report.digest}",
            base_images=report.base_images,
            authors=report.authors,
            test_report=log.test_report,
            stages=report.stages,
            log=plan.log,
            cache_hit=report.cache_hit,
            template_digest=SCRIPT_DIGEST,
            sbom=f"{plan.image}@{report.sbom}" if report.sbom else "",
            scan=report.scan,
        )
        if not self._registry.serves(outcome.image):
            return outcome
        statement = provenance(plan, outcome, started=verdict.started, finished=verdict.finished)
        name = await self._registry.attach(outcome.image, "provenance", PROVENANCE_TYPE, statement)
        return outcome.model_copy(update={"provenance": name})

    @activity.defn
    async def stop_build(self, plan: BuildPlan) -> None:
        """Ends a build that still runs and waits until its pods are gone.

        Idempotent: a build that has ended by itself or is not there is left alone; one that an
        earlier try has stopped still loses its pod.
        """
        namespace = ids.build_namespace(plan.organization)
        found = await self._find(plan.name, namespace)
        if found is None:
            return
        if not found["spec"].get("shutdown"):
            if judge_build(found).phase.is_terminal:
                return
            await self._cluster.patch(
                ARGO_WORKFLOWS, plan.name, namespace, {"spec": {"shutdown": "Terminate"}}
            )
        watch = self._watches.of(ARGO_WORKFLOWS, labels=names.COMPONENT)
        async with changes([watch], _named(plan.name)) as seen:
            while True:
                live = await self._find(plan.name, namespace)
                if live is None or judge_build(live).phase.is_terminal:
                    break
                activity.heartbeat("waiting for Argo to stop the build")
                await seen.wait(timedelta(seconds=5))
        await self._cluster.delete(PODS, judge_build(found).pod or plan.name, namespace)


def _named(name: str) -> Predicate:
    return lambda obj: bool(obj["metadata"]["name"] == name)
