"""Judges a rollout from the live objects: progressing, ready or failed, and why.

Only the pods of the newest ReplicaSet count: those of older ones belong to the release that is
being replaced and may well be broken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from domain.policies.objects import (
    LiveObject,
    condition,
    first_condition,
    is_controlled_by,
    is_observed,
    name_of,
    remaining,
)
from domain.policies.pods import Patience, judge_pod
from domain.policies.verdicts import RolloutState, Verdict

_REPLICA_SET = re.compile(r'ReplicaSet "(?P<name>[^"]+)"')
_REVISION = "deployment.kubernetes.io/revision"
_REFUSALS = {
    "exceeded quota": "QuotaExceeded",
    "violates PodSecurity": "PodSecurityViolation",
    "is forbidden": "FailedCreate",
    "is invalid": "FailedCreate",
}


def judge_deployment(
    deployment: LiveObject,
    replica_sets: Iterable[LiveObject],
    pods: Iterable[LiveObject],
    events: Iterable[LiveObject],
    *,
    now: datetime,
    patience: Patience | None = None,
) -> Verdict:
    """Returns how far the rollout of a Deployment is.

    Args:
        deployment: The live Deployment.
        replica_sets: ReplicaSets of its namespace; others than its own are ignored.
        pods: Pods of its namespace; others than those of its newest ReplicaSet are ignored.
        events: Events of its namespace; the newest warning about its pods is told while waiting.
        now: The present time; faults that may pass are judged by how long they last.
        patience: How long those are waited for; None = the defaults.
    """
    if not is_observed(deployment):
        return _progressing("Pending", f"{_subject(deployment)} is not yet seen by its controller")
    if _is_complete(deployment):
        ready = _wanted(deployment)
        return Verdict(
            state=RolloutState.READY,
            reason="Ready",
            message=f"{ready} of {ready} replicas are ready",
            replicas=ready,
        )
    newest = newest_replica_set(deployment, replica_sets)
    own = pods_of(newest, pods)
    faults = [
        verdict
        for pod in own
        if (verdict := judge_pod(pod, now, patience or Patience())) is not None
    ]
    refused = _judge_creation(deployment, newest)
    if refused is not None:
        faults.insert(0, refused)
    failed = [fault for fault in faults if fault.state is RolloutState.FAILED]
    if failed:
        return failed[0]
    late = _judge_deadline(deployment, newest, own, events)
    return late or _waiting(deployment, own, events, faults)


def newest_replica_set(
    deployment: LiveObject, replica_sets: Iterable[LiveObject]
) -> LiveObject | None:
    """Returns the ReplicaSet of the present template, None while it is not there yet."""
    uid = str(deployment.get("metadata", {}).get("uid", ""))
    revision = _revision(deployment)
    for candidate in replica_sets:
        if is_controlled_by(candidate, uid) and revision and _revision(candidate) == revision:
            return candidate
    return None


def pods_of(replica_set: LiveObject | None, pods: Iterable[LiveObject]) -> list[LiveObject]:
    """Returns the pods of a ReplicaSet that are not being deleted, by name."""
    if replica_set is None:
        return []
    uid = str(replica_set.get("metadata", {}).get("uid", ""))
    own = [
        pod
        for pod in pods
        if is_controlled_by(pod, uid) and not pod.get("metadata", {}).get("deletionTimestamp")
    ]
    return sorted(own, key=name_of)


def judge_route(route: LiveObject, now: datetime, patience: Patience | None = None) -> Verdict:
    """Returns whether a Gateway API route is taken up by every gateway it names.

    A backend that cannot be resolved is waited for a little: the gateway may see the Service later
    than the route. A route that is not accepted stays so until it is changed.
    """
    generation = int(route.get("metadata", {}).get("generation", 0))
    wanted = len(route.get("spec", {}).get("parentRefs") or ())
    parents = route.get("status", {}).get("parents") or ()
    seen = 0
    for parent in parents:
        for kind in ("Accepted", "ResolvedRefs"):
            fact = first_condition(parent.get("conditions"), kind)
            if int(fact.get("observedGeneration", 0)) < generation or "status" not in fact:
                break
            if fact["status"] != "True":
                return _judge_refused_route(route, kind, fact, now, patience or Patience())
        else:
            seen += 1
    if seen >= max(wanted, 1):
        return Verdict(state=RolloutState.READY, reason="Accepted", message="route is accepted")
    return _progressing("RoutePending", f"route {name_of(route)} is not yet seen by its gateway")


def _judge_refused_route(
    route: LiveObject, kind: str, fact: LiveObject, now: datetime, patience: Patience
) -> Verdict:
    message = f"route {name_of(route)} is refused by its gateway: {fact.get('message', kind)}"
    reason = str(fact.get("reason") or f"Not{kind}")
    left = timedelta(0)
    if kind == "ResolvedRefs":
        left = remaining(fact.get("lastTransitionTime"), patience.route, now)
    state = RolloutState.PROGRESSING if left else RolloutState.FAILED
    return Verdict(state=state, reason=reason, message=message, recheck=left or None)


def _judge_creation(deployment: LiveObject, newest: LiveObject | None) -> Verdict | None:
    """Returns why pods cannot be created: failed when trying again gives the same answer."""
    fact = condition(newest or {}, "ReplicaFailure")
    if newest is None:
        fact = condition(deployment, "Progressing")
        if fact.get("reason") != "ReplicaSetCreateError":
            return None
    elif fact.get("status") != "True":
        return None
    message = str(fact.get("message", ""))
    for refusal, reason in _REFUSALS.items():
        if refusal in message:
            return Verdict(
                state=RolloutState.FAILED,
                reason=reason,
                message=f"pods cannot be created: {message}",
            )
    return _progressing(str(fact.get("reason", "FailedCreate")), f"creating pods: {message}")


def _judge_deadline(
    deployment: LiveObject,
    newest: LiveObject | None,
    pods: Sequence[LiveObject],
    events: Iterable[LiveObject],
) -> Verdict | None:
    fact = condition(deployment, "Progressing")
    if fact.get("reason") != "ProgressDeadlineExceeded":
        return None
    late = _REPLICA_SET.search(str(fact.get("message", "")))
    if late is not None and late["name"] != name_of(newest or {}):
        # It tells of the template before: the controller has seen the present one, not yet judged.
        return None
    unready = [pod for pod in pods if condition(pod, "Ready").get("status") != "True"]
    hint = newest_warning(events, unready)
    message = f"{_count(deployment, pods)} within the progress deadline"
    container = _first_unready(unready[0]) if unready else ""
    return Verdict(
        state=RolloutState.FAILED,
        reason="ProgressDeadlineExceeded",
        message=f"{message}: {hint}" if hint else message,
        pod=name_of(unready[0]) if unready else "",
        container=container,
    )


def _waiting(
    deployment: LiveObject,
    pods: Sequence[LiveObject],
    events: Iterable[LiveObject],
    faults: Sequence[Verdict],
) -> Verdict:
    available = min(int(deployment.get("status", {}).get("availableReplicas", 0)), len(pods))
    if faults:
        rechecks = [fault.recheck for fault in faults if fault.recheck is not None]
        return faults[0].model_copy(
            update={"replicas": available, "recheck": min(rechecks, default=None)}
        )
    hint = newest_warning(events, pods)
    message = _count(deployment, pods)
    return Verdict(
        state=RolloutState.PROGRESSING,
        reason="Progressing",
        message=f"{message}: {hint}" if hint else message,
        replicas=available,
    )


def newest_warning(events: Iterable[LiveObject], pods: Iterable[LiveObject]) -> str:
    """Returns the message of the newest warning about one of the pods, empty without one."""
    uids = {pod.get("metadata", {}).get("uid") for pod in pods}
    warnings = [
        event
        for event in events
        if event.get("type") == "Warning" and event.get("involvedObject", {}).get("uid") in uids
    ]
    newest = max(warnings, key=_last_seen, default=None)
    return "" if newest is None else str(newest.get("message", "")).strip()


def _last_seen(event: LiveObject) -> str:
    series = event.get("series") or {}
    return str(
        series.get("lastObservedTime") or event.get("lastTimestamp") or event.get("eventTime") or ""
    )


def _is_complete(deployment: LiveObject) -> bool:
    """Tells whether updated = desired = available and no pod of an older release is left."""
    status = deployment.get("status", {})
    wanted = _wanted(deployment)
    counts = (status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas"))
    return all(int(count) == wanted for count in counts)


def _wanted(deployment: LiveObject) -> int:
    replicas = deployment.get("spec", {}).get("replicas")
    return 1 if replicas is None else int(replicas)


def _count(deployment: LiveObject, pods: Sequence[LiveObject]) -> str:
    status = deployment.get("status", {})
    wanted = _wanted(deployment)
    updated = int(status.get("updatedReplicas", 0))
    ready = min(int(status.get("availableReplicas", 0)), updated)
    if pods:
        # The status adds up the pods of all releases: those before may be the ready ones.
        ready = sum(condition(pod, "Ready").get("status") == "True" for pod in pods)
    if int(status.get("replicas", 0)) > updated >= wanted and ready >= wanted:
        return f"{int(status['replicas']) - updated} replicas of the previous release are leaving"
    return f"{ready} of {wanted} replicas of the new release are ready"


def _first_unready(pod: LiveObject) -> str:
    statuses = pod.get("status", {}).get("containerStatuses") or ()
    return next((str(status["name"]) for status in statuses if not status.get("ready")), "")


def _subject(deployment: LiveObject) -> str:
    return f"Deployment {name_of(deployment)}"


def _revision(live: LiveObject) -> str:
    return str((live.get("metadata", {}).get("annotations") or {}).get(_REVISION, ""))


def _progressing(reason: str, message: str) -> Verdict:
    return Verdict(state=RolloutState.PROGRESSING, reason=reason, message=message)
