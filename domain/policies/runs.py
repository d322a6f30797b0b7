"""What is told of a timetable and of its runs, besides how they are."""

from __future__ import annotations

from domain.policies.health import run_state
from domain.policies.objects import LiveObject, condition

MOST_RUNS = 100
"""That are listed at once."""
_MANUAL = "cronjob.kubernetes.io/instantiate"
_YES = "true"


def details_of(live: LiveObject) -> dict[str, str]:
    """Returns the details of a CronJob or a Job; of other kinds there are none."""
    kind = live.get("kind")
    told = {}
    if kind == "CronJob":
        told = _timetable(live)
    elif kind == "Job":
        told = _run(live)
    return {name: value for name, value in told.items() if value}


def is_yes(details: dict[str, str], name: str) -> bool:
    """Tells whether a detail holds."""
    return details.get(name) == _YES


def _timetable(live: LiveObject) -> dict[str, str]:
    spec = live.get("spec", {})
    return {
        "schedule": str(spec.get("schedule", "")),
        "timeZone": str(spec.get("timeZone", "")),
        "suspended": _YES if spec.get("suspend") else "",
    }


def _run(live: LiveObject) -> dict[str, str]:
    meta, status, state = live.get("metadata", {}), live.get("status", {}), run_state(live)
    ended = condition(live, "Failed" if state == "Failed" else "Complete")
    finished = status.get("completionTime") or ended.get("lastTransitionTime") or ""
    return {
        "state": state,
        "manual": _YES if _MANUAL in (meta.get("annotations") or {}) else "",
        "started": str(status.get("startTime") or meta.get("creationTimestamp") or ""),
        "finished": str(finished) if state != "Running" else "",
        "message": str(ended.get("message", ""))[:300] if state == "Failed" else "",
    }
