"""Follows the objects of one release until they are ready or fail, by the events of its plane."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from activities.common.clocks import Clock
from activities.common.kinds import CRON_JOBS, DEPLOYMENTS, JOBS, PODS, REPLICA_SETS
from activities.common.observation import Changes, changes
from activities.common.together import together
from activities.planes.applied import AppliedObjects
from clients.kubernetes.kinds import Kind
from clients.kubernetes.shared import SharedWatches
from domain.deliveries import FollowRollout
from domain.policies.health import judge_cron_job, judge_job, judge_object
from domain.policies.rollout import judge_deployment, judge_route
from domain.policies.verdicts import RolloutState, Verdict, combined
from domain.rendering import labels as names

_BESIDE: dict[str, tuple[Kind, ...]] = {
    "Deployment": (DEPLOYMENTS, REPLICA_SETS, PODS),
    "CronJob": (CRON_JOBS, JOBS),
    "Job": (JOBS, PODS),
}
"""What is watched to judge an object of a kind; of any other kind itself only."""


class Follower:
    """Judges the objects of one release again whenever something about them changes."""

    def __init__(
        self,
        applied: AppliedObjects,
        watches: SharedWatches,
        request: FollowRollout,
        wanted: Sequence[tuple[dict[str, Any], Kind]],
        clock: Clock,
    ) -> None:
        """``wanted`` has each object with its kind as the API server has it."""
        self._applied = applied
        self._clock = clock
        self._namespace = request.bundle.namespace
        self._health = request.health
        self._wanted = [obj for obj, _ in wanted]
        self._kinds = {_type_of(obj): kind for obj, kind in wanted}
        self._of = {kind: watches.of(kind, labels=names.COMPONENT) for kind in _watched(wanted)}
        self._components = {
            obj["metadata"].get("labels", {}).get(names.COMPONENT) for obj in self._wanted
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
                self.verdict = self._judge(seen, self._clock.now())
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
                now = self._clock.now()
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
        verdict = self._judge(self._seen, self._clock.now())
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
            self._fresh[key] = await self._applied.live(obj, self._kinds[_type_of(obj)])

        await together(*(read(obj) for obj in self._wanted))

    def _judge(self, seen: Changes, now: datetime) -> Verdict:
        return combined(self._verdict(seen, self._live(seen, obj), now) for obj in self._wanted)

    def _verdict(self, seen: Changes, live: dict[str, Any], now: datetime) -> Verdict:
        match live["kind"]:
            case "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute":
                return judge_route(live, now)
            case "Deployment":
                replica_sets, pods = seen.objects(REPLICA_SETS), seen.objects(PODS)
                return judge_deployment(live, replica_sets, pods, (), now=now)
            case "CronJob":
                return judge_cron_job(live, seen.objects(JOBS))
            case "Job":
                return judge_job(live, seen.objects(PODS), now)
            case _:
                return judge_object(live, self._health)

    def _live(self, seen: Changes, wanted: dict[str, Any]) -> dict[str, Any]:
        """Returns the newer of what the watch shows and what was read."""
        name = wanted["metadata"]["name"]
        fresh = self._fresh[wanted["kind"], name]
        kind = self._kinds[_type_of(wanted)]
        for live in () if self._fresh_only else seen.objects(kind):
            if live["metadata"]["name"] == name and _generation(live) >= _generation(fresh):
                # What a list answers does not tell the kind of its items.
                return {"apiVersion": kind.api_version, "kind": kind.kind, **live}
        return {"apiVersion": kind.api_version, "kind": kind.kind, **fresh}

    def _is_ours(self, obj: dict[str, Any]) -> bool:
        """Tells whether an object belongs to what is followed, by namespace and component."""
        meta = obj["metadata"]
        return (
            meta.get("namespace") == self._namespace
            and meta["labels"].get(names.COMPONENT) in self._components
        )


def _watched(wanted: Iterable[tuple[dict[str, Any], Kind]]) -> set[Kind]:
    return {each for obj, kind in wanted for each in _BESIDE.get(obj["kind"], (kind,))}


def _type_of(obj: dict[str, Any]) -> tuple[str, str]:
    return obj["apiVersion"], obj["kind"]


def _generation(live: dict[str, Any]) -> int:
    return int(live["metadata"].get("generation", 0))
