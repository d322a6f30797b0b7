"""Judges objects that are neither Deployment nor route: by CEL rules, conditions, Jobs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from domain import expressions
from domain.deliveries import HealthCheck
from domain.errors import InvalidRequest
from domain.policies.objects import (
    LiveObject,
    condition,
    is_controlled_by,
    is_observed,
    name_of,
)
from domain.policies.pods import Patience, judge_pod
from domain.policies.verdicts import RolloutState, Verdict

_GOOD = ("Ready", "Available", "Healthy", "Succeeded", "Complete", "Established", "Programmed")
"""Conditions that say that an object is well, by custom of most controllers."""
_BAD = ("Failed", "Stalled")
"""Conditions that say that waiting does not mend it."""


def judge_object(live: LiveObject, checks: Sequence[HealthCheck] = ()) -> Verdict:
    """Returns how an object of any kind is.

    A rule of the class for its kind speaks first; then its conditions; an object that has neither
    is well once it is there.
    """
    for check in checks:
        if (check.api_version, check.kind) == (live.get("apiVersion"), live.get("kind")):
            return _by_rule(live, check)
    return _by_conditions(live)


def judge_job(job: LiveObject, pods: Iterable[LiveObject], now: datetime) -> Verdict:
    """Returns how a run is: ready when it is complete, failed with the reason of its pods."""
    subject = f"Job {name_of(job)}"
    complete, failed = condition(job, "Complete"), condition(job, "Failed")
    if complete.get("status") == "True":
        return _verdict(RolloutState.READY, "Complete", f"{subject} is complete")
    uid = str(job.get("metadata", {}).get("uid", ""))
    own = [pod for pod in pods if is_controlled_by(pod, uid)]
    newest = max(own, key=_born, default=None)
    if failed.get("status") == "True":
        message = f"{subject} failed: {failed.get('message', failed.get('reason', ''))}"
        verdict = _verdict(RolloutState.FAILED, str(failed.get("reason", "Failed")), message)
        return verdict if newest is None else verdict.model_copy(update=_log_of(newest))
    if condition(job, "Suspended").get("status") == "True":
        return _verdict(RolloutState.PROGRESSING, "Suspended", f"{subject} is suspended")
    held_up = judge_pod(newest, now, Patience()) if newest is not None else None
    if held_up is not None and held_up.reason != "CrashLoopBackOff":
        # How often a crash is tried again is for the Job to say.
        return held_up
    active = int(job.get("status", {}).get("active", 0))
    return _verdict(RolloutState.PROGRESSING, "Running", f"{subject} runs: {active} pods")


def judge_cron_job(cron_job: LiveObject, jobs: Iterable[LiveObject]) -> Verdict:
    """Returns how a timetable is: well once it is there; the last run is told beside it.

    A run that failed belongs to what it ran then, so it does not fail what is deployed now.
    """
    spec = cron_job.get("spec", {})
    uid = str(cron_job.get("metadata", {}).get("uid", ""))
    if spec.get("suspend"):
        told = "suspended: no run begins by itself"
    else:
        told = f"runs at {spec.get('schedule', '')} {spec.get('timeZone', '')}".rstrip()
    newest = max((job for job in jobs if is_controlled_by(job, uid)), key=_born, default=None)
    if newest is not None:
        told += f"; the last run {name_of(newest)} {run_state(newest).lower()}"
    return _verdict(RolloutState.READY, "Scheduled", told)


def run_state(job: LiveObject) -> str:
    """Returns Succeeded, Failed or Running."""
    if condition(job, "Complete").get("status") == "True":
        return "Succeeded"
    return "Failed" if condition(job, "Failed").get("status") == "True" else "Running"


def _by_rule(live: LiveObject, check: HealthCheck) -> Verdict:
    variables = {"object": dict(live)}
    said = _text(check.message, variables) or f"{live.get('kind')} {name_of(live)}"
    if check.failed and _holds(check.failed, variables):
        return _verdict(RolloutState.FAILED, "Unhealthy", f"{said} failed by the rule of its class")
    if _holds(check.ready, variables):
        return _verdict(RolloutState.READY, "Healthy", f"{said} is well")
    return _verdict(RolloutState.PROGRESSING, "Progressing", f"{said} is not well yet")


def _holds(expression: str, variables: Mapping[str, Any]) -> bool:
    """A field that is not there yet makes a rule not hold."""
    try:
        return expressions.evaluate(expression, variables) is True
    except InvalidRequest:
        return False


def _text(expression: str, variables: Mapping[str, Any]) -> str:
    try:
        return str(expressions.evaluate(expression, variables)) if expression else ""
    except InvalidRequest:
        return ""


def _by_conditions(live: LiveObject) -> Verdict:
    subject = f"{live.get('kind')} {name_of(live)}"
    status = live.get("status") or {}
    if "observedGeneration" in status and not is_observed(live):
        return _verdict(
            RolloutState.PROGRESSING, "Pending", f"{subject} is not yet seen by its controller"
        )
    for kind in _BAD:
        fact = condition(live, kind)
        if fact.get("status") == "True":
            message = f"{subject}: {fact.get('message') or fact.get('reason') or kind}"
            return _verdict(RolloutState.FAILED, str(fact.get("reason") or kind), message)
    for kind in _GOOD:
        fact = condition(live, kind)
        if not fact:
            continue
        if fact.get("status") == "True":
            return _verdict(
                RolloutState.READY, str(fact.get("reason") or kind), f"{subject}: {kind}"
            )
        message = f"{subject} is not {kind}: {fact.get('message') or fact.get('reason') or ''}"
        return _verdict(
            RolloutState.PROGRESSING, str(fact.get("reason") or f"Not{kind}"), message.rstrip(": ")
        )
    return _verdict(RolloutState.READY, "Present", f"{subject} is there")


def _born(live: LiveObject) -> str:
    return str(live.get("metadata", {}).get("creationTimestamp", ""))


def _log_of(pod: LiveObject) -> dict[str, str]:
    statuses: Any = pod.get("status", {}).get("containerStatuses") or ({},)
    return {"pod": name_of(pod), "container": str(statuses[0].get("name", ""))}


def _verdict(state: RolloutState, reason: str, message: str) -> Verdict:
    return Verdict(state=state, reason=reason, message=message)
