"""Renders what a binding wants and writes down what became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.builds.artifacts import create_binding
from activities.common.kinds import platform
from activities.common.reading import find, read, required
from activities.common.statuses import now
from activities.guards.freezes import FreezeReader
from activities.guards.stops import heed
from activities.promotions.enforcement import Gatekeeper, Standings
from activities.records.histories import asked, entry_of
from activities.releases import records
from activities.releases.bindings import asked_binding
from activities.releases.bundles import bundle_of, objects_of, stowed
from activities.releases.facts import FactsReader, gateway_defaults, plane_before, plane_of
from activities.releases.lost import without_release
from activities.releases.preparing import (
    against_drift,
    deadline_of,
    moved,
    of_artifact,
    pins,
    prepared_of,
    reached,
    release_of,
    told_of,
)
from activities.releases.quotas import Quotas, taken
from activities.tenants.images import TenantImages
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.objects import ObjectStore
from clients.records import Records
from domain.deliveries import (
    Bundle,
    Deployment,
    DeployRecord,
    DeployRequest,
    FreezePlace,
    PreparedRelease,
)
from domain.deliveries.probes import ProbeRun
from domain.errors import InvalidRequest, PlatformError
from domain.policies.quotas import usage_of
from domain.policies.repairs import is_repair
from domain.records import FactBatch
from domain.records.stops import Place
from domain.rendering.facts import ReleaseFacts
from domain.rendering.network.probing import probe_run
from domain.rendering.release import render_release
from domain.resources import BindingState, Component, Environment, Release, parse_as
from domain.resources.binding import Binding
from domain.resources.deployment import DeployAction
from domain.resources.environment import ProbePolicy
from domain.resources.families import family_of
from settings import Settings


class ReleaseActivities:
    """Effects of deployments on the control plane."""

    def __init__(
        self,
        cluster: Cluster,
        objects: ObjectStore,
        settings: Settings,
        history: Records,
        *,
        watches: SharedWatches,
        standings: Standings,
    ) -> None:
        """``watches`` are those of the control plane."""
        self._cluster = cluster
        self._gatekeeper = Gatekeeper(cluster, standings)
        self._objects = objects
        self._history = history
        self._quotas = Quotas(watches)
        self._images = TenantImages(watches, settings.registry)
        self._freezes = FreezeReader(cluster, watches)
        self._reader = FactsReader(cluster, watches, gateway_defaults(settings))

    @activity.defn
    async def prepare_release(self, request: DeployRequest) -> PreparedRelease:
        """Gathers the facts, renders, writes the Release and says that a deployment runs.

        Idempotent: the Release is named by its content, the Deployment by the request. That it was
        asked for is in the records before anything is done, also when it is refused.

        Raises:
            Stopped: An emergency stop holds there.
            InvalidRequest: Something the binding names is missing, or cannot be rendered.
            Denied: It does not fit into a quota, or a gate is closed; nothing was written on the
                plane and what runs stays.
        """
        place = Place(organization=request.organization, environment=request.environment)
        heed(await self._history.append(FactBatch(facts=(asked(request),), place=place)))
        binding = await self._binding(request)
        try:
            prepared, release = await self._prepare(request, binding)
        except PlatformError as error:
            # What was refused is told to the record, so that the right generation is judged.
            error.facts.update(binding=binding.name, generation=str(binding.metadata.generation))
            raise
        if prepared.changed and not is_repair(request):
            where = FreezePlace(
                organization=request.organization,
                project=prepared.project,
                component=request.component,
                environment=request.environment,
            )
            longest = timedelta(seconds=prepared.progress_deadline_seconds)
            freeze = await self._freezes.telling(where, longest)
            prepared = prepared.model_copy(update={"freeze": freeze})
        await records.begin(self._cluster, binding, prepared, request, release)
        return prepared

    async def _prepare(
        self, request: DeployRequest, binding: Binding
    ) -> tuple[PreparedRelease, Release | None]:
        """What is to be removed needs no facts: they may be gone already."""
        if request.put_back:
            return await self._put_back(request, binding), None
        if request.rollback:
            return await self._roll_back(request, binding), None
        if binding.wanted_state is BindingState.UNDEPLOY:
            previous = await self._previous(binding)
            if not previous.release:
                return await without_release(self._cluster, request, binding), None
            plane = await plane_of(self._cluster, binding)
            return prepared_of(request, binding, plane, Bundle(), previous), None
        return await self._rendered(request, binding)

    async def _rendered(
        self, request: DeployRequest, binding: Binding
    ) -> tuple[PreparedRelease, Release]:
        """Renders what is declared, within quotas, from allowed images, through the gates."""
        facts, previous, standing = await asyncio.gather(
            self._reader.gather(
                binding,
                request.class_revision,
                {one.group: one.revision for one in request.configuration},
                request.interfaces,
            ),
            self._previous(binding),
            self._gatekeeper.standing(binding),
        )
        rendered = render_release(facts)
        usage = usage_of(rendered.objects)
        await self._quotas.check(facts, usage)
        await self._images.check(facts, rendered.objects)
        bundle = await stowed(
            Bundle(release=rendered.name, namespace=rendered.namespace, objects=rendered.objects),
            self._objects,
            facts.organization,
        )
        prepared = prepared_of(request, binding, facts.data_plane, bundle, previous)
        before = await plane_before(self._cluster, binding, facts.data_plane)
        prepared = prepared.model_copy(
            update={
                **against_drift(request, binding, prepared, rendered),
                **moved(before, facts.data_plane, previous),
                **told_of(facts, rendered),
                **of_artifact(facts.artifact, prepared),
                "taken": taken(usage),
                "probes": await self._probes(facts, previous, rendered.objects),
            }
        )
        await self._gatekeeper.check(request, prepared, facts.component, rendered.hash, standing)
        return prepared, release_of(facts, rendered, bundle)

    async def _probes(
        self, facts: ReleaseFacts, previous: Bundle, objects: Sequence[dict[str, Any]]
    ) -> ProbeRun | None:
        """Returns what is tried of its network policies; mostly nobody asks for that."""
        if facts.environment.spec.network.probes is ProbePolicy.OFF:
            return None
        return probe_run(facts, await objects_of(previous, self._objects), objects)

    async def _roll_back(self, request: DeployRequest, binding: Binding) -> PreparedRelease:
        """Takes a stored release as it is: no class, workload or configuration of today."""
        wanted_by = f"the rollback of {request.component}"
        release, running, plane, standing = await asyncio.gather(
            required(self._cluster, Release, request.rollback, request.organization, wanted_by),
            self._previous(binding),
            plane_of(self._cluster, binding),
            self._gatekeeper.standing(binding),
        )
        bundle = bundle_of(release)
        objects = await objects_of(bundle, self._objects)
        prepared = prepared_of(request, binding, plane, bundle, running)
        prepared = prepared.model_copy(
            update={
                "artifact": request.artifact,
                "image": release.spec.image,
                "version": release.spec.version or release.spec.image.rpartition("sha256:")[2][:12],
                "class_revision": release.spec.class_revision_ref,
                "url": binding.status.url,
                "endpoints": reached(binding.status.endpoints),
                "configuration": pins(release.spec.configuration),
                "action": DeployAction.ROLLBACK,
                "progress_deadline_seconds": deadline_of(objects),
            }
        )
        await self._gatekeeper.check_rollback(request, prepared, release, objects, standing)
        return prepared

    async def _put_back(self, request: DeployRequest, binding: Binding) -> PreparedRelease:
        """Takes the very release that runs: nothing newer is brought along with a put-back."""
        running = await self._previous(binding)
        plane = await plane_of(self._cluster, binding)
        prepared = prepared_of(request, binding, plane, running, running)
        is_wanted = binding.wanted_state is not BindingState.UNDEPLOY
        return prepared.model_copy(
            update={
                # What the binding wants besides is not looked at here, so it is not judged either.
                "generation": binding.status.observed_generation,
                "artifact": binding.status.artifact_ref,
                "version": binding.status.version,
                "image": binding.status.image,
                "class_revision": binding.status.class_revision_ref,
                "configuration": pins(binding.status.configuration),
                "url": binding.status.url,
                "changed": is_wanted and running.release == request.release,
                "action": DeployAction.PUT_BACK,
                "put_back": request.put_back,
                "take_over": request.force_conflicts,
                "progress_deadline_seconds": deadline_of(await objects_of(running, self._objects)),
            }
        )

    async def _binding(self, request: DeployRequest) -> Binding:
        """Reads the binding, points it to the artifact that was asked for, guards its deletion."""
        where = request.organization
        binding = await asked_binding(self._cluster, request)
        if binding is None:
            binding = await self._new_binding(request)
        patch: dict[str, object] = {}
        if request.artifact and request.artifact != binding.artifact:
            patch["spec"] = {"artifactRef": request.artifact}
        if not binding.is_deleted and records.FINALIZER not in binding.metadata.finalizers:
            patch["metadata"] = {"finalizers": [*binding.metadata.finalizers, records.FINALIZER]}
        if patch:
            kind = platform(binding.kind)
            changed = await self._cluster.patch(kind, binding.name, where, patch)
            binding = parse_as(type(binding), changed)
        return binding

    async def _new_binding(self, request: DeployRequest) -> Binding:
        where = request.organization
        asked = f"the deployment of {request.component}"
        component = await required(self._cluster, Component, request.component, where, asked)
        await required(self._cluster, Environment, request.environment, where, asked)
        if not request.artifact:
            message = (
                f"component {request.component} has no binding to {request.environment}: "
                "name an artifact to deploy, or create a binding"
            )
            raise InvalidRequest(message, facts={"reason": "ReferenceMissing"})
        name = await create_binding(self._cluster, component, request.environment, request.artifact)
        return await read(self._cluster, family_of(component).binding, name, where)

    async def _previous(self, binding: Binding) -> Bundle:
        running = await find(self._cluster, Release, binding.status.release_ref, binding.namespace)
        return Bundle() if running is None else bundle_of(running)

    @activity.defn
    async def record_deployment(self, record: DeployRecord) -> Deployment:
        """Writes down how a deployment ended: in the records, on Deployment, binding and Release.

        Also forgets releases beyond the last ten, and lets go of a binding whose deletion waited
        for its objects. Idempotent: writes the same content again.
        """
        entry = entry_of(record, now())
        history = self._history.append(FactBatch(facts=record.facts, deployments=(entry,)))
        await records.end(self._cluster, record, now(), history)
        release = record.release
        return Deployment(
            organization=record.request.organization,
            component=record.request.component,
            environment=record.request.environment,
            request_id=record.request.request_id,
            phase=record.phase,
            release=release.bundle.release if release else "",
            artifact=release.artifact if release else record.request.artifact,
            image=release.image if release else "",
            url=release.url if release else "",
            changed=release.changed if release else False,
            reason=record.reason,
            message=record.message,
            undone=record.undone,
        )
