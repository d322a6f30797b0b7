"""Tries from real pods what the network policies of a release let through (docs/decisions/0036)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from temporalio import activity

from activities.common.heartbeats import heartbeating
from activities.common.kinds import CILIUM_POLICIES, DEPLOYMENTS, JOBS, NETWORK_POLICIES, PODS
from activities.common.namespaces import check_owner
from activities.common.observation import changes
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from domain import ids
from domain.deliveries.probes import ProbedWay, ProbeOutcome, Prober, ProbeRun
from domain.errors import Conflict
from domain.policies.objects import first_condition
from domain.rendering.network.neighbours import neighbour_of
from domain.rendering.network.probing import DEADLINE_SECONDS, PROBE, probe_job

_SLACK_SECONDS = 30.0
"""The Jobs end themselves at their deadline; that is to be seen, not overtaken."""
Ways = tuple[ProbedWay, ...]


class ProbeActivities:
    """Connections that are tried on a data plane."""

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        self._cluster = cluster
        self._watches = watches

    @activity.defn
    async def probe_ways(self, run: ProbeRun) -> ProbeOutcome:
        """Tries each way from a pod and tells which is not as declared.

        Idempotent: the Jobs are named by the attempt's step; those that are there are adopted. At
        its end, also by a cancel, the Jobs are deleted. Heartbeat: what is waited for.

        Raises:
            Denied: The namespace belongs to another organization.
        """
        await check_owner(self._cluster, run.namespace, run.organization)
        ways, skipped = await self._tried(run)
        jobs = {
            _job_name(run, prober): tuple(one for one in ways if one.prober is prober)
            for prober in Prober
            if any(one.prober is prober for one in ways)
        }
        try:
            async with heartbeating(lambda: f"probes of {run.component}"):
                for name, own in jobs.items():
                    await self._begin(run, name, own)
                async with asyncio.timeout(DEADLINE_SECONDS + _SLACK_SECONDS):
                    ended = await self._ended(run.namespace, jobs)
                wrong = [
                    told for name in jobs for told in await self._told(run, ended[name], jobs[name])
                ]
        except TimeoutError:
            return ProbeOutcome(wrong=("the probes did not end",), skipped=skipped)
        finally:
            await asyncio.shield(self._delete(run, jobs))
        return ProbeOutcome(wrong=tuple(wrong), skipped=skipped, tried=len(ways))

    async def _tried(self, run: ProbeRun) -> tuple[Ways, tuple[str, ...]]:
        """Leaves out what cannot pass because nobody answers there."""
        ways: list[ProbedWay] = []
        skipped: list[str] = []
        for one in run.ways:
            live = (
                await self._cluster.find(DEPLOYMENTS, one.needs, one.needs_namespace)
                if (one.needs)
                else None
            )
            if one.needs and not ((live or {}).get("status") or {}).get("availableReplicas"):
                skipped.append(f"{one.said}: not tried, {one.needs} has no ready pods")
            else:
                ways.append(one)
        return tuple(ways), tuple(skipped)

    async def _begin(self, run: ProbeRun, name: str, ways: Ways) -> None:
        """Starts a Job once the policy of its pod is there; the policy goes with the Job."""
        prober = ways[0].prober
        own = {PROBE: name}
        neighbour = neighbour_of(run.policy, name, own)
        labels: Mapping[str, str] = {
            Prober.COMPONENT: run.labels,
            Prober.CALLER: neighbour.labels,
            Prober.STRANGER: {},
        }[prober]
        try:
            job = await self._cluster.create(probe_job(run, name, labels, ways))
        except Conflict:
            job = await self._cluster.get(JOBS, name, run.namespace)
        if prober is not Prober.COMPONENT:
            owner = {"apiVersion": "batch/v1", "kind": "Job", "name": name}
            owned = {"ownerReferences": [{**owner, "uid": job["metadata"]["uid"]}]}
            policy = neighbour.policy
            await self._cluster.apply({**policy, "metadata": {**policy["metadata"], **owned}})
        await self._cluster.patch(JOBS, name, run.namespace, {"spec": {"suspend": False}})

    async def _ended(self, namespace: str, jobs: Mapping[str, Ways]) -> dict[str, dict[str, Any]]:
        """Waits until each Job has said how it ended; fed by a shared watch."""

        def is_ours(obj: dict[str, Any]) -> bool:
            meta = obj["metadata"]
            return meta.get("namespace") == namespace and meta["name"] in jobs

        async with changes([self._watches.of(JOBS, labels=PROBE)], is_ours) as seen:
            while True:
                ended = {
                    job["metadata"]["name"]: job for job in seen.objects(JOBS) if _has_ended(job)
                }
                if len(ended) == len(jobs):
                    return ended
                await seen.wait(None)

    async def _told(self, run: ProbeRun, job: dict[str, Any], ways: Ways) -> list[str]:
        """Returns what is not as declared, in words."""
        name = job["metadata"]["name"]
        pods = await self._cluster.list(PODS, run.namespace, f"job-name={name}")
        words = next((found for pod in pods.items if (found := _words(pod))), [])
        if len(words) != len(ways):
            why = first_condition(job["status"].get("conditions"), "Failed").get("message", "")
            return [f"the pod that tries as {ways[0].prober} told nothing: {why or 'it failed'}"]
        return [
            f"{one.said}: it is {word}"
            for one, word in zip(ways, words, strict=True)
            if word != ("open" if one.passes else "shut")
        ]

    async def _delete(self, run: ProbeRun, jobs: Mapping[str, Ways]) -> None:
        """Deletes what was made; the garbage collector would delete the policies later."""
        policies = (
            CILIUM_POLICIES if run.policy["kind"] == CILIUM_POLICIES.kind else NETWORK_POLICIES
        )
        for name, ways in jobs.items():
            await self._cluster.delete(JOBS, name, run.namespace)
            if ways[0].prober is not Prober.COMPONENT:
                await self._cluster.delete(policies, name, run.namespace)


def _job_name(run: ProbeRun, prober: Prober) -> str:
    """Equal for all tries of one step, different for each deployment."""
    info = activity.info()
    step = [info.workflow_run_id, info.activity_id, prober]
    return ids.content_name(f"probe-{run.component}", step)


def _has_ended(job: dict[str, Any]) -> bool:
    conditions = (job.get("status") or {}).get("conditions")
    return any(
        first_condition(conditions, one).get("status") == "True" for one in ("Complete", "Failed")
    )


def _words(pod: dict[str, Any]) -> list[str]:
    """Reads what a pod wrote at its end; nothing when it wrote none."""
    for one in (pod.get("status") or {}).get("containerStatuses") or ():
        message = (one.get("state", {}).get("terminated") or {}).get("message", "")
        if message.startswith("["):
            return [str(word) for word in json.loads(message)]
    return []
