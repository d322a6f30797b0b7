from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from domain.deliveries import HealthCheck
from domain.policies.health import judge_cron_job, judge_job, judge_object, run_state
from domain.policies.verdicts import RolloutState

pytestmark = pytest.mark.unit

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RULE = HealthCheck(
    api_version="example.org/v1",
    kind="Queue",
    ready="object.status.phase == 'Up'",
    failed="object.status.phase == 'Broken'",
    message="'queue is ' + object.status.phase",
)


def thing(status: dict[str, Any] | None = None, generation: int = 1) -> dict[str, Any]:
    return {
        "apiVersion": "example.org/v1",
        "kind": "Queue",
        "metadata": {"name": "jobs", "generation": generation},
        "status": status or {},
    }


def condition(kind: str, status: str = "True", **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": kind, "status": status, **more}]}


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({"phase": "Up"}, RolloutState.READY),
        ({"phase": "Broken"}, RolloutState.FAILED),
        ({"phase": "Starting"}, RolloutState.PROGRESSING),
        ({}, RolloutState.PROGRESSING),
    ],
)
def test_a_rule_of_the_class_speaks_for_its_kind(
    status: dict[str, Any], state: RolloutState
) -> None:
    assert judge_object(thing(status), [RULE]).state is state


def test_a_rule_tells_in_its_own_words() -> None:
    assert judge_object(thing({"phase": "Up"}), [RULE]).message == "queue is Up is well"


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ({}, RolloutState.READY),
        (condition("Ready"), RolloutState.READY),
        (condition("Ready", "False", message="no disk"), RolloutState.PROGRESSING),
        (condition("Stalled", message="bad spec"), RolloutState.FAILED),
        (condition("Ready") | {"observedGeneration": 0}, RolloutState.PROGRESSING),
        (condition("Odd", "False"), RolloutState.READY),
    ],
)
def test_without_a_rule_conditions_speak(status: dict[str, Any], state: RolloutState) -> None:
    assert judge_object(thing(status)).state is state


def job(status: dict[str, Any], name: str = "report-1", owner: str = "cron") -> dict[str, Any]:
    return {
        "kind": "Job",
        "metadata": {
            "name": name,
            "uid": f"uid-{name}",
            "creationTimestamp": f"2026-01-0{name[-1]}T00:00:00Z",
            "ownerReferences": [{"uid": owner, "controller": True}],
        },
        "status": status,
    }


def pod(name: str = "report-1-x") -> dict[str, Any]:
    return {
        "metadata": {
            "name": name,
            "ownerReferences": [{"uid": "uid-report-1", "controller": True}],
        },
        "status": {"containerStatuses": [{"name": "main"}]},
    }


def test_a_run_ends_complete_or_failed_with_the_pod_whose_log_tells() -> None:
    assert judge_job(job(condition("Complete")), [], NOW).state is RolloutState.READY
    failed = judge_job(job(condition("Failed", message="BackoffLimitExceeded")), [pod()], NOW)
    assert (failed.state, failed.pod, failed.container) == (
        RolloutState.FAILED,
        "report-1-x",
        "main",
    )
    assert "BackoffLimitExceeded" in failed.message
    running = judge_job(job({"active": 1}), [pod()], NOW)
    assert (running.state, running.message) == (
        RolloutState.PROGRESSING,
        "Job report-1 runs: 1 pods",
    )


def test_an_image_that_cannot_be_pulled_fails_a_run_at_once() -> None:
    stuck = pod()
    stuck["status"]["containerStatuses"][0]["state"] = {
        "waiting": {"reason": "InvalidImageName", "message": "bad"}
    }
    assert judge_job(job({"active": 1}), [stuck], NOW).state is RolloutState.FAILED


def test_a_timetable_is_well_and_tells_its_last_run() -> None:
    cron = {"metadata": {"uid": "cron"}, "spec": {"schedule": "@daily", "timeZone": "Etc/UTC"}}
    jobs = [
        job(condition("Complete"), "report-1"),
        job(condition("Failed"), "report-2"),
        job(condition("Complete"), "report-3", owner="other"),
    ]
    verdict = judge_cron_job(cron, jobs)
    assert verdict.state is RolloutState.READY
    assert verdict.message == "runs at @daily Etc/UTC; the last run report-2 failed"
    assert "suspended" in judge_cron_job({**cron, "spec": {"suspend": True}}, []).message


def test_a_run_is_succeeded_failed_or_running() -> None:
    assert [run_state(job(one)) for one in (condition("Complete"), condition("Failed"), {})] == [
        "Succeeded",
        "Failed",
        "Running",
    ]
