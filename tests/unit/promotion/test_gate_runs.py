"""What the end of tests says about a version, and what says nothing."""

from __future__ import annotations

from typing import Any

import pytest

from domain.policies.promotion.gate_runs import judge_gate_job, judge_gate_workflow

pytestmark = pytest.mark.unit

LATE = "too late"


def argo(phase: str, message: str = "", **nodes: Any) -> dict[str, Any]:
    status = {"phase": phase, "message": message, "nodes": nodes}
    return {"metadata": {"name": "gate-smoke-1"}, "status": status}


@pytest.mark.parametrize(
    ("found", "passed", "reason"),
    [
        (argo("Succeeded"), True, "the tests passed in dev"),
        (argo("Failed", "exit code 3"), False, "the tests failed in dev: exit code 3"),
        (argo("Failed", "Step exceeded its deadline"), None, LATE),
        (
            argo(
                "Failed",
                one={"message": "Pod was active on the node longer than the specified deadline"},
            ),
            None,
            LATE,
        ),
        (argo("Failed", "the deadline of the order is wrong"), False, "the tests failed in dev: "),
        (argo("Error", '"x" not found'), None, 'Argo could not run the tests: "x" not found'),
    ],
)
def test_only_the_tests_own_word_closes_a_gate(
    found: dict[str, Any], passed: bool | None, reason: str
) -> None:
    verdict = judge_gate_workflow(found, "dev", LATE)
    assert verdict is not None
    assert verdict.passed is passed
    assert verdict.reason.startswith(reason)


@pytest.mark.parametrize("phase", ["", "Pending", "Running"])
def test_an_argo_workflow_that_runs_is_no_verdict(phase: str) -> None:
    assert judge_gate_workflow(argo(phase), "dev", LATE) is None


def test_the_report_is_what_the_workflow_or_its_only_pod_gives_out() -> None:
    outputs = {"parameters": [{"name": "report", "value": " 3 of 3 \n"}]}
    found = argo("Succeeded")
    found["status"]["nodes"] = {"gate-smoke-1": {"outputs": outputs}, "other": {}}
    verdict = judge_gate_workflow(found, "dev", LATE)
    assert verdict is not None
    assert verdict.report == "3 of 3"


def test_a_job_that_took_too_long_says_nothing() -> None:
    def job(kind: str, reason: str = "") -> dict[str, Any]:
        return {"status": {"conditions": [{"type": kind, "status": "True", "reason": reason}]}}

    verdicts = [
        judge_gate_job(one, "dev", LATE)
        for one in (job("Complete"), job("Failed"), job("Failed", "DeadlineExceeded"), {})
    ]
    assert [one.passed if one else "runs" for one in verdicts] == [True, False, None, "runs"]
