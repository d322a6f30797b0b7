"""What the end of a Job or of an Argo Workflow says about the tests of a gate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from domain.policies.objects import first_condition

_REPORT = "report"
"""Output parameter of an Argo Workflow that is the report of its tests."""
_REPORT_LIMIT = 8_000
_DEADLINES = ("exceeded its deadline", "longer than the specified deadline", "Max duration limit")


class GateRunVerdict(NamedTuple):
    """How tests ended."""

    passed: bool | None
    """None = nobody knows: they did not end, or could not be carried out."""
    reason: str
    report: str = ""
    """What they told by themselves; empty = see their log."""


def judge_gate_job(
    job: Mapping[str, Any], environment: str, too_long: str
) -> GateRunVerdict | None:
    """Returns how the tests of a Job ended; None = they did not yet."""
    conditions = job.get("status", {}).get("conditions")
    if first_condition(conditions, "Complete").get("status") == "True":
        return _told(environment, passed=True)
    failed = first_condition(conditions, "Failed")
    if failed.get("status") != "True":
        return None
    if failed.get("reason") == "DeadlineExceeded":
        return GateRunVerdict(None, too_long)
    return _told(environment, passed=False)


def judge_gate_workflow(
    found: Mapping[str, Any], environment: str, too_long: str
) -> GateRunVerdict | None:
    """Returns how the tests of an Argo Workflow ended; None = they did not yet.

    Only *Failed* is the tests' own word. *Error* is Argo's: no such template, a refused pod.
    """
    status = found.get("status", {})
    phase, message = status.get("phase", ""), str(status.get("message", ""))
    report = _report(status, found["metadata"]["name"])
    if phase == "Succeeded":
        return _told(environment, passed=True)._replace(report=report)
    if phase == "Failed":
        if _is_deadline(status, message):
            return GateRunVerdict(None, too_long, report)
        said = _told(environment, passed=False)
        why = f"{said.reason}: {message}" if message else said.reason
        return GateRunVerdict(False, why, report)
    if phase == "Error":
        return GateRunVerdict(None, f"Argo could not run the tests: {message}", report)
    return None


def _told(environment: str, *, passed: bool) -> GateRunVerdict:
    return GateRunVerdict(passed, f"the tests {'passed' if passed else 'failed'} in {environment}")


def _is_deadline(status: Mapping[str, Any], message: str) -> bool:
    """Argo tells it in the message of the Workflow, or of a step of it."""
    nodes = status.get("nodes") or {}
    messages = [message, *(str(one.get("message", "")) for one in nodes.values())]
    return any(sign in one for one in messages for sign in _DEADLINES)


def _report(status: Mapping[str, Any], name: str) -> str:
    """Returns the report that the Workflow, or the pod it consists of, gives out."""
    nodes = status.get("nodes") or {}
    outputs = (status.get("outputs") or {}, (nodes.get(name) or {}).get("outputs") or {})
    for given in outputs:
        for one in given.get("parameters") or ():
            if one.get("name") == _REPORT:
                return str(one.get("value", ""))[-_REPORT_LIMIT:].strip()
    return ""
