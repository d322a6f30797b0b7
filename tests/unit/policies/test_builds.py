from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.phases import Phase
from domain.policies.build_outcome import judge_build
from domain.policies.build_report import parse_marker, parse_report
from tests.unit.policies.live import workflow

pytestmark = pytest.mark.unit

DIGEST = f"sha256:{'a' * 64}"
REPORT = f"""\
stage clone 0.933 ok
cache hit
base registry/base/python:3.11@sha256:1
stage build 8.028 ok
stage push 0.351 ok
digest {DIGEST}
"""


def test_report_is_read_line_by_line() -> None:
    report = parse_report(REPORT)
    assert [(each.name, each.seconds) for each in report.stages] == [
        ("clone", 0.933),
        ("build", 8.028),
        ("push", 0.351),
    ]
    assert report.digest == DIGEST
    assert report.base_images == ("registry/base/python:3.11@sha256:1",)
    assert (report.cache_hit, report.failed_stage) == (True, "")


def test_authors_are_told_each_once_and_say_nothing_else() -> None:
    text = "author dev@example.test\nauthor dev@example.test\nauthor ada@example.test digest x"
    assert parse_report(text).authors == ("dev@example.test",)


def test_failed_stage_is_told() -> None:
    assert parse_report("stage clone 1 ok\nstage build 2.5 failed").failed_stage == "build"


@given(text=st.text())
def test_no_text_breaks_the_report_and_none_makes_a_digest(text: str) -> None:
    assert parse_report(text).digest == ""
    assert parse_report(f"{text}\ndigest {DIGEST}").digest == DIGEST


def test_half_written_lines_are_left_out() -> None:
    report = parse_report("stage build x ok\ndigest sha256:1\nstage build 1 maybe\nstage")
    assert (report.stages, report.digest) == ((), "")


def test_marker_lines_divide_the_log() -> None:
    marker = parse_marker("##pavane stage=test start=1795479691.585\n")
    assert marker is not None
    assert (marker.stage, marker.begins, marker.at) == ("test", True, 1795479691.585)
    end = parse_marker("##pavane stage=test end=7")
    assert end is not None
    assert not end.begins


@pytest.mark.parametrize(
    "line", ["", "STEP 1/6", "##pavane stage=party start=1", " ##pavane stage=test start=1"]
)
def test_other_lines_are_no_markers(line: str) -> None:
    assert parse_marker(line) is None


def judged(phase: str | None, **facts: Any) -> tuple[Phase, str]:
    verdict = judge_build(workflow(phase, **facts))
    return verdict.phase, verdict.message


def test_success_gives_the_digest() -> None:
    verdict = judge_build(
        workflow("Succeeded", node={"phase": "Succeeded"}, exit_code="0", report=REPORT, tests="ok")
    )
    assert (verdict.phase, verdict.report.digest) == (Phase.SUCCEEDED, DIGEST)
    assert (verdict.test_report, verdict.exit_code, verdict.pod) == ("ok", 0, "web-cccc")


def test_success_without_a_digest_is_a_technical_fault() -> None:
    assert judged("Succeeded", node={}, exit_code=0) == (
        Phase.ERRORED,
        "the build pod ended well but named no digest",
    )


@pytest.mark.parametrize(
    ("code", "phase", "message"),
    [
        ("42", Phase.FAILED, "the build failed"),
        ("43", Phase.FAILED, "the tests failed"),
        ("50", Phase.ERRORED, "the repository could not be read"),
        ("51", Phase.ERRORED, "a base image could not be pulled"),
        ("52", Phase.ERRORED, "the image could not be pushed"),
        ("1", Phase.ERRORED, "Error (exit code 1)"),
    ],
)
def test_exit_code_says_whose_fault_it_is(code: str, phase: Phase, message: str) -> None:
    node = {"message": f"Error (exit code {code})"}
    report = "stage build 2 failed"
    verdict = judge_build(workflow("Failed", node=node, exit_code=code, report=report))
    assert (verdict.phase, verdict.message, verdict.stage) == (phase, message, "build")


def test_what_the_pod_could_not_say_is_read_from_argo() -> None:
    late = {"message": "Pod was active on the node longer than the specified deadline"}
    assert judged("Failed", node=late, activeDeadlineSeconds=60) == (
        Phase.FAILED,
        "the build took longer than its limit of 60 s",
    )
    assert judged("Failed", node={"message": "OOMKilled (exit code 137)"}, exit_code=137) == (
        Phase.FAILED,
        "the build used more memory than its limit",
    )
    assert judged("Error", node={"message": "pod deleted"}) == (Phase.ERRORED, "pod deleted")
    assert judged("Failed", message="The node was low on resource") == (
        Phase.ERRORED,
        "The node was low on resource",
    )


def test_a_stopped_build_is_cancelled_whatever_its_exit_code() -> None:
    stopped = (Phase.CANCELLED, "the build was stopped")
    assert judged("Failed", node={}, exit_code=42, shutdown="Terminate") == stopped
    assert judged("Failed", message="Stopped with strategy 'Stop'") == stopped


def test_a_build_that_waits_for_its_pod_is_pending() -> None:
    verdict = judge_build(workflow(None))
    assert (verdict.phase, verdict.pod) == (Phase.PENDING, "")
    assert verdict.message == "the build waits for its pod"
    assert judged("Pending", message="Unschedulable")[1] == "Unschedulable"
    assert judge_build({"metadata": {"name": "x"}}).phase is Phase.PENDING


def test_a_running_build_tells_what_its_pod_waits_for() -> None:
    assert judged("Running", node={"message": "ContainerCreating"}) == (
        Phase.RUNNING,
        "ContainerCreating",
    )
    assert judged("Running", node={}) == (Phase.RUNNING, "the build runs")


def test_report_names_the_sbom_and_what_the_scanner_said() -> None:
    report = parse_report(f"sbom {DIGEST}\nscan refused 2 critical in openssl\n")
    assert report.sbom == DIGEST
    assert (report.scan.verdict, report.scan.reason) == ("refused", "2 critical in openssl")
    assert parse_report("sbom none\nscan perhaps so").scan.verdict == "unknown"
