"""Makes the objects of a release so on a plane and waits until they are ready."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

from temporalio import activity

from activities.bundles import objects_of
from activities.heartbeats import heartbeating
from activities.kinds import DEPLOYMENTS, HTTP_ROUTES, PODS, REPLICA_SETS
from activities.log_tails import log_tail
from activities.namespaces import check_owner
from activities.observation import changes
from clients.kubernetes.cluster import Cluster
from clients.kubernetes.shared import SharedWatch, SharedWatches
from clients.objects import ObjectStore
from domain.deliveries import Applied, ApplyRelease, FollowRollout, RolloutReady
from domain.errors import NotFound, RolloutFailed
from domain.policies.drift import said
from domain.policies.rollout import judge_deployment, judge_route
from domain.policies.verdicts import RolloutState, Verdict, combined
from domain.rendering import labels as names
from domain.rendering.diff import diff_objects

_FOLLOWED = {"Deployment": DEPLOYMENTS, "HTTPRoute": HTTP_ROUTES}


class RolloutActivities:
    """Effects on a data plane, and the waiting for their end."""

    def __init__(self, cluster: Cluster, watches: SharedWatches, objects: ObjectStore) -> None:
        self._cluster = cluster
        self._watches = watches
        self._objects = objects

    @activity.defn
    async def apply_release(self, request: ApplyRelease) -> Applied:
        """Applies the objects in order, then prunes what the previous release had besides.

        Idempotent: server-side apply of equal content changes nothing, pruning what is gone is
        no error. Cancel: stops between two objects; the caller restores. Heartbeat: the number of
        objects applied.

        Raises:
            FieldConflict: Another manager owns fields; ``facts`` names them.
            Denied: The namespace belongs to another organization.
        """
        wanted = await objects_of(request.bundle, self._objects)
        previous = await objects_of(request.previous, self._objects)
        await check_owner(self._cluster, request.bundle.namespace, request.organization)
        for done, obj in enumerate(wanted):
            activity.heartbeat(done)
            await self._cluster.apply(obj, force=request.force_conflicts)
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
        )

    @activity.defn
    async def follow_rollout(self, request: FollowRollout) -> RolloutReady:
        """Waits until every workload and route of the release is ready.

        Idempotent: a reading. Fed by the shared watches of the plane; nothing is polled. Cancel:
        at once. Heartbeat: what is waited for.

        Raises:
            RolloutFailed: Something is broken in a way that waiting does not mend, or the
                deadline passed; ``facts`` has the reason and the container's last lines.
        """
        wanted = [
            obj
            for obj in await objects_of(request.bundle, self._objects)
            if obj["kind"] in _FOLLOWED and (not request.only or said(obj) in request.only)
        ]
        follower = _Follower(self._cluster, self._watches, request.bundle.namespace, wanted)
        async with heartbeating(lambda: follower.verdict.message):
            try:
                async with asyncio.timeout(request.deadline_seconds):
                    verdict = await follower.settled()
            except TimeoutError:
                verdict = follower.verdict.model_copy(
                    update={
                        "state": RolloutState.FAILED,
                        "reason": "DeadlineExceeded",
                        "message": f"not ready after {request.deadline_seconds} s: "
                        f"{follower.verdict.message}",
                    }
                )
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


class _Follower:
    """Judges the objects of one release again whenever something about them changes."""

    def __init__(
        self,
        cluster: Cluster,
        watches: SharedWatches,
        namespace: str,
        wanted: list[dict[str, Any]],
    ) -> None:
        self._cluster = cluster
        self._namespace = namespace
        self._wanted = wanted
        self._of = {
            kind: watches.of(kind, labels=names.COMPONENT)
            for kind in (DEPLOYMENTS, REPLICA_SETS, PODS, HTTP_ROUTES)
            if kind is not HTTP_ROUTES or any(obj["kind"] == "HTTPRoute" for obj in wanted)
        }
        self._fresh: dict[tuple[str, str], dict[str, Any]] = {}
        self.verdict = Verdict(state=RolloutState.PROGRESSING, reason="Pending", message="starting")

    async def settled(self) -> Verdict:
        """Returns the first verdict that is not "progressing"."""
        async with changes(self._of.values(), self._is_ours) as seen:
            await self._read()
            while True:
                self.verdict = self._judge(datetime.now(UTC))
                if self.verdict.state is not RolloutState.PROGRESSING:
                    return self.verdict
                await seen.wait(self.verdict.recheck or timedelta(minutes=1))

    async def _read(self) -> None:
        """Reads each object once: the watch may still show it as it was before the apply."""
        for obj in self._wanted:
            name = obj["metadata"]["name"]
            self._fresh[obj["kind"], name] = await self._cluster.get(
                _FOLLOWED[obj["kind"]], name, self._namespace
            )

    def _judge(self, now: datetime) -> Verdict:
        verdicts = []
        for obj in self._wanted:
            live = self._live(obj["kind"], obj["metadata"]["name"])
            if obj["kind"] == "HTTPRoute":
                verdicts.append(judge_route(live, now))
            else:
                replica_sets = self._all(self._of[REPLICA_SETS])
                pods = self._all(self._of[PODS])
                verdicts.append(judge_deployment(live, replica_sets, pods, (), now=now))
        return combined(verdicts)

    def _live(self, kind: str, name: str) -> dict[str, Any]:
        """Returns the newer of what the watch shows and what was read."""
        fresh = self._fresh[kind, name]
        seen = self._of[_FOLLOWED[kind]].store.get((self._namespace, name))
        if seen is None or seen["metadata"]["generation"] < fresh["metadata"]["generation"]:
            return fresh
        return seen

    def _all(self, watch: SharedWatch) -> list[dict[str, Any]]:
        return [obj for (namespace, _), obj in watch.store.items() if namespace == self._namespace]

    def _is_ours(self, obj: dict[str, Any]) -> bool:
        return bool(obj["metadata"].get("namespace") == self._namespace)
