"""Plans the upgrade of a class and brings one binding after the other to its new revision."""

from __future__ import annotations

import asyncio

from temporalio import activity

from activities.common.heartbeats import heartbeating
from activities.common.kinds import platform
from activities.common.reading import listed, read
from activities.common.statuses import now
from activities.records.histories import asked_upgrade
from activities.releases.drift import DeployQueues
from clients.kubernetes.cluster import Cluster
from clients.records import Records
from domain.deliveries import (
    BindingUpgrade,
    ClassUpgradePlan,
    ClassUpgradeRequest,
    Deployment,
    DeployRequest,
    UpgradeBinding,
)
from domain.errors import InvalidRequest
from domain.phases import Phase
from domain.policies.class_revisions import unused_revisions
from domain.policies.class_waves import consumers_of, waves
from domain.records import FactBatch
from domain.resources import Binding, ClassRevision, ComponentClass, Environment
from domain.resources.families import FAMILIES


class ClassActivities:
    """What the upgrade of a class knows and asks for on the control plane."""

    def __init__(self, cluster: Cluster, queues: DeployQueues, history: Records) -> None:
        self._cluster = cluster
        self._queues = queues
        self._history = history

    @activity.defn
    async def plan_class_upgrade(self, request: ClassUpgradeRequest) -> ClassUpgradePlan:
        """Returns who runs with another revision than the present one, in waves.

        When nobody does, revisions that nobody needs any more are forgotten. Idempotent: that the
        upgrade is asked for is written down once, and what is gone stays gone. A stop holds up the
        deployments, not the plan.

        Raises:
            NotFound: There is no such class.
            InvalidRequest: There is no such kind of class.
        """
        where = request.organization
        family = next(
            (one for one in FAMILIES.values() if one.component_class.kind == request.class_kind),
            None,
        )
        if family is None:
            raise InvalidRequest(f"there is no kind of class {request.class_kind}")
        present, bindings, environments = await asyncio.gather(
            read(self._cluster, family.component_class, request.class_name, where),
            listed(self._cluster, family.binding, where),
            listed(self._cluster, Environment, where),
        )
        production = [one.name for one in environments if one.spec.is_production]
        consumers = consumers_of(present, bindings, production)
        fact = asked_upgrade(request, present.revision)
        await self._history.append(FactBatch(facts=(fact,)))
        if not any(one.needs for one in consumers):
            await self._forget(present, bindings)
        policy = present.spec.upgrade
        return ClassUpgradePlan(
            revision=present.revision,
            waves=waves(consumers, policy),
            held=tuple(one.binding for one in consumers if one.held),
            max_at_once=policy.max_at_once,
            max_failures=policy.max_failures,
        )

    async def _forget(self, present: ComponentClass, bindings: list[Binding]) -> None:
        revisions = await listed(self._cluster, ClassRevision, present.namespace)
        for one in unused_revisions(present, revisions, bindings, now()):
            uid = one.metadata.uid
            await self._cluster.delete(platform(one.kind), one.name, one.namespace, uid=uid)

    @activity.defn
    async def upgrade_binding(self, request: UpgradeBinding) -> BindingUpgrade:
        """Asks the queue of a place for a deployment with the revision, and waits for its end.

        Idempotent: a queue that runs knows the request by its id, and of one that has ended it is
        told how the request went. Cancel: at once; a deployment that was
        asked for goes on. Heartbeat: none of value.
        """
        one = request.consumer
        order = DeployRequest(
            organization=request.organization,
            component=one.component,
            environment=one.environment,
            request_id=request.request_id,
            binding=one.binding,
            binding_kind=one.binding_kind,
            class_revision=request.revision,
            trigger=request.trigger,
        )
        async with heartbeating(lambda: request.request_id):
            outcome = await self._known(order)
            if outcome is None:
                await self._queues.ask(order)
                outcome = await self._queues.outcome(order)
        if outcome is None:
            phase, changed, message = Phase.ERRORED, False, "nothing is known of its deployment"
        else:
            phase, changed, message = outcome.phase, outcome.changed, outcome.message
        return BindingUpgrade(
            binding=one.binding,
            component=one.component,
            environment=one.environment,
            phase=phase,
            changed=changed and phase is Phase.SUCCEEDED,
            message=message,
        )

    async def _known(self, order: DeployRequest) -> Deployment | None:
        """Returns how a request went that an earlier try asked for, None when it did not end."""
        place = (order.organization, order.component, order.environment)
        if await self._queues.is_busy(*place):
            return None
        return await self._queues.outcome(order)
