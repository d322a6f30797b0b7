"""Makefile, continuous integration, licence, changelog, decision records, imports."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import re
import subprocess
import tomllib
from pathlib import Path

import yaml

from runtime.plugin import PASSED_THROUGH

TARGETS = {
    "help", "setup", "demo", "demo-down", "test", "test-fast", "check", "compose", "chart",
    "format", "ha", "bench", "replay", "sweep", "proof", "crds", "guarantees",
}  # fmt: skip
APACHE_2 = "cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30"
HEADINGS = {"Added", "Changed", "Deprecated", "Removed", "Fixed", "Security"}


def recipes(root: Path) -> dict[str, list[str]]:
    """Target -> the lines of its recipe."""
    found: dict[str, list[str]] = {}
    target = ""
    for line in (root / "Makefile").read_text().splitlines():
        if match := re.match(r"([a-z-]+):(?!=)", line):
            target = match[1]
            found[target] = []
        elif line.startswith("\t"):
            found[target].append(line.strip())
    return found


def test_make_has_its_targets_each_at_most_one_line(root: Path) -> None:
    found = recipes(root)
    assert set(found) == TARGETS
    assert all(len(lines) <= 1 for lines in found.values())


def test_make_help_tells_every_target(root: Path) -> None:
    done = subprocess.run(
        ["make", "--no-print-directory", "help"],
        cwd=root,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    told = dict(line.split(maxsplit=1) for line in done.stdout.splitlines())
    assert set(told) == TARGETS


def test_make_calls_what_is_there(root: Path) -> None:
    lines = [line for recipe in recipes(root).values() for line in recipe]
    modules = {module for line in lines for module in re.findall(r"\$\(PYTHON\) -m (\S+)", line)}
    assert modules
    assert {module for module in modules if importlib.util.find_spec(module) is None} == set()
    files = {file for line in lines for file in re.findall(r"(scripts/\S+\.sh|tests/\S+)", line)}
    assert {file for file in files if not (root / file).exists()} == set()


def test_continuous_integration_runs_make_test_and_nothing_else(root: Path) -> None:
    script = root / ".ci/run"
    assert script.stat().st_mode & 0o111
    lines = [line for line in script.read_text().splitlines() if line and line[0] != "#"]
    assert lines == ["set -euo pipefail", 'cd "$(dirname "$0")/.."', "exec make test"]


def test_licence_is_the_whole_apache_licence(root: Path) -> None:
    assert hashlib.sha256((root / "LICENSE").read_bytes()).hexdigest() == APACHE_2
    project = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    assert project["license"] == "Apache-2.0"


def test_changelog_keeps_its_format(root: Path) -> None:
    text = (root / "CHANGELOG.md").read_text()
    assert text.startswith("# Changelog\n")
    versions = re.findall(r"^## (.+)$", text, flags=re.MULTILINE)
    assert versions[0] == "[Unreleased]"
    assert all(re.fullmatch(r"\[\d+\.\d+\.\d+] - \d{4}-\d\d-\d\d", one) for one in versions[1:])
    assert set(re.findall(r"^### (.+)$", text, flags=re.MULTILINE)) <= HEADINGS


def test_decision_records_are_complete_and_listed_in_order(root: Path) -> None:
    folder = root / "docs/decisions"
    records = sorted(folder.glob("[0-9]*.md"))
    assert [int(record.name[:4]) for record in records] == list(range(1, len(records) + 1))
    listed = re.findall(r"\((\d{4}-[^)]+\.md)\)", (folder / "README.md").read_text())
    assert listed == [record.name for record in records]
    for record in records:
        text = record.read_text()
        assert text.startswith(f"# {record.name[:4]}: ")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
        ]


def test_hooks_are_local(root: Path) -> None:
    hooks = yaml.safe_load((root / ".pre-commit-config.yaml").read_text())
    assert {repository["repo"] for repository in hooks["repos"]} == {"local"}


def test_what_a_procedure_does_finally_needs_no_running_loop(root: Path) -> None:
    """A run put out of the cache is closed where nothing may be awaited or asked of Temporal."""
    busy = [
        f"{path.relative_to(root)}:{statement.lineno}"
        for path in (root / "workflows").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Try)
        for statement in node.finalbody
        if not isinstance(statement, ast.Assign)
    ]
    assert not busy, "use `except (Exception, asyncio.CancelledError)` and the way without error"


def test_every_wait_of_a_procedure_ends_by_itself_and_says_why(root: Path) -> None:
    """Without a limit it may wait for its own work only: a task, a child, its handlers."""
    own = (".done()", "all_handlers_finished", "self._notices")
    endless = []
    for path in (root / "workflows").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            given = {keyword.arg for keyword in node.keywords}
            if node.func.attr == "wait_condition":
                told = {"timeout", "timeout_summary"} <= given
                told = told or any(one in ast.unparse(node.args[0]) for one in own)
            elif node.func.attr == "sleep" and ast.unparse(node.func.value) == "workflow":
                told = "summary" in given
            else:
                continue
            if not told:
                endless.append(f"{path.relative_to(root)}:{node.lineno}")
    assert not endless


def test_helpers_of_procedures_are_imported_once_and_procedures_for_each_run(root: Path) -> None:
    """A helper the sandbox imports again for each run costs every run; a procedure must be."""
    asks_temporal = ("from temporalio.client", "from workflows.registry")
    # They import procedures.
    again = {
        "workflows.registry",
        "workflows.promotions.carried",
        "workflows.promotions.ending",
        "workflows.sets.members",
    }
    for path in (root / "workflows").rglob("[a-z]*.py"):
        module = ".".join(path.relative_to(root).with_suffix("").parts)
        text = path.read_text()
        if "@workflow.defn" in text:
            assert module not in PASSED_THROUGH
        elif module not in again and not any(one in text for one in asks_temporal):
            assert module in PASSED_THROUGH, f"runtime/plugin.py: add {module}"


def test_every_activity_is_served(root: Path) -> None:
    """One that no worker has registered is tried in vain until its budget is used up."""
    texts = [path.read_text() for path in (root / "activities").rglob("*.py")]
    for path in (root / "activities").rglob("*.py"):
        made = re.findall(
            r"@activity\.defn(?:\(.*\))?\n    (?:async )?def (\w+)\(self", path.read_text()
        )
        for name in made:
            found = any(re.search(rf"[\w)]\.{name}\b[^(]", text) for text in texts)
            assert found, f"activities/serving: add {name}"
