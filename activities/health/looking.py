"""Looks at what runs on a plane, from the shared watches: no request to the API server each."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import Any

from temporalio import activity

from activities.common.askers import Askers
from activities.common.clocks import Clock
from activities.common.heartbeats import heartbeating
from activities.common.kinds import CRON_JOBS, DEPLOYMENTS, JOBS, PODS, REPLICA_SETS
from clients.kubernetes.kinds import Kind
from clients.kubernetes.shared import SharedWatches
from clients.web import Asker, Probes, Prometheus
from domain.deliveries.observing import AskedAs
from domain.deliveries.sweeps import Observation, PlaneSeen, PlaneSweep, SweptCheck, SweptMetric
from domain.errors import DependencyUnavailable, PlatformError
from domain.policies.health import judge_cron_job
from domain.policies.rollout import judge_deployment
from domain.policies.sweeps import check_subject, component_subject, metric_subject
from domain.policies.verdicts import RolloutState, Verdict, combined
from domain.rendering import labels as names

_SYNC_SECONDS = 20
_MESSAGE = 500
_KINDS = (DEPLOYMENTS, REPLICA_SETS, PODS, CRON_JOBS, JOBS)


class HealthActivities:
    """Readings of one plane."""

    def __init__(
        self,
        watches: SharedWatches,
        probes: Probes | None = None,
        prometheus: Prometheus | None = None,
        askers: Askers | None = None,
    ) -> None:
        self._watches = watches
        self._probes = probes or Probes()
        self._prometheus = prometheus or Prometheus()
        self._askers = askers or Askers()

    @activity.defn
    async def look_at_plane(self, sweep: PlaneSweep) -> PlaneSeen:
        """Returns how the components of an environment are, and how checks were answered.

        Idempotent: a reading. Cancel: at once. Heartbeat: the environment. A component of which
        there is neither a Deployment nor a CronJob is not in the answer.

        Raises:
            DependencyUnavailable: The API server of the plane does not answer.
        """
        async with heartbeating(lambda: sweep.environment):
            objects, checks, metrics = await asyncio.gather(
                self._objects(),
                asyncio.gather(*(self._ask(one) for one in sweep.checks)),
                self._measured(sweep),
            )
            clock = Clock()
            seen = [
                Observation(
                    subject=component_subject(component),
                    healthy=verdict.state is RolloutState.READY,
                    reason=verdict.reason,
                    message=verdict.message[:_MESSAGE],
                )
                for component in sweep.components
                if (verdict := _verdict(objects, sweep, component, clock)) is not None
            ]
            asked = (one for one in checks if one is not None)
            return PlaneSeen(observations=(*seen, *asked, *metrics))

    async def _objects(self) -> dict[Kind, list[dict[str, Any]]]:
        watches = [self._watches.of(kind, labels=names.COMPONENT) for kind in _KINDS]
        async with AsyncExitStack() as stack:
            for watch in watches:
                await stack.enter_async_context(watch.subscribe(lambda _: False))
            try:
                async with asyncio.timeout(_SYNC_SECONDS):
                    await asyncio.gather(*(watch.synced() for watch in watches))
            except TimeoutError:
                raise DependencyUnavailable(
                    f"the API server of the plane did not list what runs within {_SYNC_SECONDS} s"
                ) from None
            return {watch.kind: list(watch.store.values()) for watch in watches}

    async def _ask(self, check: SweptCheck) -> Observation | None:
        if not check.url:
            return None
        answer = await self._probes.ask(
            check.url, statuses=check.statuses, timeout_seconds=check.timeout_seconds
        )
        return Observation(
            subject=check_subject(check.name),
            healthy=answer.passed,
            reason=answer.reason,
            message=answer.message[:_MESSAGE],
        )

    async def _measured(self, sweep: PlaneSweep) -> list[Observation]:
        known = {one.asked_as for one in sweep.metrics}
        found = await asyncio.gather(*(self._asker(sweep.organization, one) for one in known))
        askers = dict(zip(known, found, strict=True))
        measures = (self._measure(one, askers[one.asked_as]) for one in sweep.metrics)
        return await asyncio.gather(*measures)

    async def _asker(self, organization: str, asked_as: AskedAs | None) -> Asker | PlatformError:
        try:
            return await self._askers.of(organization, asked_as)
        except PlatformError as error:
            return error

    async def _measure(self, metric: SweptMetric, who: Asker | PlatformError) -> Observation:
        """What cannot be asked is unwell: a check that says nothing would hide what is wrong."""
        healthy, reason = False, "NoPrometheus"
        message = "the DataPlane names no ObservabilityPlane that has a Prometheus"
        if metric.url and isinstance(who, PlatformError):
            reason, message = "NoAnswer", who.message
        elif metric.url and isinstance(who, Asker):
            try:
                found = await self._prometheus.query(
                    metric.url, metric.query, who=who, timeout_seconds=metric.timeout_seconds
                )
            except PlatformError as error:
                reason, message = "NoAnswer", error.message
            else:
                healthy = not found
                reason, message = ("Firing", "; ".join(found)) if found else ("Quiet", "")
        return Observation(
            subject=metric_subject(metric.name),
            healthy=healthy,
            reason=reason,
            message=message[:_MESSAGE],
        )


def _verdict(
    objects: dict[Kind, list[dict[str, Any]]], sweep: PlaneSweep, component: str, clock: Clock
) -> Verdict | None:
    """Returns how a component is; None = nothing of it is here that can be looked at."""
    wanted = {
        names.ORGANIZATION: sweep.organization,
        names.ENVIRONMENT: sweep.environment,
        names.COMPONENT: component,
    }
    deployments = [one for one in objects[DEPLOYMENTS] if _has(one, wanted)]
    cron_jobs = [one for one in objects[CRON_JOBS] if _has(one, wanted)]
    if not deployments and not cron_jobs:
        return None
    replica_sets = [one for one in objects[REPLICA_SETS] if _has(one, {names.COMPONENT: component})]
    pods = [one for one in objects[PODS] if _has(one, {names.COMPONENT: component})]
    now = clock.now()
    judged = [judge_deployment(one, replica_sets, pods, (), now=now) for one in deployments]
    judged += [judge_cron_job(one, objects[JOBS]) for one in cron_jobs]
    return combined(judged)


def _has(obj: dict[str, Any], wanted: dict[str, str]) -> bool:
    own = obj["metadata"].get("labels") or {}
    return all(own.get(key) == value for key, value in wanted.items())
