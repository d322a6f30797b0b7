"""Makes the objects of a release so on a plane and waits until they are ready."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from temporalio import activity

from activities.common.clocks import Clock
from activities.common.heartbeats import heartbeating
from activities.common.log_tails import log_tail
from activities.common.namespaces import check_owner, check_places
from activities.common.together import together
from activities.gateways.certificates import GatewayCertificates
from activities.planes.applied import AppliedObjects
from activities.planes.following import Follower
from activities.planes.leaving import gone
from activities.planes.pruning import pruned
from activities.releases.bundles import objects_of
from activities.secrets.delivery import SecretDelivery
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.objects import ObjectStore
from domain.deliveries import (
    Applied,
    ApplyRelease,
    CloseWays,
    FollowRollout,
    RolloutReady,
    is_followed,
)
from domain.errors import Denied, FieldConflict, RolloutFailed
from domain.policies.deadlines import time_left
from domain.policies.drift import fewest_replicas, said, scaled_objects
from domain.policies.objects import without_fields
from domain.policies.verdicts import RolloutState, Verdict
from domain.rendering import labels as names
from domain.rendering.diff import diff_objects
from domain.rendering.network import held_open
from domain.rendering.waves import ROUTES, extended, waves
from domain.secrets.delivery import consumers

_SCALE_MANAGER = "pavane-scale"
"""Holds the number of replicas from when Pavane lets go of it until an autoscaler takes it."""
_READ_BY_GATEWAY = 3.0
"""Seconds until Traefik has read a Middleware that came: it reads each of its sources at most every
two seconds, says nowhere what it has read, and answers 404 at a route that names what it has not.
"""


class RolloutActivities:
    """Effects on a data plane, and the waiting for their end."""

    def __init__(
        self,
        cluster: Cluster,
        watches: SharedWatches,
        objects: ObjectStore,
        secrets: SecretDelivery | None = None,
        certificates: GatewayCertificates | None = None,
    ) -> None:
        """``secrets`` and ``certificates`` make what objects need first; None = nothing does."""
        self._cluster = cluster
        self._secrets = secrets
        self._certificates = certificates
        self._watches = watches
        self._objects = objects
        self._applied = AppliedObjects(cluster, watches)

    @activity.defn
    async def apply_release(self, request: ApplyRelease) -> Applied:
        """Applies the objects wave by wave, then prunes what the previous release had besides.

        Idempotent: server-side apply of equal content changes nothing, pruning what is gone is
        no error. Cancel: stops between two waves; the caller restores. Heartbeat: the number of
        objects applied.

        Raises:
            FieldConflict: Another manager owns fields; ``facts`` names them.
            Denied: The namespace belongs to another organization, or a secret does.
            InvalidRequest: A secret that the pods need is not there, or no certificate can be had.
        """
        wanted = await objects_of(request.bundle, self._objects)
        previous = await objects_of(request.previous, self._objects)
        await self._check_owner(request, wanted, previous)
        held = {said(one): one for one in held_open(previous, wanted)} if request.holds_open else {}
        done = 0
        yielded: list[str] = []
        scaled = scaled_objects(previous)
        await self._hand_over(previous, wanted)
        for wave in waves(wanted):
            activity.heartbeat(done)
            if any(one["kind"] in ROUTES for one in wave) and extended(previous, wanted):
                await asyncio.sleep(_READ_BY_GATEWAY)
            await together(
                *(
                    self._make_so(
                        held.get(said(obj), obj), request, yielded, is_scaled=said(obj) in scaled
                    )
                    for obj in wave
                )
            )
            done += len(wave)
        removed = []
        if extended(wanted, previous):
            await asyncio.sleep(_READ_BY_GATEWAY)
        unwanted = diff_objects(previous, wanted).prune
        async for one in pruned(self._cluster, unwanted):
            activity.heartbeat(len(wanted))
            removed.append(one)
        await self._forget(previous, wanted, {f"{one.kind}/{one.name}" for one in unwanted})
        return Applied(
            applied=tuple(f"{obj['kind']}/{obj['metadata']['name']}" for obj in wanted),
            pruned=tuple(removed),
            yielded=tuple(sorted(yielded)),
            held_open=tuple(sorted(held)),
        )

    @activity.defn
    async def close_ways(self, request: CloseWays) -> Applied:
        """Waits until pods that were told to end are gone, then closes what was open for them.

        Idempotent: server-side apply of equal content changes nothing. Cancel: what was held open
        stays so; the caller restores. Heartbeat: what is waited for.

        Raises:
            FieldConflict: Another manager owns fields; ``facts`` names them.
            Denied: The namespace belongs to another organization.
        """
        wanted = await objects_of(request.bundle, self._objects)
        policies = [one for one in wanted if said(one) in request.policies]
        asked = ApplyRelease(bundle=request.bundle, organization=request.organization)
        await self._check_owner(asked, wanted, ())
        components = frozenset(
            one["metadata"].get("labels", {}).get(names.COMPONENT) for one in policies
        )
        left = time_left(
            timedelta(seconds=request.deadline_seconds),
            activity.info().scheduled_time,
            Clock().now(),
        )
        async with heartbeating(lambda: "the last pods of the release before to be gone"):
            with suppress(TimeoutError):
                async with asyncio.timeout(left.total_seconds()):
                    await gone(self._watches, request.bundle.namespace, components)
        for one in policies:
            await self._applied.apply(one, force=request.force_conflicts)
        return Applied(applied=request.policies)

    async def _make_so(
        self,
        obj: dict[str, Any],
        request: ApplyRelease,
        yielded: list[str],
        *,
        is_scaled: bool,
    ) -> None:
        """Applies one object; what is restored leaves fields to others where that is possible."""
        await self._check_scope(obj)
        if self._secrets is not None:
            await self._secrets.before(obj, request.organization)
        if self._certificates is not None:
            await self._certificates.before(obj, request.organization)
        try:
            await self._applied.apply(obj, force=request.force_conflicts)
        except FieldConflict as conflict:
            if is_scaled and set(conflict.facts) == {".spec.replicas"}:
                # The former release left the number to an autoscaler, which this one has not.
                await self._applied.apply(obj, force=True)
                return
            if not request.yields:
                raise
            left, fields = without_fields(obj, conflict.facts)
            # What is in conflict still lies within a list: it is restored, whoever owns it.
            await self._applied.apply(left, force=True)
            yielded += [f"{said(obj)} {field}" for field in fields]

    async def _forget(
        self,
        previous: Iterable[dict[str, Any]],
        wanted: Iterable[dict[str, Any]],
        unwanted: Collection[str],
    ) -> None:
        """Removes what was delivered to workloads that are gone."""
        gone_now = [one for one in previous if said(one) in unwanted]
        if self._secrets is None or not gone_now:
            return
        kept = {each.secret for one in wanted for each in consumers(one)}
        for obj in gone_now:
            await self._secrets.forget(obj, kept)

    async def _hand_over(
        self, previous: Iterable[dict[str, Any]], wanted: Sequence[dict[str, Any]]
    ) -> None:
        """Keeps the replicas of what an autoscaler is to scale from now on.

        A field that nobody owns any more falls back to its default, which is one replica; and an
        autoscaler leaves alone what has none, as after a suspension.
        """
        fewest = fewest_replicas(wanted)
        for obj in previous:
            replicas = obj.get("spec", {}).get("replicas")
            if said(obj) not in fewest or replicas is None:
                continue
            meta = obj["metadata"]
            kept = {
                "apiVersion": obj["apiVersion"],
                "kind": obj["kind"],
                "metadata": {"name": meta["name"], "namespace": meta["namespace"]},
                "spec": {"replicas": max(replicas, fewest[said(obj)])},
            }
            await self._cluster.apply(kept, manager=_SCALE_MANAGER, force=True)

    async def _check_scope(self, obj: dict[str, Any]) -> None:
        """Refuses an object of the whole cluster that a class brought along."""
        if obj["kind"] == "Namespace" or not is_followed(obj["kind"]):
            return
        kind = await self._cluster.kind_of(obj["apiVersion"], obj["kind"])
        if not kind.namespaced:
            raise Denied(
                f"{said(obj)} is of the whole cluster: a release has objects of its own namespace "
                "only; take it out of the class"
            )

    async def _check_owner(
        self,
        request: ApplyRelease,
        wanted: Sequence[dict[str, Any]],
        previous: Sequence[dict[str, Any]],
    ) -> None:
        """Refuses a namespace of somebody else, to write or to prune in it.

        The watch knows those of our own, so that asks nothing.
        """
        organization = request.organization
        for bundle, objects in ((request.bundle, wanted), (request.previous, previous)):
            check_places(objects, bundle.namespace)
            namespace = bundle.namespace
            known = await self._applied.namespace(namespace) if namespace else None
            labels = (known or {}).get("metadata", {}).get("labels", {})
            if labels.get(names.ORGANIZATION) != organization:
                await check_owner(self._cluster, namespace, organization)

    @activity.defn
    async def follow_rollout(self, request: FollowRollout) -> RolloutReady:
        """Waits until every workload, route and other object of the release is ready.

        Idempotent: a reading. Fed by the shared watches of the plane; nothing is polled. Cancel:
        at once. Heartbeat: what is waited for. The deadline counts from when the wait was asked
        for, not from when this worker took it up.

        Raises:
            RolloutFailed: Something is broken in a way that waiting does not mend, or the
                deadline passed; ``facts`` has the reason and the container's last lines.
        """
        wanted = [
            obj
            for obj in await objects_of(request.bundle, self._objects)
            if is_followed(obj["kind"]) and (not request.only or said(obj) in request.only)
        ]
        kinds = [await self._cluster.kind_of(obj["apiVersion"], obj["kind"]) for obj in wanted]
        clock = Clock()
        follower = Follower(
            self._applied, self._watches, request, list(zip(wanted, kinds, strict=True)), clock
        )
        deadline = timedelta(seconds=request.deadline_seconds)
        left = time_left(deadline, activity.info().scheduled_time, clock.now())
        async with heartbeating(lambda: follower.verdict.message):
            try:
                async with asyncio.timeout(left.total_seconds()):
                    verdict = await follower.settled()
            except TimeoutError:
                verdict = await follower.at_last(request.deadline_seconds)
            if verdict.state is RolloutState.READY:
                return RolloutReady(replicas=verdict.replicas, message=verdict.message)
            raise await self._failure(request.bundle.namespace, verdict)

    async def _failure(self, namespace: str, verdict: Verdict) -> RolloutFailed:
        facts = {"reason": verdict.reason}
        if verdict.pod and verdict.container:
            facts["pod"] = verdict.pod
            facts["log"] = await log_tail(
                self._cluster, namespace, verdict.pod, verdict.container, verdict.previous
            )
        return RolloutFailed(verdict.message, facts=facts)
