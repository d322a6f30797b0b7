"""Puts the objects of a release and what came of them into a tree, and says how each one is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain import ids
from domain.deliveries import HealthCheck
from domain.deliveries.trees import ComponentTree, NodeHealth, TreeNode
from domain.policies.health import judge_cron_job, judge_job, judge_object
from domain.policies.objects import LiveObject, condition, is_controlled_by, name_of
from domain.policies.pods import Patience, judge_pod
from domain.policies.rollout import judge_deployment, judge_route, newest_replica_set
from domain.policies.runs import details_of
from domain.policies.verdicts import RolloutState, Verdict

MOST_NODES = 300
"""A tree travels through Temporal: with messages of the longest it stays well under its limits."""
_MESSAGE = 300
_ROUTES = frozenset({"HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"})
_HEALTH = {
    RolloutState.READY: NodeHealth.HEALTHY,
    RolloutState.PROGRESSING: NodeHealth.PROGRESSING,
    RolloutState.FAILED: NodeHealth.DEGRADED,
}
_GRAVITY = (
    NodeHealth.MISSING,
    NodeHealth.DEGRADED,
    NodeHealth.PROGRESSING,
    NodeHealth.HEALTHY,
)


@dataclass(frozen=True)
class Seen:
    """What there is on the plane: the objects of a release, and what controllers made of them."""

    objects: Mapping[str, LiveObject]
    """By kind and name; what is not there is missing."""
    replica_sets: Sequence[LiveObject] = ()
    pods: Sequence[LiveObject] = ()
    jobs: Sequence[LiveObject] = ()
    runs: int = 3
    """How many jobs of a timetable are told, besides those that go on."""


def node_id(kind: str, name: str) -> str:
    """Returns by what an object is known in a tree."""
    return f"{kind}/{name}"


def grown(
    tree: ComponentTree,
    wanted: Iterable[LiveObject],
    seen: Seen,
    checks: Sequence[HealthCheck],
    now: datetime,
) -> tuple[ComponentTree, timedelta | None]:
    """Returns the tree with its nodes, and when to look again although nothing changes.

    Args:
        tree: What is known of the place.
        wanted: Objects of the release, in its order.
        seen: What there is.
        checks: Rules of the class for kinds that say nothing of their health themselves.
        now: The present time.
    """
    judged = [_of_release(one, seen, checks, now) for one in wanted]
    nodes = [node for one, _ in judged for node in one]
    tops = [one[0] for one, _ in judged]
    worst = min(tops, key=lambda node: _GRAVITY.index(node.health), default=None)
    kept = _fewer(nodes)
    rechecks = [recheck for _, recheck in judged if recheck is not None]
    health, reason, message = NodeHealth.HEALTHY, "NothingToRun", "nothing is deployed there"
    if worst is not None:
        health, reason, message = worst.health, worst.reason, worst.message
        if health is NodeHealth.HEALTHY:
            reason, message = "Healthy", f"all {len(tops)} objects of the release are well"
    full = tree.model_copy(
        update={
            "health": health,
            "reason": reason,
            "message": message,
            "nodes": tuple(kept),
            "left_out": len(nodes) - len(kept),
        }
    )
    content = full.model_dump(mode="json", exclude={"hash"})
    return full.model_copy(update={"hash": ids.content_hash(content)}), min(rechecks, default=None)


def _of_release(
    wanted: LiveObject, seen: Seen, checks: Sequence[HealthCheck], now: datetime
) -> tuple[list[TreeNode], timedelta | None]:
    """Returns an object of the release and what came of it, itself first."""
    kind, name = str(wanted["kind"]), name_of(wanted)
    live = seen.objects.get(node_id(kind, name))
    if live is None:
        message = f"{kind} {name} is not on the plane"
        missing = _node(wanted, "", NodeHealth.MISSING, "Missing", message)
        return [missing], None
    live = {"apiVersion": wanted["apiVersion"], "kind": kind, **live}
    verdict = _verdict(live, seen, checks, now)
    top = _judged(live, "", verdict)
    below: list[TreeNode] = []
    if kind == "Deployment":
        below = _replica_sets(live, top.id, seen, now)
    elif kind == "CronJob":
        below = _jobs(live, top.id, seen, now)
    elif kind == "Job":
        below = _pods(live, top.id, seen, now)
    return [top, *below], verdict.recheck


def _verdict(live: LiveObject, seen: Seen, checks: Sequence[HealthCheck], now: datetime) -> Verdict:
    match live["kind"]:
        case "Deployment":
            return judge_deployment(live, seen.replica_sets, seen.pods, (), now=now)
        case "CronJob":
            return judge_cron_job(live, seen.jobs)
        case "Job":
            return judge_job(live, seen.pods, now)
        case "HorizontalPodAutoscaler":
            return _judge_autoscaler(live)
        case kind if kind in _ROUTES:
            return judge_route(live, now)
        case _:
            return judge_object(live, checks)


def _judge_autoscaler(live: LiveObject) -> Verdict:
    """An autoscaler that cannot measure leaves the replicas as they are: that is no health."""
    spec, status = live.get("spec", {}), live.get("status", {})
    active = condition(live, "ScalingActive")
    told = (
        f"{status.get('desiredReplicas', 0)} replicas wanted, "
        f"of {spec.get('minReplicas', 1)} to {spec.get('maxReplicas', 0)}"
    )
    if active.get("status") == "False" and active.get("reason") != "ScalingDisabled":
        message = f"cannot scale: {active.get('message', '')}".rstrip(": ")
        reason = str(active.get("reason") or "ScalingInactive")
        return Verdict(state=RolloutState.PROGRESSING, reason=reason, message=message)
    return Verdict(state=RolloutState.READY, reason="Scaling", message=told)


def _replica_sets(deployment: LiveObject, parent: str, seen: Seen, now: datetime) -> list[TreeNode]:
    """Returns the ReplicaSet of the present template, and older ones that still have pods."""
    uid = str(deployment.get("metadata", {}).get("uid", ""))
    newest = newest_replica_set(deployment, seen.replica_sets)
    nodes = []
    for one in sorted(seen.replica_sets, key=name_of):
        has_pods = bool(one.get("status", {}).get("replicas"))
        if not is_controlled_by(one, uid) or not (has_pods or one is newest):
            continue
        status, wanted = one.get("status", {}), int(one.get("spec", {}).get("replicas") or 0)
        ready = int(status.get("readyReplicas", 0))
        refused = condition(one, "ReplicaFailure")
        told = f"{ready} of {wanted} pods are ready"
        if one is not newest:
            told += ", of a release before"
        health, reason = NodeHealth.PROGRESSING, "Progressing"
        if refused.get("status") == "True":
            health, reason = NodeHealth.DEGRADED, str(refused.get("reason") or "ReplicaFailure")
            told = str(refused.get("message") or told)
        elif ready >= wanted and one is newest:
            health, reason = NodeHealth.HEALTHY, "Ready"
        own = {"apiVersion": "apps/v1", "kind": "ReplicaSet", **one}
        node = _node(own, parent, health, reason, told)
        nodes += [node, *_pods(one, node.id, seen, now)]
    return nodes


def _jobs(cron_job: LiveObject, parent: str, seen: Seen, now: datetime) -> list[TreeNode]:
    """Returns the runs that go on, and the last ones, the newest first."""
    uid = str(cron_job.get("metadata", {}).get("uid", ""))
    own = [one for one in seen.jobs if is_controlled_by(one, uid)]
    own.sort(key=lambda one: str(one.get("metadata", {}).get("creationTimestamp", "")))
    own.reverse()
    nodes = []
    for place, one in enumerate(own):
        if place >= seen.runs and not one.get("status", {}).get("active"):
            continue
        job = {"apiVersion": "batch/v1", "kind": "Job", **one}
        node = _judged(job, parent, judge_job(one, seen.pods, now))
        nodes += [node, *_pods(one, node.id, seen, now)]
    return nodes


def _pods(owner: LiveObject, parent: str, seen: Seen, now: datetime) -> list[TreeNode]:
    uid = str(owner.get("metadata", {}).get("uid", ""))
    own = sorted((one for one in seen.pods if is_controlled_by(one, uid)), key=name_of)
    return [_pod({"apiVersion": "v1", "kind": "Pod", **one}, parent, now) for one in own]


def _pod(pod: LiveObject, parent: str, now: datetime) -> TreeNode:
    status = pod.get("status", {})
    if pod.get("metadata", {}).get("deletionTimestamp"):
        told = "is being ended"
        return _node(pod, parent, NodeHealth.PROGRESSING, "Terminating", told)
    held_up = judge_pod(pod, now, Patience())
    if held_up is not None:
        return _judged(pod, parent, held_up)
    phase = str(status.get("phase", "Pending"))
    if phase == "Failed":
        reason = str(status.get("reason") or phase)
        return _node(pod, parent, NodeHealth.DEGRADED, reason, str(status.get("message", "")))
    restarts = sum(int(one.get("restartCount", 0)) for one in status.get("containerStatuses") or ())
    told = f"on node {pod.get('spec', {}).get('nodeName') or '(none yet)'}, restarts: {restarts}"
    if phase == "Succeeded" or condition(pod, "Ready").get("status") == "True":
        reason = "Completed" if phase == "Succeeded" else "Running"
        return _node(pod, parent, NodeHealth.HEALTHY, reason, told)
    return _node(pod, parent, NodeHealth.PROGRESSING, _waits_for(pod) or phase, told)


def _waits_for(pod: LiveObject) -> str:
    """Returns why a pod is not ready, as its containers tell: ContainerCreating."""
    for one in pod.get("status", {}).get("containerStatuses") or ():
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            return str(waiting["reason"])
        if "running" in (one.get("state") or {}) and not one.get("ready"):
            return "NotReady"
    return ""


def _judged(live: LiveObject, parent: str, verdict: Verdict) -> TreeNode:
    return _node(live, parent, _HEALTH[verdict.state], verdict.reason, verdict.message)


def _node(live: LiveObject, parent: str, health: NodeHealth, reason: str, message: str) -> TreeNode:
    kind, name = str(live["kind"]), name_of(live)
    return TreeNode(
        id=node_id(kind, name),
        parent=parent,
        api_version=str(live["apiVersion"]),
        kind=kind,
        name=name,
        health=health,
        reason=reason,
        message=message[:_MESSAGE],
        details=details_of(live),
    )


def _fewer(nodes: Sequence[TreeNode]) -> list[TreeNode]:
    """Leaves out what nothing hangs on and is well, from the end, while there are too many."""
    parents = {node.parent for node in nodes}
    surplus = len(nodes) - MOST_NODES
    kept: list[TreeNode] = []
    for node in reversed(nodes):
        idle = node.health is NodeHealth.HEALTHY and node.parent and node.id not in parents
        if surplus > 0 and idle:
            surplus -= 1
        else:
            kept.append(node)
    kept.reverse()
    return kept[:MOST_NODES]
