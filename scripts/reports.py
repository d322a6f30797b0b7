"""What a test run has to tell: counts and times from pytest's reports, coverage from its data."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree as ET

SLOWEST = 10


@dataclass
class Report:
    """Sums over all tiers of one run."""

    passed: int = 0
    skipped: int = 0
    failures: list[str] = field(default_factory=list)
    """One line for each test, check or stage that failed."""
    durations: list[tuple[float, str]] = field(default_factory=list)
    """Seconds and name of each test."""
    raced: dict[str, str] = field(default_factory=dict)
    """Tests that passed only at the second try, with the output of their first."""

    def add(self, tier: str, file: Path, exit_code: int) -> None:
        """Adds one tier's report; a run that broke without a failing test counts as a failure."""
        failures = len(self.failures)
        if file.exists():
            # The file was written by the pytest of this run.
            for case in ET.parse(file).iter("testcase"):  # noqa: S314
                self._add_case(case)
        if exit_code != 0 and len(self.failures) == failures:
            self.failures.append(f"{tier}: pytest ended with exit code {exit_code}")

    def _add_case(self, case: ET.Element) -> None:
        name = name_of(case)
        self.durations.append((float(case.get("time", "0")), name))
        if failed(case):
            self.failures.append(name)
        elif case.find("skipped") is not None:
            self.skipped += 1
        else:
            self.passed += 1

    def slowest(self) -> list[str]:
        """Returns the slowest tests, the slowest first, one line each."""
        ordered = sorted(self.durations, reverse=True)[:SLOWEST]
        return [f"{seconds:7.2f} s  {name}" for seconds, name in ordered]


def name_of(case: ET.Element) -> str:
    """Returns the name of a test as results tell it."""
    return f"{case.get('classname', '')}::{case.get('name', '')}"


def failed(case: ET.Element) -> bool:
    """Tells whether a test, or what it stands on, failed."""
    return case.find("failure") is not None or case.find("error") is not None


@dataclass(frozen=True)
class Coverage:
    """How much of one package the tests of a run went through, in percent."""

    package: str
    lines: float
    branches: float

    def __str__(self) -> str:
        return f"{self.package}/ {self.lines:.1f} % of lines, {self.branches:.1f} % of branches"


def coverage(data: Path, root: Path) -> list[Coverage]:
    """Reads the coverage of each measured package; empty when nothing was measured."""
    if not data.exists():
        return []
    target = data.with_suffix(".json")
    command = [sys.executable, "-m", "coverage", "json", "--quiet", f"--data-file={data}"]
    done = subprocess.run([*command, "-o", target], cwd=root, check=False)
    if done.returncode != 0:
        return []
    sums: dict[str, list[int]] = {}
    for name, file in json.loads(target.read_text())["files"].items():
        summary = file["summary"]
        counts = ("covered_lines", "num_statements", "covered_branches", "num_branches")
        row = sums.setdefault(Path(name).parts[0], [0, 0, 0, 0])
        for position, count in enumerate(counts):
            row[position] += summary.get(count, 0)
    return [
        Coverage(package, _percent(row[0], row[1]), _percent(row[2], row[3]))
        for package, row in sorted(sums.items())
    ]


def required_coverage(root: Path) -> float:
    """Reads the percentage pyproject.toml asks for (`fail_under`); 0 = it asks for none."""
    tools = tomllib.loads((root / "pyproject.toml").read_text())["tool"]
    return float(tools["coverage"]["report"].get("fail_under", 0))


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 100.0
