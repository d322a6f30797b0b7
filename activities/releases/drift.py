"""Reads and tells on the control plane what concerns drift, and asks for what puts it back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Protocol

from temporalio import activity

from activities.common.heartbeats import heartbeating
from activities.common.reading import find
from activities.common.statuses import now
from activities.releases.bindings import find_binding
from activities.releases.facts import plane_of
from clients.kubernetes.cluster import Cluster
from domain.deliveries import (
    Bundle,
    Deployment,
    DeployRequest,
    DriftPlace,
    DriftRecord,
    DriftRequest,
)
from domain.errors import InvalidRequest, RateLimited
from domain.resources import Binding, Environment, Release, set_condition
from domain.resources.conditions import Condition, ConditionType
from domain.resources.environment import DriftPolicy

MANAGER = "pavane-drift"
"""Apart from the manager of the procedures: each writes its own conditions, at the same time."""

_LATER = timedelta(seconds=5)
"""When one that could not wait beside others is tried again."""


class DeployQueues(Protocol):
    """The queues of deployments, as far as drift needs them."""

    async def is_busy(self, organization: str, component: str, environment: str) -> bool:
        """Tells whether a deployment of the place runs or waits."""

    async def idle(self, organization: str, component: str, environment: str) -> None:
        """Returns when none does."""

    async def ask(self, request: DeployRequest) -> None:
        """Puts a request into the queue of its place. Idempotent by ``request_id``."""

    async def outcome(self, request: DeployRequest) -> Deployment | None:
        """Waits for the end of a request that was asked for; None when nothing is known of it."""


class DriftActivities:
    """What the drift procedure knows and tells on the control plane."""

    def __init__(self, cluster: Cluster, queues: DeployQueues, *, waiters: int = 4) -> None:
        """``waiters`` is how many may wait for deployments at once, of the hands of the worker."""
        self._cluster = cluster
        self._queues = queues
        self._waiters = asyncio.Semaphore(waiters)

    @activity.defn
    async def read_drift_place(self, request: DriftRequest) -> DriftPlace:
        """Returns what is to be looked at: the release that runs and the environment's policy.

        Idempotent: a reading. Without a binding, a release or an environment there is nothing.
        """
        busy = await self._queues.is_busy(
            request.organization, request.component, request.environment
        )
        binding = await self._binding(request)
        if binding is None or busy:
            return DriftPlace(busy=busy, told=binding is not None and _is_told(binding))
        where = request.organization
        release = await find(self._cluster, Release, binding.status.release_ref, where)
        environment = await find(self._cluster, Environment, request.environment, where)
        if release is None or environment is None or not release.is_intact:
            return DriftPlace(binding=binding.name, told=_is_told(binding))
        try:
            plane = await plane_of(self._cluster, binding)
        except InvalidRequest:
            return DriftPlace(binding=binding.name, told=_is_told(binding))
        return DriftPlace(
            binding=binding.name,
            release=release.name,
            told=_is_told(binding),
            restore=environment.spec.drift is DriftPolicy.RESTORE,
            limit=environment.spec.max_put_backs_per_hour,
            task_queue=plane.task_queue,
            bundle=Bundle(
                release=release.name,
                namespace=release.spec.namespace,
                objects=release.spec.objects,
                stored=release.stored,
            ),
        )

    @activity.defn
    async def await_deployments(self, request: DriftRequest) -> None:
        """Waits until no deployment of the place runs or waits.

        Idempotent: a reading. Cancel: at once. Heartbeat: none of value.

        Raises:
            RateLimited: Too many wait already; it is tried again.
        """
        async with self._waiting(request.component), heartbeating(lambda: request.component):
            await self._queues.idle(request.organization, request.component, request.environment)

    @activity.defn
    async def record_drift(self, record: DriftRecord) -> bool:
        """Writes the condition ``Drifted``, or takes it away; False when it is out of date.

        It is out of date when another release runs or a deployment began since the place was
        looked at. Idempotent: writes the same content again.
        """
        request = record.request
        binding = await self._binding(request)
        if binding is None:
            return True
        if record.drifted:
            busy = await self._queues.is_busy(
                request.organization, request.component, request.environment
            )
            if busy or binding.status.release_ref != record.place.release:
                return False
        conditions = () if not record.drifted else (_condition(binding, record),)
        status = {"conditions": [one.model_dump(mode="json", by_alias=True) for one in conditions]}
        await self._cluster.apply_status(
            binding.status_manifest() | {"status": status}, manager=MANAGER
        )
        _count(record)
        return True

    @activity.defn
    async def ask_put_back(self, request: DeployRequest) -> None:
        """Puts the request to put objects back into the queue of deployments.

        Idempotent: the queue knows it by its id.
        """
        await self._queues.ask(request)

    @activity.defn
    async def await_put_back(self, request: DeployRequest) -> Deployment | None:
        """Waits for the end of a put-back that was asked for and returns how it went.

        Idempotent: a reading. Cancel: at once; the deployment goes on. Heartbeat: none of value.

        Raises:
            RateLimited: Too many wait already; it is tried again.
        """
        async with self._waiting(request.component), heartbeating(lambda: request.request_id):
            return await self._queues.outcome(request)

    @asynccontextmanager
    async def _waiting(self, component: str) -> AsyncIterator[None]:
        """Waits for deployments beside others, if not too many do.

        What they wait for needs the same worker: were all its hands waiting, nothing would end.
        """
        if self._waiters.locked():
            message = f"{component}: many wait for deployments already"
            raise RateLimited(message, retry_after=_LATER)
        async with self._waiters:
            yield

    async def _binding(self, request: DriftRequest) -> Binding | None:
        where, component = request.organization, request.component
        return await find_binding(self._cluster, where, component, request.environment)


def _count(record: DriftRecord) -> None:
    """Counts what was told, so that a place that drifts all the time shows in a graph."""
    counter = activity.metric_meter().create_counter(
        "pavane_drift_told", "Times that drift of a place was told or taken back, by reason"
    )
    place = {
        "organization": record.request.organization,
        "environment": record.request.environment,
    }
    counter.add(1, {**place, "reason": record.reason if record.drifted else "Gone"})


def _is_told(binding: Binding) -> bool:
    return binding.status.condition(ConditionType.DRIFTED) is not None


def _condition(binding: Binding, record: DriftRecord) -> Condition:
    conditions = set_condition(
        binding.status.conditions,
        ConditionType.DRIFTED,
        "True",
        record.reason,
        record.message,
        observed_generation=binding.status.observed_generation,
        now=now(),
    )
    return next(one for one in conditions if one.type == ConditionType.DRIFTED)
