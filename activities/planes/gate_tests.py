"""Runs the tests of a gate as a Job in an environment, and reports what they said."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.common.clocks import Clock
from activities.common.heartbeats import heartbeating
from activities.common.kinds import CILIUM_POLICIES, JOBS, NETWORK_POLICIES, PODS
from activities.common.log_tails import log_tail
from activities.common.namespaces import check_owner
from activities.common.observation import changes
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from domain.deliveries.promotion_effects import GateTestRun
from domain.deliveries.promotions import GateOutcome
from domain.errors import Conflict
from domain.policies.deadlines import time_left
from domain.policies.objects import first_condition
from domain.rendering import labels as names
from domain.rendering.network.neighbours import Neighbour, neighbour_of

GATE = "choreo.dev/gate"
_RUN = "choreo.dev/gate-run"
_KEPT_SECONDS = 3600
_NOBODY = 10001
"""As which user tests run: many images name none, or one by its name."""
_SLACK = timedelta(seconds=30)
"""The Job ends itself at its deadline; that is to be seen, not overtaken."""


class GateTestActivities:
    """Effects of gates on a plane."""

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        self._cluster = cluster
        self._watches = watches

    @activity.defn
    async def run_gate_tests(self, run: GateTestRun) -> GateOutcome:
        """Runs a command as a Job and waits for its end.

        Idempotent: the Job is named by what it tests; one that is there is adopted. Cancel: the
        Job is deleted. Heartbeat: none of value. Tests that never ended are no verdict: unknown.

        Raises:
            Denied: The namespace belongs to another organization.
        """
        await check_owner(self._cluster, run.namespace, run.organization)
        await self._begin(run)
        limit = timedelta(seconds=run.timeout_seconds) + _SLACK
        left = time_left(limit, activity.info().scheduled_time, Clock().now())
        async with heartbeating(lambda: run.name):
            try:
                async with asyncio.timeout(left.total_seconds()):
                    job = await self._ended(run)
            except TimeoutError:
                await self._delete(run)
                reason = f"the tests did not end within {run.timeout_seconds} s"
                return GateOutcome(name=run.gate, passed=None, reason=reason)
            except asyncio.CancelledError:
                await asyncio.shield(self._delete(run))
                raise
            return await self._outcome(run, job)

    async def _begin(self, run: GateTestRun) -> None:
        """Starts the Job and lets it call what it tests; the policy goes with the Job.

        The Job is suspended until its policy is there: its first call would be refused.
        """
        tested = await self._policy(run)
        neighbour = None if tested is None else neighbour_of(tested, run.name, _labels(run))
        try:
            job = await self._cluster.create(_job(run, neighbour))
        except Conflict:
            activity.logger.debug("Job %s is there already", run.name)
            job = await self._cluster.get(JOBS, run.name, run.namespace)
        if neighbour is None:
            return
        owner = {"apiVersion": "batch/v1", "kind": "Job", "name": run.name}
        policy = neighbour.policy
        owned = {"ownerReferences": [{**owner, "uid": job["metadata"]["uid"]}]}
        await self._cluster.apply({**policy, "metadata": {**policy["metadata"], **owned}})
        begins = {"spec": {"suspend": False}}
        await self._cluster.patch(JOBS, run.name, run.namespace, begins)

    async def _policy(self, run: GateTestRun) -> dict[str, Any] | None:
        """Reads the policy that the component has where it is tested, of whatever kind."""
        if not run.component:
            return None
        for kind in (NETWORK_POLICIES, CILIUM_POLICIES):
            found = await self._cluster.find(kind, run.component, run.namespace)
            if found is not None:
                return {**found, "apiVersion": kind.api_version, "kind": kind.kind}
        return None

    async def _ended(self, run: GateTestRun) -> dict[str, Any]:
        """Waits for the Job's own word; fed by a shared watch."""

        def is_ours(obj: dict[str, Any]) -> bool:
            meta = obj["metadata"]
            return (meta.get("namespace"), meta["name"]) == (run.namespace, run.name)

        async with changes([self._watches.of(JOBS, labels=GATE)], is_ours) as seen:
            while True:
                for job in seen.objects(JOBS):
                    if _verdict(job) is not None:
                        return job
                await seen.wait(timedelta(minutes=1))

    async def _outcome(self, run: GateTestRun, job: dict[str, Any]) -> GateOutcome:
        report = await self._report(run)
        reason = first_condition(job["status"].get("conditions"), "Failed").get("reason", "")
        if reason == "DeadlineExceeded":
            told = f"the tests did not end within {run.timeout_seconds} s"
            return GateOutcome(name=run.gate, passed=None, reason=told, report=report)
        passed = _verdict(job) is True
        told = f"the tests {'passed' if passed else 'failed'} in {run.environment}"
        return GateOutcome(name=run.gate, passed=passed, reason=told, report=report)

    async def _report(self, run: GateTestRun) -> str:
        pods = await self._cluster.list(PODS, run.namespace, f"job-name={run.name}")
        if not pods.items:
            return ""
        pod = max(pods.items, key=lambda one: one["metadata"]["creationTimestamp"])
        return await log_tail(self._cluster, run.namespace, pod["metadata"]["name"], "tests")

    async def _delete(self, run: GateTestRun) -> None:
        await self._cluster.delete(JOBS, run.name, run.namespace)


def _verdict(job: dict[str, Any]) -> bool | None:
    conditions = job.get("status", {}).get("conditions")
    if first_condition(conditions, "Complete").get("status") == "True":
        return True
    if first_condition(conditions, "Failed").get("status") == "True":
        return False
    return None


def _labels(run: GateTestRun) -> dict[str, str]:
    """The labels of the Job and its policy, which tell its pods from those of other runs."""
    return {
        names.ORGANIZATION: run.organization,
        names.PROJECT: run.project,
        names.ENVIRONMENT: run.environment,
        GATE: run.gate,
        _RUN: run.name,
    }


def _job(run: GateTestRun, neighbour: Neighbour | None) -> dict[str, Any]:
    """The Job: one try, nobody's identity, no rights, gone an hour after its end.

    Suspended where it has a neighbour to call, until it may.
    It fits into a namespace that enforces the restricted profile, as those of components do.
    """
    labels = _labels(run)
    container = {
        "name": "tests",
        "image": run.image,
        "command": list(run.command),
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "resources": {
            "requests": {"cpu": "50m", "memory": "64Mi"},
            "limits": {"cpu": "1", "memory": "512Mi"},
        },
    }
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": run.name, "namespace": run.namespace, "labels": labels},
        "spec": {
            "suspend": neighbour is not None,
            "backoffLimit": 0,
            "activeDeadlineSeconds": run.timeout_seconds,
            "ttlSecondsAfterFinished": _KEPT_SECONDS,
            "template": {
                "metadata": {"labels": {**labels, **(neighbour.labels if neighbour else {})}},
                "spec": {
                    "restartPolicy": "Never",
                    "automountServiceAccountToken": False,
                    "securityContext": {
                        "runAsNonRoot": True,
                        "runAsUser": _NOBODY,
                        "runAsGroup": _NOBODY,
                        "seccompProfile": {"type": "RuntimeDefault"},
                    },
                    "containers": [container],
                },
            },
        },
    }
