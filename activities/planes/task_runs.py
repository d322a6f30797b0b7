"""Runs a scheduled task once: its Job is made of the CronJob of the release that runs."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.common.clocks import Clock
from activities.common.heartbeats import heartbeating
from activities.common.kinds import CRON_JOBS, JOBS, PODS
from activities.common.log_tails import log_tail
from activities.common.namespaces import check_owner
from activities.common.observation import changes
from activities.common.reading import find
from activities.guards.stops import heed
from activities.records.histories import asked_run
from activities.releases.bindings import find_binding
from activities.releases.bundles import objects_of
from activities.releases.facts import plane_of
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.objects import ObjectStore
from clients.records import Records
from domain import ids
from domain.deliveries import Bundle, PreparedRun, TaskRun, TaskRunRequest
from domain.errors import Conflict, InvalidRequest, RunFailed
from domain.policies.deadlines import time_left
from domain.policies.health import judge_job
from domain.policies.verdicts import RolloutState, Verdict
from domain.records import FactBatch
from domain.records.stops import Place
from domain.rendering import labels as names
from domain.resources import Release

_LONGEST_SECONDS = 24 * 3600
_SLACK = timedelta(minutes=2)


class TaskPlanActivities:
    """What is known of a task on the control plane."""

    def __init__(self, cluster: Cluster, objects: ObjectStore, history: Records) -> None:
        self._cluster = cluster
        self._objects = objects
        self._history = history

    @activity.defn
    async def prepare_task_run(self, request: TaskRunRequest) -> PreparedRun:
        """Makes the Job of the release that runs; its name is that of the request.

        Idempotent: a reading; that the run is asked for is written down once.

        Raises:
            Stopped: An emergency stop holds there.
            InvalidRequest: No scheduled task is deployed there.
        """
        stops = Place(organization=request.organization, environment=request.environment)
        heed(await self._history.append(FactBatch(facts=(asked_run(request),), place=stops)))
        where, place = request.organization, f"{request.component} in {request.environment}"
        binding = await find_binding(self._cluster, where, request.component, request.environment)
        name = binding.status.release_ref if binding else ""
        release = await find(self._cluster, Release, name, where)
        if binding is None or release is None:
            raise InvalidRequest(f"{place}: nothing is deployed, so nothing can run: deploy it")
        bundle = Bundle(
            release=release.name,
            namespace=release.spec.namespace,
            objects=release.spec.objects,
            stored=release.stored,
        )
        for each in await objects_of(bundle, self._objects):
            if each["kind"] == "CronJob":
                return await self._prepared(request, binding, release, each)
        raise InvalidRequest(f"{place} is no scheduled task: it has nothing to run once")

    async def _prepared(
        self, request: TaskRunRequest, binding: Any, release: Release, cron_job: dict[str, Any]
    ) -> PreparedRun:
        plane = await plane_of(self._cluster, binding)
        template = cron_job["spec"]["jobTemplate"]
        job = {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": {
                "name": ids.fitted(f"{request.component}-run-{request.key}"),
                "namespace": release.spec.namespace,
                "labels": template["metadata"]["labels"],
                "annotations": {"cronjob.kubernetes.io/instantiate": "manual"},
            },
            "spec": template["spec"],
        }
        return PreparedRun(
            organization=request.organization,
            component=request.component,
            environment=request.environment,
            namespace=release.spec.namespace,
            task_queue=plane.task_queue,
            release=release.name,
            cron_job=cron_job["metadata"]["name"],
            job=job,
            deadline_seconds=template["spec"].get("activeDeadlineSeconds", _LONGEST_SECONDS),
        )


class TaskRunActivities:
    """Runs on a data plane."""

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        self._cluster = cluster
        self._watches = watches

    @activity.defn
    async def start_task_run(self, run: PreparedRun) -> None:
        """Creates the Job, owned by the CronJob, which cleans up old runs.

        Idempotent: named by the request, one that is there is adopted. Cancel: the caller stops it.

        Raises:
            Denied: The namespace belongs to another organization.
        """
        await check_owner(self._cluster, run.namespace, run.organization)
        owner = await self._cluster.find(CRON_JOBS, run.cron_job, run.namespace)
        job = {**run.job, "metadata": dict(run.job["metadata"])}
        if owner is not None:
            job["metadata"]["ownerReferences"] = [_owned_by(owner)]
        try:
            await self._cluster.create(job)
        except Conflict:
            activity.logger.info("Job %s is there already", job["metadata"]["name"])

    @activity.defn
    async def follow_task_run(self, run: PreparedRun) -> TaskRun:
        """Waits until the Job is complete, by the events of the plane.

        Idempotent: a reading. Cancel: at once. Heartbeat: how the run is.

        Raises:
            RunFailed: It failed; ``facts`` has the container's last lines.
        """
        name = run.job["metadata"]["name"]
        deadline = timedelta(seconds=run.deadline_seconds) + _SLACK
        clock = Clock()
        left = time_left(deadline, activity.info().scheduled_time, clock.now())
        verdict = Verdict(state=RolloutState.PROGRESSING, reason="Pending", message="starting")
        async with heartbeating(lambda: verdict.message):
            try:
                async with asyncio.timeout(left.total_seconds()):
                    async for verdict in self._verdicts(run, name, clock):  # noqa: B007 - the last counts
                        pass
            except TimeoutError:
                raise RunFailed(
                    f"{name} did not end within {run.deadline_seconds} s: {verdict.message}",
                    facts={"reason": "DeadlineExceeded"},
                ) from None
            if verdict.state is RolloutState.FAILED:
                raise await self._failure(run, verdict)
        return TaskRun(
            organization=run.organization,
            component=run.component,
            environment=run.environment,
            job=name,
            message=verdict.message,
        )

    async def _verdicts(self, run: PreparedRun, name: str, clock: Clock) -> Any:
        watches = [self._watches.of(kind, labels=names.COMPONENT) for kind in (JOBS, PODS)]

        def is_ours(obj: dict[str, Any]) -> bool:
            meta = obj["metadata"]
            labels = meta.get("labels") or {}
            return (meta.get("namespace"), labels.get(names.COMPONENT)) == (
                run.namespace,
                run.component,
            )

        async with changes(watches, is_ours) as seen:
            job = await self._cluster.get(JOBS, name, run.namespace)
            while True:
                known = [one for one in seen.objects(JOBS) if one["metadata"]["name"] == name]
                job = known[0] if known else job
                verdict = judge_job(job, seen.objects(PODS), clock.now())
                yield verdict
                if verdict.state is not RolloutState.PROGRESSING:
                    return
                await seen.wait(verdict.recheck or timedelta(minutes=1))

    async def _failure(self, run: PreparedRun, verdict: Verdict) -> RunFailed:
        facts = {"reason": verdict.reason}
        if verdict.pod and verdict.container:
            facts["log"] = await log_tail(
                self._cluster, run.namespace, verdict.pod, verdict.container, verdict.previous
            )
        return RunFailed(verdict.message, facts=facts)

    @activity.defn
    async def stop_task_run(self, run: PreparedRun) -> None:
        """Deletes the Job and its pods. Idempotent: one that is gone is no error."""
        await self._cluster.delete(JOBS, run.job["metadata"]["name"], run.namespace)


def _owned_by(cron_job: dict[str, Any]) -> dict[str, Any]:
    """Returns who owns a run: as with those of the timetable, the last ones are kept.

    Where none are kept its controller would delete a run before anybody saw how it ended.
    """
    kept = ("successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "name": cron_job["metadata"]["name"],
        "uid": cron_job["metadata"]["uid"],
        "controller": all(cron_job["spec"].get(limit, 1) for limit in kept),
    }
