"""Runs the tests of a gate in an environment, as a Job or by Argo, and reports what they said."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.common.clocks import Clock
from activities.common.heartbeats import heartbeating
from activities.common.kinds import (
    ARGO_WORKFLOWS,
    CILIUM_POLICIES,
    CRON_JOBS,
    DEPLOYMENTS,
    ENDPOINT_SLICES,
    JOBS,
    NETWORK_POLICIES,
    PODS,
    SERVICES,
)
from activities.common.log_tails import log_tail
from activities.common.namespaces import check_owner
from activities.common.observation import changes
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.kinds import Kind
from clients.kubernetes.shared import SharedWatches
from domain.deliveries.promotion_effects import GateTestRun
from domain.deliveries.promotions import GateOutcome
from domain.errors import Conflict, NotFound
from domain.policies.deadlines import time_left
from domain.policies.promotion.gate_runs import (
    GateRunVerdict,
    judge_gate_job,
    judge_gate_workflow,
)
from domain.rendering.configuration.pulling import pull_secrets_of
from domain.rendering.gates.jobs import GATE, gate_job, gate_labels
from domain.rendering.gates.workflows import gate_identity, gate_workflow, owned_by
from domain.rendering.network.neighbours import (
    Neighbour,
    closed_neighbour,
    neighbour_of,
    reaching_api_server,
)

_SLACK = timedelta(seconds=30)
"""What runs ends itself at its deadline; that is to be seen, not overtaken."""
_POD_OF = {
    JOBS.kind: ("job-name", "tests"),
    ARGO_WORKFLOWS.kind: ("workflows.argoproj.io/workflow", "main"),
}
"""By which label the pods of a run are found, and whose log is told."""
_ARGOS_OWN = " argo=true"
"""Ends lines that Argo itself writes into the log of a container it runs."""
_REPORTS = 5
"""Of how many pods of an Argo Workflow the log is told."""


class GateTestActivities:
    """Effects of gates on a plane."""

    def __init__(self, cluster: Cluster, watches: SharedWatches) -> None:
        self._cluster = cluster
        self._watches = watches

    @activity.defn
    async def run_gate_tests(self, run: GateTestRun) -> GateOutcome:
        """Runs a command as a Job, or a template as an Argo Workflow, and waits for its end.

        Idempotent: it is named by what it tests; one that is there is adopted. Cancel: it is
        deleted, with its pods. Heartbeat: none of value. Tests that never ended, or that could not
        be carried out, are no verdict: unknown.

        Raises:
            Denied: The namespace belongs to another organization.
        """
        await check_owner(self._cluster, run.namespace, run.organization)
        kind = ARGO_WORKFLOWS if run.template else JOBS
        try:
            await self._begin(run, kind)
        except NotFound as missing:
            reason = f"the tests could not begin in {run.environment}: {missing.message}"
            return GateOutcome(name=run.gate, passed=None, reason=reason)
        limit = timedelta(seconds=run.timeout_seconds) + _SLACK
        left = time_left(limit, activity.info().scheduled_time, Clock().now())
        async with heartbeating(lambda: run.name):
            try:
                async with asyncio.timeout(left.total_seconds()):
                    verdict = await self._ended(run, kind)
            except TimeoutError:
                await self._delete(run, kind)
                verdict = GateRunVerdict(passed=None, reason=_too_long(run))
                return GateOutcome(name=run.gate, passed=None, reason=verdict.reason)
            except asyncio.CancelledError:
                await asyncio.shield(self._delete(run, kind))
                raise
            report = verdict.report or await self._report(run, kind)
            return GateOutcome(
                name=run.gate, passed=verdict.passed, reason=verdict.reason, report=report
            )

    async def _begin(self, run: GateTestRun, kind: Kind) -> None:
        """Starts it and lets it call what it tests; the policy goes with it.

        It is suspended until its policy is there: its first call would be refused.
        """
        neighbour, pulls = await self._neighbour(run), await self._pulls(run)
        if kind is ARGO_WORKFLOWS:
            neighbour = await self._beside_sidecar(run, neighbour)
            wanted = gate_workflow(run, neighbour, pulls)
        else:
            wanted = gate_job(run, neighbour, pulls)
        try:
            made = await self._cluster.create(wanted)
        except Conflict:
            activity.logger.debug("%s %s is there already", kind.kind, run.name)
            made = await self._cluster.get(kind, run.name, run.namespace)
        if neighbour is None:
            return
        owner, uid = {"apiVersion": kind.api_version, "kind": kind.kind}, made["metadata"]["uid"]
        await self._cluster.apply(owned_by(owner, run.name, uid, neighbour.policy))
        if kind is ARGO_WORKFLOWS:
            for one in gate_identity(run, uid):
                await self._cluster.apply(one)
        begins = {"spec": {"suspend": False}}
        await self._cluster.patch(kind, run.name, run.namespace, begins)

    async def _neighbour(self, run: GateTestRun) -> Neighbour | None:
        """Reads the policy that the component has where it is tested, of whatever kind."""
        if not run.component:
            return None
        for kind in (NETWORK_POLICIES, CILIUM_POLICIES):
            found = await self._cluster.find(kind, run.component, run.namespace)
            if found is not None:
                policy = {**found, "apiVersion": kind.api_version, "kind": kind.kind}
                return neighbour_of(policy, run.name, gate_labels(run))
        return None

    async def _pulls(self, run: GateTestRun) -> tuple[str, ...]:
        """Reads with which pull secrets the component runs where it is tested."""
        for kind in (DEPLOYMENTS, CRON_JOBS) if run.component else ():
            found = await self._cluster.find(kind, run.component, run.namespace)
            if found is not None:
                return pull_secrets_of(found)
        return ()

    async def _beside_sidecar(self, run: GateTestRun, neighbour: Neighbour | None) -> Neighbour:
        """Lets the pods call the API server: Argo's sidecar tells there how the tests went."""
        known = neighbour or closed_neighbour(run.name, run.namespace, gate_labels(run))
        service = await self._cluster.get(SERVICES, "kubernetes", "default")
        slices = await self._cluster.find(ENDPOINT_SLICES, "kubernetes", "default")
        return reaching_api_server(known, service, slices)

    async def _ended(self, run: GateTestRun, kind: Kind) -> GateRunVerdict:
        """Waits for its own word; fed by a shared watch."""
        judge = judge_gate_workflow if kind is ARGO_WORKFLOWS else judge_gate_job

        def is_ours(obj: dict[str, Any]) -> bool:
            meta = obj["metadata"]
            return (meta.get("namespace"), meta["name"]) == (run.namespace, run.name)

        async with changes([self._watches.of(kind, labels=GATE)], is_ours) as seen:
            while True:
                for one in seen.objects(kind):
                    verdict = judge(one, run.environment, _too_long(run))
                    if verdict is not None:
                        return verdict
                await seen.wait(timedelta(minutes=1))

    async def _report(self, run: GateTestRun, kind: Kind) -> str:
        """Returns what was said last: of the pod of a Job, of the last pods of an Argo Workflow."""
        label, container = _POD_OF[kind.kind]
        pods = await self._cluster.list(PODS, run.namespace, f"{label}={run.name}")
        told = sorted(pods.items, key=lambda one: str(one["metadata"]["creationTimestamp"]))
        last = told[-_REPORTS:] if kind is ARGO_WORKFLOWS else told[-1:]
        tails = [
            await log_tail(self._cluster, run.namespace, pod["metadata"]["name"], container)
            for pod in last
        ]
        lines = (line for tail in tails for line in tail.splitlines())
        return "\n".join(line for line in lines if _ARGOS_OWN not in line)

    async def _delete(self, run: GateTestRun, kind: Kind) -> None:
        await self._cluster.delete(kind, run.name, run.namespace)


def _too_long(run: GateTestRun) -> str:
    return f"the tests did not end within {run.timeout_seconds} s"
