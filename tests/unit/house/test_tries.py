"""What fails on real servers is tried once more, and who needed that is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts import tries
from scripts.reports import Report
from scripts.test import Run

RACY = """
from pathlib import Path

import pytest

def been(name):
    with Path(__file__).with_name(name).open("a") as tries:
        tries.write("x")
    return Path(__file__).with_name(name).read_text()

def test_passes():
    been("passes")

def test_races():
    print("what it saw")
    assert been("races") == "xx"

@pytest.fixture
def place():
    yield
    assert been("place") == "xx"

def test_leaves_its_place_in_disorder_once(place):
    pass
"""
NEVER = """
def test_never_passes():
    print("all in vain")
    assert 1 == 2
"""
PROJECT = """
[tool.pytest.ini_options]
asyncio_default_fixture_loop_scope = "session"
[tool.coverage.report]
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, whose tests nobody else runs."""
    monkeypatch.setattr("scripts.test.ROOT", tmp_path)
    monkeypatch.setattr("scripts.test.REPORTS", tmp_path)
    monkeypatch.setattr("scripts.test.COVERAGE", tmp_path / "coverage")
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    return tmp_path


def test_what_passes_at_the_second_try_has_raced_and_is_told_whole(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = project / "tests" / "integration"
    folder.mkdir(parents=True)
    (folder / "test_it.py").write_text(RACY + NEVER)
    run = Run(seed=7)
    run.tier("integration", ("integration",), {}, twice=True)
    raced = "tests.integration.test_it::test_races"
    disorder = "tests.integration.test_it::test_leaves_its_place_in_disorder_once"
    assert set(run.report.raced) == {raced, disorder}
    assert run.report.failures == ["tests.integration.test_it::test_never_passes"]
    assert (folder / "passes").read_text() == "x"
    run.report.failures.clear()
    capfd.readouterr()
    assert run.conclude() == 0
    told = capfd.readouterr().out
    assert "assert 'x' == 'xx'" in told
    assert "what it saw" in told
    assert "all in vain" not in told
    assert f"RACED {raced}: passed only at the second try" in told
    assert "2 raced (at most 3): each is a bug to mend" in told
    assert told.splitlines()[-1].endswith("passed, 2 raced, 0 failed")


def test_tiers_without_servers_get_no_second_try(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    def execute(command: list[str], _: object) -> int:
        ran.append(command)
        failing(project, "raced").rename(project / "unit.xml")
        return 1

    monkeypatch.setattr("scripts.test.execute", execute)
    run = Run(seed=7)
    run.tier("unit", ("unit",), {})
    assert (run.report.failures, run.report.raced) == (["a::raced"], {})
    assert len(ran) == 1
    run.tier("unit", ("unit",), {}, twice=True)
    assert len(ran) == 3


def failing(folder: Path, *names: str) -> Path:
    cases = "".join(
        f'<testcase classname="a" name="{name}"><failure /></testcase>' for name in names
    )
    file = folder / "first.xml"
    file.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return file


def test_a_run_forgives_three_raced_tests_and_no_more(tmp_path: Path) -> None:
    report = Report()
    assert tries.worth(report, failing(tmp_path, "b", "a", "c"), 1) == ["a::a", "a::b", "a::c"]
    assert tries.worth(report, failing(tmp_path, "b", "a", "c", "d"), 1) == []
    errors_of_collection = 2
    assert tries.worth(report, failing(tmp_path, "a"), errors_of_collection) == []
    report.raced = {"another tier::raced": "", "another tier::raced too": ""}
    assert tries.worth(report, failing(tmp_path, "a"), 1) == ["a::a"]
    assert tries.worth(report, failing(tmp_path, "a", "b"), 1) == []


def test_a_second_try_that_broke_frees_nothing(tmp_path: Path) -> None:
    tier = tries.Tier(tmp_path, "integration")
    passed = '<testsuite><testcase classname="a" name="raced" /></testsuite>'
    failing(tmp_path, "raced").rename(tier.first)
    tier.second.write_text(passed)
    report = Report(failures=["a::raced"])
    tries.forgive(report, tier, exit_code=3)
    assert (report.failures, report.raced) == (["a::raced"], {})
    tries.forgive(report, tier, exit_code=0)
    assert (report.failures, list(report.raced)) == ([], ["a::raced"])
