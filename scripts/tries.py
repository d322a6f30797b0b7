"""Gives tests on real servers a second try, and tells who needed it.

A test that passes only then has *raced*: it is no failure while there are few of them, but its
first failure is shown whole, because it is a bug to mend. Why: docs/decisions/0031.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

from scripts.reports import Report, failed, name_of

AT_MOST = 3
"""How many raced tests a run of all tests forgives."""
TESTS_FAILED = 1
"""How pytest ends when it ran all tests and some failed: what breaks in other ways is not tried."""


@dataclass(frozen=True)
class Tier:
    """The files of one tier's tries."""

    reports: Path
    folder: str

    @property
    def first(self) -> Path:
        """The report of the try that runs all tests."""
        return self.reports / f"{self.folder}.xml"

    @property
    def second(self) -> Path:
        """The report of the try of what failed."""
        return self.reports / f"{self.folder}-second-try.xml"

    def remembering(self) -> tuple[str, ...]:
        """Returns the options by which pytest remembers what failed, for this tier alone."""
        return ("-o", f"cache_dir={self.reports / f'{self.folder}-cache'}")

    def again(self, command: list[str]) -> list[str]:
        """Returns the command that runs only what failed when ``command`` ran, one by one."""
        report = f"--junitxml={self.second}"
        kept = [report if part.startswith("--junitxml=") else part for part in command]
        return [*kept, "-n", "0", "--last-failed", "--last-failed-no-failures=none"]


def worth(report: Report, file: Path, exit_code: int) -> list[str]:
    """Names the tests to try again: none when more failed than a run forgives."""
    if exit_code != TESTS_FAILED or not file.exists():
        return []
    names = sorted({name_of(case) for case in _cases(file) if failed(case)})
    return names if len(names) <= AT_MOST - len(report.raced) else []


def forgive(report: Report, tier: Tier, exit_code: int) -> None:
    """Takes what passed at the second try off the failures of ``report``, and keeps it as raced."""
    if exit_code not in {0, TESTS_FAILED} or not tier.second.exists():
        return
    again = _cases(tier.second)
    passed = {name_of(case) for case in again if case.find("skipped") is None}
    passed -= {name_of(case) for case in again if failed(case)}
    for case in _cases(tier.first):
        name = name_of(case)
        if failed(case) and name in passed:
            report.failures.remove(name)
            report.passed += name not in report.raced
            report.raced[name] = report.raced.get(name, "") + _told(case)


def tell(report: Report) -> list[str]:
    """Returns what the result of a run says of its raced tests, loudly; empty when none raced."""
    if not report.raced:
        return []
    lines: list[str] = []
    for name, told in report.raced.items():
        lines += [f"RACED {name}: passed only at the second try. Its first:", told.rstrip()]
    lines += [f"RACED {name}: passed only at the second try" for name in report.raced]
    return [*lines, f"{len(report.raced)} raced (at most {AT_MOST}): each is a bug to mend"]


def _cases(file: Path) -> list[ET.Element]:
    return list(ET.parse(file).iter("testcase"))  # noqa: S314 - our own pytest wrote the file


def _told(case: ET.Element) -> str:
    """Returns all that a failed test left: traceback, logs, what it printed."""
    return "".join(f"{part.text or part.get('message', '')}\n" for part in case)
