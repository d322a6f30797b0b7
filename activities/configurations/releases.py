"""Plans the release of a configuration group and brings it to one binding after the other."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from temporalio import activity

from activities.common.heartbeats import heartbeating
from activities.common.reading import find, listed, read
from activities.common.statuses import now
from activities.configurations.groups import ConfigurationGroups
from activities.configurations.notes import noted
from activities.promotions.enforcement import Standings
from activities.records.histories import asked_configuration
from activities.releases.drift import DeployQueues
from clients.kubernetes.cluster import Cluster
from clients.records import Records
from domain.deliveries import (
    BindingConfigured,
    ConfigurationNote,
    ConfigurationPin,
    ConfigurationPlan,
    ConfigurationRequest,
    ConfigureBinding,
    Deployment,
    DeployRequest,
)
from domain.deliveries.standings import Pass, StandingChange
from domain.errors import InvalidRequest, NotFound
from domain.phases import Phase
from domain.policies.configuration.plan import planned
from domain.policies.promotion.standing import passed
from domain.records import FactBatch
from domain.rendering.facts import GatewayDefaults
from domain.rendering.offline import SHELVED, Shelf
from domain.resources import Organization, Resource
from domain.resources.configuration import ConfigurationGroup, ConfigurationRevision

MANAGER = "pavane-configuration"
"""Apart from the manager of plain observations: each writes its own conditions."""


PEOPLE = "pavane-cli"
"""Manager of what people apply through the API. What is restored for them stays theirs, so that
their next change meets no conflict."""


class ConfigurationActivities:
    """What the release of a configuration group knows and asks for on the control plane."""

    def __init__(
        self,
        cluster: Cluster,
        queues: DeployQueues,
        standings: Standings,
        history: Records,
        *,
        groups: ConfigurationGroups,
        gateway: GatewayDefaults,
    ) -> None:
        self._cluster = cluster
        self._queues = queues
        self._standings = standings
        self._history = history
        self._groups = groups
        self._gateway = gateway

    def all(self) -> list[Callable[..., Any]]:
        """Returns the activities, for a worker."""
        return [
            self.plan_configuration,
            self.restore_configuration,
            self.configure_binding,
            self.note_configuration,
        ]

    @activity.defn
    async def plan_configuration(self, request: ConfigurationRequest) -> ConfigurationPlan:
        """Keeps what the group says as a revision and returns who runs with other values.

        Idempotent: the revision is named by its content; that the release is asked for is written
        down once. A group that is gone touches nobody.
        """
        where = request.organization
        group = await find(self._cluster, ConfigurationGroup, request.group, where)
        if group is None or group.is_deleted:
            return ConfigurationPlan(revision="")
        await self._groups.keep(group)
        fact = asked_configuration(request, group.revision)
        await self._history.append(FactBatch(facts=(fact,)))
        return planned(await self._shelf(where), group, self._gateway)

    @activity.defn
    async def restore_configuration(self, request: ConfigurationRequest) -> str:
        """Makes a group say again what it said in a revision; returns the revision it says then.

        Idempotent: writes the same content again. Words for people about keys stay.

        Raises:
            NotFound: There is no such group.
            InvalidRequest: There is no such revision of it.
        """
        where = request.organization
        group = await read(self._cluster, ConfigurationGroup, request.group, where)
        revision = await find(self._cluster, ConfigurationRevision, request.restore, where)
        if revision is None or revision.spec.group_ref != group.name:
            raise InvalidRequest(
                f"ConfigurationGroup {group.name} has no revision {request.restore}: see "
                f"pavane config history {group.name}"
            )
        wanted = revision.of(group)
        if wanted.revision == group.revision:
            return group.revision
        said = {one.key: one.description for one in group.spec.configurations}
        keys = tuple(
            one.model_copy(update={"description": said.get(one.key, "")})
            for one in wanted.spec.configurations
        )
        spec = group.spec.model_copy(
            update={
                "environment_groups": wanted.spec.environment_groups,
                "configurations": keys,
            }
        )
        restored = group.model_copy(update={"spec": spec})
        await self._cluster.apply(restored.manifest(), manager=PEOPLE, force=True)
        return wanted.revision

    @activity.defn
    async def configure_binding(self, request: ConfigureBinding) -> BindingConfigured:
        """Lets the objects pass that were agreed on, asks for their deployment, waits for its end.

        Idempotent: pass and request have keys of their own; of a queue that has ended it is told
        how the request went. A pass of what failed is taken back, unless it had one before.
        Cancel: at once; a deployment that was asked for goes on. Heartbeat: none of value.
        """
        one = request.consumer
        order = DeployRequest(
            organization=request.organization,
            component=one.component,
            environment=one.environment,
            request_id=request.request_id,
            binding=one.binding,
            binding_kind=one.binding_kind,
            configuration=(ConfigurationPin(group=request.group, revision=request.revision),),
            trigger=request.trigger,
        )
        async with heartbeating(lambda: request.request_id):
            outcome = await self._known(order)
            if outcome is None:
                if one.gated:
                    await self._let_pass(request)
                await self._queues.ask(order)
                outcome = await self._queues.outcome(order)
            phase = outcome.phase if outcome else Phase.ERRORED
            if one.gated:
                await self._remember(request, phase)
        message = outcome.message if outcome else "nothing is known of its deployment"
        return BindingConfigured(
            binding=one.binding,
            component=one.component,
            environment=one.environment,
            phase=phase,
            changed=bool(outcome and outcome.changed) and phase is Phase.SUCCEEDED,
            message=message,
        )

    @activity.defn
    async def note_configuration(self, note: ConfigurationNote) -> None:
        """Writes on the group where its release stands, and keeps its history.

        Idempotent: an entry of the history is of one run and one revision. A group that is gone is
        left alone.
        """
        where = note.organization
        group = await find(self._cluster, ConfigurationGroup, note.group, where)
        if group is None:
            return
        status = noted(group, note, now())
        written = {"status": status.model_dump(mode="json", by_alias=True)}
        try:
            await self._cluster.apply_status(group.status_manifest() | written, manager=MANAGER)
        except NotFound:
            activity.logger.debug("ConfigurationGroup %s is gone", group.name)

    async def _shelf(self, organization: str) -> Shelf:
        owner = await find(self._cluster, Organization, organization)
        found = await asyncio.gather(
            *(listed(self._cluster, model, organization) for model in SHELVED)
        )
        resources: list[Resource] = [one for part in found for one in part]
        return Shelf([*resources, owner] if owner else resources)

    async def _known(self, order: DeployRequest) -> Deployment | None:
        """Returns how a request went that an earlier try asked for, None when it did not end."""
        place = (order.organization, order.component, order.environment)
        if await self._queues.is_busy(*place):
            return None
        return await self._queues.outcome(order)

    async def _let_pass(self, request: ConfigureBinding) -> None:
        one = request.consumer
        change = self._change(request, "pass")
        passing = Pass(
            release=one.release,
            hash=one.hash,
            artifact=one.artifact,
            image=one.image,
            version=one.version,
            promotion=request.promotion,
            run_id=request.run_id,
            by=request.trigger.actor,
            at=change.at,
        )
        standing = await self._standings.read(request.organization, one.component, one.environment)
        if passed(standing, one.hash) is None:
            await self._standings.change(change.model_copy(update={"passed": passing}))

    async def _remember(self, request: ConfigureBinding, phase: Phase) -> None:
        """What did well is something a rollback may go to; what did not may not come again."""
        one = request.consumer
        if phase is Phase.SUCCEEDED:
            change = self._change(request, "verified")
            await self._standings.change(change.model_copy(update={"verified": one.release}))
            return
        standing = await self._standings.read(request.organization, one.component, one.environment)
        known = passed(standing, one.hash)
        if known is not None and (known.promotion, known.run_id) == (
            request.promotion,
            request.run_id,
        ):
            change = self._change(request, "revoked")
            await self._standings.change(change.model_copy(update={"revoked": one.release}))

    def _change(self, request: ConfigureBinding, what: str) -> StandingChange:
        one = request.consumer
        return StandingChange(
            organization=request.organization,
            component=one.component,
            environment=one.environment,
            key=f"{request.request_id}-{what}",
            at=now(),
        )
