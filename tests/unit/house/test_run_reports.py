"""What `make test` tells at its end is what happened."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from scripts import check
from scripts.reports import Coverage, Report, required_coverage
from scripts.test import Run, StackFailed

JUNIT = """<testsuites><testsuite>
  <testcase classname="a" name="passes" time="0.5" />
  <testcase classname="a" name="fails" time="2.0"><failure message="no" /></testcase>
  <testcase classname="a" name="breaks" time="1.0"><error message="no" /></testcase>
  <testcase classname="a" name="waits" time="0.0"><skipped message="later" /></testcase>
</testsuite></testsuites>"""


@pytest.fixture
def junit(tmp_path: Path) -> Path:
    file = tmp_path / "unit.xml"
    file.write_text(JUNIT)
    return file


def test_failures_and_errors_both_count_as_failed(junit: Path) -> None:
    report = Report()
    report.add("unit", junit, 1)
    assert (report.passed, report.skipped) == (1, 1)
    assert report.failures == ["a::fails", "a::breaks"]


def test_a_run_that_broke_without_a_failing_test_is_a_failure(tmp_path: Path) -> None:
    report = Report()
    report.add("e2e", tmp_path / "never-written.xml", 3)
    assert report.failures == ["e2e: pytest ended with exit code 3"]


def test_the_slowest_come_first(junit: Path) -> None:
    report = Report()
    report.add("unit", junit, 1)
    assert [line.split()[-1] for line in report.slowest()][:2] == ["a::fails", "a::breaks"]


def test_last_line_and_exit_code_say_whether_anything_failed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("scripts.test.COVERAGE", tmp_path / "none")
    run = Run(seed=7)
    run.report.passed = 3
    assert run.conclude() == 0
    assert capsys.readouterr().out.splitlines()[-1] == "3 passed, 0 failed"
    run.report.failures.append("check: lint")
    assert run.conclude() == 1
    assert capsys.readouterr().out.splitlines()[-1] == "3 passed, 1 failed"


def test_coverage_below_what_is_asked_for_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    measured = [Coverage("domain", 99.0, 94.9), Coverage("workflows", 96.0, 96.0)]
    monkeypatch.setattr("scripts.test.coverage", lambda *_: measured)
    monkeypatch.setattr("scripts.test.required_coverage", lambda _: 95.0)
    run = Run(seed=7)
    assert run.conclude() == 1
    said = "coverage of domain/ below 95 % of lines or branches"
    assert run.report.failures == [said]


def test_required_coverage_is_none_where_none_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.coverage.report]\nshow_missing = true\n")
    assert required_coverage(tmp_path) == 0
    (tmp_path / "pyproject.toml").write_text("[tool.coverage.report]\nfail_under = 95\n")
    assert required_coverage(tmp_path) == 95


def test_a_stack_that_does_not_come_up_is_a_failure_and_is_removed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verbs: list[str] = []

    def stack(verb: str, *_arguments: str) -> None:
        verbs.append(verb)
        if verb == "up":
            raise StackFailed("pavane stack up ended with exit code 1")

    monkeypatch.setattr("scripts.test.stack", stack)
    run = Run(seed=7)
    run.on_stack()
    assert run.report.failures == ["pavane stack up ended with exit code 1"]
    assert verbs == ["reset", "up", "down"]


def test_checks_name_what_failed_and_go_on(capsys: pytest.CaptureFixture[str]) -> None:
    python = shutil.which("python3")
    assert python
    failed = check.run(
        {
            "first": (python, "-c", "import sys; print('why'); sys.exit(1)"),
            "second": (python, "-c", ""),
        }
    )
    assert failed == ["first"]
    told = capsys.readouterr().out
    assert "why" in told
    assert told.splitlines()[-1].split()[:2] == ["second", "ok"]
