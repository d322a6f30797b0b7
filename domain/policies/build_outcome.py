"""Judges a build from its Argo Workflow: still running, whose fault, or what came out.

The exit code of the build script says whose fault it is: 42 and 43 are the user's, everything
else is technical. What the pod could not say itself (it was killed, evicted, never started) is
read from Argo's messages.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict

from domain.phases import Phase
from domain.policies.build_report import BuildReport, parse_report
from domain.policies.objects import LiveObject

BUILD_FAILED_CODE = 42
TEST_FAILED_CODE = 43
CLONE_FAULT_CODE = 50
PULL_FAULT_CODE = 51
PUSH_FAULT_CODE = 52

_USER_CODES = {
    BUILD_FAILED_CODE: "the build failed",
    TEST_FAILED_CODE: "the tests failed",
}
_FAULT_CODES = {
    CLONE_FAULT_CODE: "the repository could not be read",
    PULL_FAULT_CODE: "a base image could not be pulled",
    PUSH_FAULT_CODE: "the image could not be pushed",
}
_OUT_OF_TIME = re.compile(r"deadline|longer than the specified", re.IGNORECASE)
_STOPPED = re.compile(r"stopped with strategy|workflow shutdown", re.IGNORECASE)


class BuildVerdict(BaseModel):
    """What an Argo Workflow says about the build it runs."""

    model_config = ConfigDict(frozen=True)

    phase: Phase
    """Pending, Running, Succeeded, Failed (the user's code), Errored (technical), Cancelled."""
    message: str
    stage: str = ""
    """The stage that failed; empty when none did or it is not known."""
    exit_code: int | None = None
    pod: str = ""
    """The build pod; empty until it exists."""
    report: BuildReport = BuildReport()
    test_report: str = ""
    """Last lines of the tests; empty when none ran."""
    started: str = ""
    finished: str = ""
    """When, as Argo says it (RFC 3339); empty when it did not or has not."""


def judge_build(workflow: LiveObject) -> BuildVerdict:
    """Returns how a build stands. The image is known only when the phase is Succeeded."""
    status = workflow.get("status") or {}
    node = _pod_node(status)
    report = parse_report(_output(node, "report"))
    verdict = BuildVerdict(
        phase=Phase.RUNNING,
        message=str(node.get("message") or status.get("message") or "the build runs"),
        exit_code=_exit_code(node),
        pod=pod_name(workflow),
        report=report,
        test_report=_output(node, "tests"),
        stage=report.failed_stage,
        started=str(status.get("startedAt") or ""),
        finished=str(status.get("finishedAt") or ""),
    )
    match status.get("phase"):
        case "Succeeded":
            return _succeeded(verdict)
        case "Failed" | "Error":
            return _ended_badly(verdict, str(status.get("message", "")), workflow)
        case "Running":
            return verdict
        case _:
            message = str(status.get("message") or "the build waits for its pod")
            return verdict.model_copy(update={"phase": Phase.PENDING, "message": message})


def pod_name(workflow: LiveObject) -> str:
    """Returns the name of the build pod, empty until Argo has made one.

    A workflow of one container has one pod, and Argo names it like the workflow.
    """
    status = workflow.get("status") or {}
    if not _pod_node(status):
        return ""
    return str(workflow.get("metadata", {}).get("name", ""))


def _succeeded(verdict: BuildVerdict) -> BuildVerdict:
    if not verdict.report.digest:
        message = "the build pod ended well but named no digest"
        return verdict.model_copy(update={"phase": Phase.ERRORED, "message": message})
    return verdict.model_copy(
        update={"phase": Phase.SUCCEEDED, "message": f"pushed {verdict.report.digest}"}
    )


def _ended_badly(
    verdict: BuildVerdict, workflow_message: str, workflow: LiveObject
) -> BuildVerdict:
    said = f"{verdict.message} {workflow_message}"
    phase = Phase.ERRORED
    message = verdict.message
    if workflow.get("spec", {}).get("shutdown") or _STOPPED.search(said):
        phase, message = Phase.CANCELLED, "the build was stopped"
    elif verdict.exit_code in _USER_CODES:
        phase, message = Phase.FAILED, _USER_CODES[verdict.exit_code]
    elif verdict.exit_code in _FAULT_CODES:
        message = _FAULT_CODES[verdict.exit_code]
    elif _OUT_OF_TIME.search(said):
        limit = workflow.get("spec", {}).get("activeDeadlineSeconds")
        phase, message = Phase.FAILED, f"the build took longer than its limit of {limit} s"
    elif "OOMKilled" in said:
        phase, message = Phase.FAILED, "the build used more memory than its limit"
    return verdict.model_copy(update={"phase": phase, "message": message})


def _pod_node(status: Mapping[str, Any]) -> Mapping[str, Any]:
    nodes = status.get("nodes") or {}
    return next((node for node in nodes.values() if node.get("type") == "Pod"), {})


def _output(node: Mapping[str, Any], name: str) -> str:
    parameters = (node.get("outputs") or {}).get("parameters") or ()
    return next((str(each.get("value", "")) for each in parameters if each["name"] == name), "")


def _exit_code(node: Mapping[str, Any]) -> int | None:
    code = (node.get("outputs") or {}).get("exitCode")
    return None if code in {None, ""} else int(str(code))
