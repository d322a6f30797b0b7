"""Makes the objects of a release so on a plane and waits until they are ready."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity

from activities.applied import AppliedObjects
from activities.bundles import objects_of
from activities.heartbeats import heartbeating
from activities.kinds import DEPLOYMENTS, HTTP_ROUTES, PODS, REPLICA_SETS
from activities.log_tails import log_tail
from activities.namespaces import check_owner
from activities.observation import Changes, changes
from activities.together import together
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatches
from clients.objects import ObjectStore
from domain.deliveries import Applied, ApplyRelease, FollowRollout, RolloutReady
from domain.errors import FieldConflict, NotFound, RolloutFailed
from domain.policies.deadlines import time_left
from domain.policies.drift import said
from domain.policies.objects import without_fields
from domain.policies.rollout import judge_deployment, judge_route
from domain.policies.verdicts import RolloutState, Verdict, combined
from domain.rendering import labels as names
from domain.rendering.diff import diff_objects
from domain.rendering.waves import waves

_FOLLOWED = {"Deployment": DEPLOYMENTS, "HTTPRoute": HTTP_ROUTES}
"""The kinds of ``domain.deliveries.FOLLOWED``, as the API server has them."""


class RolloutActivities:
    """Effects on a data plane, and the waiting for their end."""

    def __init__(self, cluster: Cluster, watches: SharedWatches, objects: ObjectStore) -> None:
        self._cluster = cluster
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
            Denied: The namespace belongs to another organization.
        """
        wanted = await objects_of(request.bundle, self._objects)
        previous = await objects_of(request.previous, self._objects)
        await self._check_owner(request)
        done = 0
        yielded: list[str] = []
        for wave in waves(wanted):
            activity.heartbeat(done)
            await together(*(self._make_so(obj, request, yielded) for obj in wave))
            done += len(wave)
        pruned = []
        for ref in diff_objects(previous, wanted).prune:
            activity.heartbeat(len(wanted))
            try:
                kind = await self._cluster.kind_of(ref.api_version, ref.kind)
            except NotFound:
                continue
            if await self._cluster.delete(kind, ref.name, ref.namespace):
                pruned.append(f"{ref.kind}/{ref.name}")
        return Applied(
            applied=tuple(f"{obj['kind']}/{obj['metadata']['name']}" for obj in wanted),
            pruned=tuple(pruned),
            yielded=tuple(sorted(yielded)),
        )

    async def _make_so(
        self, obj: dict[str, Any], request: ApplyRelease, yielded: list[str]
    ) -> None:
        """Applies one object; what is restored leaves fields to others where that is possible."""
        try:
            await self._applied.apply(obj, force=request.force_conflicts)
        except FieldConflict as conflict:
            if not request.yields:
                raise
            left, fields = without_fields(obj, conflict.facts)
            # What is in conflict still lies within a list: it is restored, whoever owns it.
            await self._applied.apply(left, force=True)
            yielded += [f"{said(obj)} {field}" for field in fields]

    async def _check_owner(self, request: ApplyRelease) -> None:
        """Refuses a namespace of somebody else; the watch knows those of our own."""
        namespace, organization = request.bundle.namespace, request.organization
        known = await self._applied.namespace(namespace) if namespace else None
        labels = (known or {}).get("metadata", {}).get("labels", {})
        if labels.get(names.ORGANIZATION) != organization:
            await check_owner(self._cluster, namespace, organization)

    @activity.defn
    async def follow_rollout(self, request: FollowRollout) -> RolloutReady:
        """Waits until every workload and route of the release is ready.

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
            if obj["kind"] in _FOLLOWED and (not request.only or said(obj) in request.only)
        ]
        follower = Follower(self._applied, self._watches, request.bundle.namespace, wanted)
        deadline = timedelta(seconds=request.deadline_seconds)
        left = time_left(deadline, activity.info().scheduled_time, datetime.now(UTC))
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


class Follower:
    """Judges the objects of one release again whenever something about them changes."""

    def __init__(
        self,
        applied: AppliedObjects,
        watches: SharedWatches,
        namespace: str,
        wanted: list[dict[str, Any]],
    ) -> None:
        self._applied = applied
        self._namespace = namespace
        self._wanted = wanted
        self._of = {
            kind: watches.of(kind, labels=names.COMPONENT)
            for kind in (DEPLOYMENTS, REPLICA_SETS, PODS, HTTP_ROUTES)
            if kind is not HTTP_ROUTES or any(obj["kind"] == "HTTPRoute" for obj in wanted)
        }
        self._components = {
            obj["metadata"].get("labels", {}).get(names.COMPONENT) for obj in wanted
        }
        self._fresh: dict[tuple[str, str], dict[str, Any]] = {}
        self._fresh_only = False
        self._seen = Changes()
        self.verdict = Verdict(state=RolloutState.PROGRESSING, reason="Pending", message="starting")

    async def settled(self) -> Verdict:
        """Returns the first verdict that is not "progressing"."""
        async with changes(self._of.values(), self._is_ours) as seen:
            self._seen = seen
            await self._read()
            while True:
                self.verdict = self._judge(seen, datetime.now(UTC))
                if self.verdict.state is not RolloutState.PROGRESSING:
                    return self.verdict
                await seen.wait(self.verdict.recheck or timedelta(minutes=1))

    async def lost(self, grace: timedelta) -> Verdict:
        """Returns the first verdict that is "failed", or "not ready" for longer than ``grace``."""
        async with changes(self._of.values(), self._is_ours) as seen:
            self._seen = seen
            await self._read()
            since: datetime | None = None
            while True:
                now = datetime.now(UTC)
                self.verdict = self._judge(seen, now)
                if self.verdict.state is RolloutState.FAILED:
                    return self.verdict
                since = None if self.verdict.state is RolloutState.READY else since or now
                if since is not None and now - since > grace:
                    return self.verdict
                await seen.wait(timedelta(minutes=1) if since is None else grace)

    async def at_last(self, seconds: float) -> Verdict:
        """Judges after the deadline, by what is read now: a watch may have been cut off meanwhile.

        Raises:
            DependencyUnavailable: The plane does not answer, so nobody knows; no verdict.
        """
        await self._read()
        self._fresh_only = True
        verdict = self._judge(self._seen, datetime.now(UTC))
        if verdict.state is not RolloutState.PROGRESSING:
            return verdict
        return verdict.model_copy(
            update={
                "state": RolloutState.FAILED,
                "reason": "DeadlineExceeded",
                "message": f"not ready after {seconds} s: {verdict.message}",
            }
        )

    async def _read(self) -> None:
        """Reads each object once: the watch may still show it as it was before the apply."""

        async def read(obj: dict[str, Any]) -> None:
            key = obj["kind"], obj["metadata"]["name"]
            self._fresh[key] = await self._applied.live(obj, _FOLLOWED[obj["kind"]])

        await together(*(read(obj) for obj in self._wanted))

    def _judge(self, seen: Changes, now: datetime) -> Verdict:
        verdicts = []
        for obj in self._wanted:
            live = self._live(seen, obj["kind"], obj["metadata"]["name"])
            if obj["kind"] == "HTTPRoute":
                verdicts.append(judge_route(live, now))
            else:
                replica_sets, pods = seen.objects(REPLICA_SETS), seen.objects(PODS)
                verdicts.append(judge_deployment(live, replica_sets, pods, (), now=now))
        return combined(verdicts)

    def _live(self, seen: Changes, kind: str, name: str) -> dict[str, Any]:
        """Returns the newer of what the watch shows and what was read."""
        fresh = self._fresh[kind, name]
        for live in () if self._fresh_only else seen.objects(_FOLLOWED[kind]):
            meta = live["metadata"]
            if meta["name"] == name and meta["generation"] >= fresh["metadata"]["generation"]:
                return live
        return fresh

    def _is_ours(self, obj: dict[str, Any]) -> bool:
        """Tells whether an object belongs to what is followed, by namespace and component."""
        meta = obj["metadata"]
        return (
            meta.get("namespace") == self._namespace
            and meta["labels"].get(names.COMPONENT) in self._components
        )
