"""Says what there is to look at in an environment, and writes down what was seen."""

from __future__ import annotations

import asyncio

from temporalio import activity

from activities.common.reading import find, listed
from clients.kubernetes.cluster import Cluster
from domain.deliveries.observing import AskedAs
from domain.deliveries.sweeps import (
    Damping,
    HealthReport,
    SweepPlan,
    SweepRequest,
    SweptCheck,
    SweptComponent,
    SweptMetric,
)
from domain.policies.sweeps import summary
from domain.resources import (
    Binding,
    BindingState,
    DataPlane,
    Environment,
    ObservabilityPlane,
    set_condition,
)
from domain.resources.conditions import ConditionType, Reason
from domain.resources.environment import HealthSchedule, SubjectHealth
from domain.resources.families import BINDINGS

MANAGER = "pavane-health"
_BEING_DEPLOYED = {Reason.DEPLOYING, Reason.PUTTING_BACK}


class SweepActivities:
    """What is declared of an environment, and what is told of it."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @activity.defn
    async def plan_sweep(self, request: SweepRequest) -> SweepPlan:
        """Returns which components and checks an environment has now. Idempotent: a reading."""
        where, name = request.organization, request.environment
        environment = await find(self._cluster, Environment, name, where)
        if environment is None or environment.is_deleted or environment.spec.health is None:
            return SweepPlan(declared=False)
        plane = await find(self._cluster, DataPlane, environment.spec.data_plane_ref, where)
        kinds = await asyncio.gather(*(listed(self._cluster, model, where) for model in BINDINGS))
        bindings = {
            one.component: one
            for found in kinds
            for one in found
            if one.environment == name and _is_to_run(one)
        }
        return SweepPlan(
            task_queue=plane.task_queue if plane else "",
            plane=environment.spec.data_plane_ref,
            components=tuple(
                SweptComponent(component=component, settled=_is_settled(bindings[component]))
                for component in sorted(bindings)
            ),
            checks=_checks(environment.spec.health, bindings),
            metrics=await self._metrics(environment.spec.health, plane),
            damping=Damping(
                unhealthy_after=environment.spec.health.unhealthy_after,
                healthy_after=environment.spec.health.healthy_after,
                flaps_per_hour=environment.spec.health.flaps_per_hour,
            ),
        )

    async def _metrics(
        self, health: HealthSchedule, plane: DataPlane | None
    ) -> tuple[SweptMetric, ...]:
        if not health.metrics or plane is None:
            return ()
        name = plane.spec.observability_plane_ref
        found = await find(self._cluster, ObservabilityPlane, name, plane.organization)
        asked_as = AskedAs.of(found) if found else None
        return tuple(
            SweptMetric(
                name=one.name,
                query=one.query,
                url=found.spec.prometheus_url if found else "",
                asked_as=asked_as,
                timeout_seconds=one.timeout_seconds,
            )
            for one in health.metrics
        )

    @activity.defn
    async def record_health(self, report: HealthReport) -> bool:
        """Writes what is told into the status of the Environment; False = there is none.

        Idempotent: equal content writes nothing new. Cancel: not heeded, it is short.
        """
        name, where = report.environment, report.organization
        environment = await find(self._cluster, Environment, name, where)
        if environment is None or environment.is_deleted:
            return False
        bad = [one.subject for one in report.told if not one.healthy]
        at = report.at.replace(microsecond=0)
        conditions = set_condition(
            environment.status.conditions,
            ConditionType.HEALTHY,
            not bad,
            Reason.UNHEALTHY if bad else Reason.HEALTHY,
            summary(report.told),
            observed_generation=environment.metadata.generation,
            now=at,
        )
        told = next(one for one in conditions if one.type == ConditionType.HEALTHY)
        known = [
            SubjectHealth(
                subject=one.subject,
                healthy=one.healthy,
                unsteady=one.unsteady,
                since=one.since.replace(microsecond=0),
                reason=one.reason,
                message=one.message,
            )
            for one in report.told
            if one.ever_unwell
        ]
        status = {
            "conditions": [told.model_dump(mode="json", by_alias=True)],
            "health": [one.model_dump(mode="json", by_alias=True) for one in known],
        }
        await self._cluster.apply_status(
            environment.status_manifest() | {"status": status}, manager=MANAGER
        )
        return True


def _is_to_run(binding: Binding) -> bool:
    return binding.wanted_state is BindingState.ACTIVE and bool(binding.status.release_ref)


def _is_settled(binding: Binding) -> bool:
    """Tells whether nothing is being brought there now."""
    ready = binding.status.condition(ConditionType.READY)
    return ready is None or ready.reason not in _BEING_DEPLOYED


def _checks(health: HealthSchedule, bindings: dict[str, Binding]) -> tuple[SweptCheck, ...]:
    return tuple(
        SweptCheck(
            name=one.name,
            component=one.component,
            url=_address(bindings.get(one.component), one.path),
            statuses=one.statuses,
            timeout_seconds=one.timeout_seconds,
        )
        for one in health.checks
    )


def _address(binding: Binding | None, path: str) -> str:
    """Returns where a component is asked: only where the platform itself says that it answers."""
    url = binding.status.url if binding else ""
    return f"{url.rstrip('/')}{path}" if url.startswith(("http://", "https://")) else ""
