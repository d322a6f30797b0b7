"""Asks the pipeline before anything is rolled out, whoever asked for it."""

from __future__ import annotations

from typing import Any, Protocol

from activities.common.reading import find, required
from activities.common.statuses import now
from clients.kubernetes.cluster import Cluster
from domain import ids
from domain.deliveries import DeployRequest, PreparedRelease, TriggerKind
from domain.deliveries.standings import Standing, StandingChange
from domain.errors import Denied, InvalidRequest
from domain.policies.promotion.enforcement import Admission, Wish, admit, admit_rollback
from domain.resources import Component, DeploymentPipeline, Project, Release
from domain.resources.binding import Binding
from domain.resources.conditions import Reason
from domain.resources.deployment import objects_hash


class Standings(Protocol):
    """What is remembered of places: only procedures write it."""

    async def read(self, organization: str, component: str, environment: str) -> Standing:
        """Returns what is remembered of a place."""

    async def change(self, change: StandingChange) -> Standing:
        """Remembers or forgets something. Idempotent by the key of the change."""


async def pipeline_of(cluster: Cluster, component: Component) -> DeploymentPipeline:
    """Reads the pipeline of a component's project.

    Raises:
        InvalidRequest: The project or its pipeline does not exist.
    """
    where, who = component.namespace, f"Component {component.name}"
    project = await required(cluster, Project, component.project, where, who)
    name = project.spec.deployment_pipeline_ref
    return await required(cluster, DeploymentPipeline, name, where, f"Project {project.name}")


class Gatekeeper:
    """Lets roll out what may be, and says of everything else which gate is closed."""

    def __init__(self, cluster: Cluster, standings: Standings) -> None:
        self._cluster = cluster
        self._standings = standings

    async def standing(self, binding: Binding) -> Standing:
        """Reads what is remembered of the place of a binding."""
        return await self._standings.read(
            binding.organization, binding.component, binding.environment
        )

    async def check(
        self,
        request: DeployRequest,
        prepared: PreparedRelease,
        component: Component,
        release_hash: str,
        standing: Standing,
    ) -> None:
        """Returns when the prepared release may be rolled out.

        Raises:
            Denied: It may not; ``facts`` names the gate.
            InvalidRequest: The pipeline cannot be found.
        """
        if not prepared.changed:
            return
        pipeline = await pipeline_of(self._cluster, component)
        wish = _wish(request, prepared, release_hash)
        _enforce(admit(wish, pipeline, standing, now()))

    async def check_rollback(
        self,
        request: DeployRequest,
        prepared: PreparedRelease,
        release: Release,
        objects: tuple[dict[str, Any], ...],
        standing: Standing,
    ) -> None:
        """Returns when a stored release may be brought back.

        Raises:
            Denied: It is not what was written down, or never passed.
        """
        where, name = release.namespace, release.spec.component_ref
        component = await find(self._cluster, Component, name, where)
        if component is None:
            raise InvalidRequest(f"Release {release.name}: component {name} does not exist")
        pipeline = await pipeline_of(self._cluster, component)
        spec = release.spec
        place = f"{spec.component_ref}-{spec.environment_ref}"
        is_intact = (
            spec.hash == objects_hash(objects)
            and release.name == ids.content_name(place, [spec.namespace, *objects])
            and (spec.component_ref, spec.environment_ref)
            == (prepared.component, prepared.environment)
        )
        wish = _wish(request, prepared, spec.hash)
        _enforce(admit_rollback(wish, pipeline, standing, is_intact=is_intact))


def _wish(request: DeployRequest, prepared: PreparedRelease, release_hash: str) -> Wish:
    return Wish(
        component=prepared.component,
        environment=prepared.environment,
        artifact=prepared.artifact,
        image=prepared.image,
        release=prepared.bundle.release,
        hash=release_hash,
        changes=prepared.changed,
        by_person=request.trigger.kind is TriggerKind.API,
    )


def _enforce(admission: Admission) -> None:
    if not admission.allowed:
        facts = {"reason": Reason.GATE_CLOSED.value, "gate": admission.gate}
        raise Denied(f"gate {admission.gate} is closed: {admission.message}", facts=facts)
