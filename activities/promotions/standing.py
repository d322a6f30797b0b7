"""What the promotion procedure reads, remembers, asks for and tells on the control plane."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from temporalio import activity

from activities.common.kinds import platform
from activities.common.reading import find
from activities.guards.freezes import FreezeReader
from activities.promotions.dependencies import DependencyReader
from activities.promotions.enforcement import Standings
from activities.promotions.facts import PromotionReader
from activities.promotions.limits import Limits
from activities.promotions.neighbours import NeighbourReader
from activities.releases.facts import FactsReader, gateway_defaults
from activities.releases.quotas import Quotas
from activities.tenants.images import TenantImages
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.objects import ObjectStore
from domain.deliveries import DeployRequest
from domain.deliveries.promotion_effects import (
    FoundDeployment,
    OrderState,
    PointBinding,
)
from domain.deliveries.promotions import PromotionFacts, PromotionRequest
from domain.deliveries.standings import Standing, StandingChange
from domain.errors import NotFound
from domain.resources.families import family_of_binding
from settings import Settings


class DeployQueues(Protocol):
    """The queues of deployments, as far as promotions need them."""

    async def ask(self, request: DeployRequest) -> None:
        """Puts a request into the queue of its place. Idempotent by ``request_id``."""

    async def look(self, request: DeployRequest) -> FoundDeployment:
        """Returns where a request stands."""

    async def stop(self, request: DeployRequest) -> OrderState:
        """Takes a request out of its queue, or cancels it while it runs. Idempotent."""


class PromotionActivities:
    """Effects and readings of promotions and rollbacks on the control plane."""

    def __init__(
        self,
        cluster: Cluster,
        objects: ObjectStore,
        standings: Standings,
        queues: DeployQueues,
        settings: Settings,
        *,
        watches: SharedWatches,
    ) -> None:
        """``watches`` are those of the control plane."""
        self._cluster = cluster
        self._standings = standings
        self._queues = queues
        freezes = FreezeReader(cluster, watches)
        limits = Limits(Quotas(watches), TenantImages(watches, settings.registry))
        self._reader = PromotionReader(
            cluster,
            objects,
            standings,
            FactsReader(cluster, watches, gateway_defaults(settings)),
            freezes=freezes,
            limits=limits,
            dependencies=DependencyReader(watches),
            neighbours=NeighbourReader(cluster, objects, watches),
        )

    def all(self) -> list[Callable[..., Any]]:
        """Returns the activities, for the worker that serves them."""
        return [
            self.read_promotion,
            self.change_standing,
            self.ask_deployment,
            self.find_deployment,
            self.stop_deployment,
            self.point_binding,
        ]

    @activity.defn
    async def read_promotion(self, request: PromotionRequest) -> PromotionFacts:
        """Reads all that the gates are judged by, and renders what it would become.

        Idempotent: a reading.

        Raises:
            InvalidRequest: The component, its project or its pipeline does not exist.
        """
        return await self._reader.read(request)

    @activity.defn
    async def change_standing(self, change: StandingChange) -> Standing:
        """Remembers or forgets something of a place. Idempotent: by the key of the change."""
        return await self._standings.change(change)

    @activity.defn
    async def ask_deployment(self, request: DeployRequest) -> None:
        """Puts a deployment into the queue of its place. Idempotent: the queue knows its id."""
        await self._queues.ask(request)

    @activity.defn
    async def find_deployment(self, request: DeployRequest) -> FoundDeployment:
        """Looks what became of a deployment that was asked for. Idempotent: a reading."""
        return await self._queues.look(request)

    @activity.defn
    async def stop_deployment(self, request: DeployRequest) -> OrderState:
        """Takes a deployment out of its queue, or has it undone; does not wait for that.

        Idempotent: one that is over is left as it is.
        """
        return await self._queues.stop(request)

    @activity.defn
    async def point_binding(self, request: PointBinding) -> bool:
        """Points a binding back to what it named before, unless somebody changed it since.

        Idempotent: writes the same name again. False = it names something else, or is gone.
        """
        model = family_of_binding(request.binding_kind).binding
        where, name = request.organization, request.binding
        binding = await find(self._cluster, model, name, where)
        if binding is None or binding.artifact not in {request.artifact, request.unless_changed}:
            return False
        patch = {"spec": {"artifactRef": request.artifact}}
        try:
            await self._cluster.patch(platform(model.kind), name, where, patch)
        except NotFound:
            return False
        return True
