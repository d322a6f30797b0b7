"""The page of guarantees says what the tests of faults say, and leaves no fault out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from devstack.errors import DevstackError
from devstack.faults.catalogue import catalogue, find

pytestmark = pytest.mark.unit


def generate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "scripts.generate_guarantees", *arguments],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    )


def test_page_is_what_the_tests_say(root: Path) -> None:
    done = generate(root, "--check")

    assert done.returncode == 0, done.stdout + done.stderr


def test_page_that_says_something_else_is_noticed_and_written_anew(
    root: Path, tmp_path: Path
) -> None:
    page = tmp_path / "guarantees.md"
    page.write_text("nothing can go wrong")

    noticed = generate(root, "--check", f"--page={page}")
    written = generate(root, f"--page={page}")

    assert (noticed.returncode, written.returncode) == (1, 0)
    assert page.read_text() == (root / "docs" / "guarantees.md").read_text()


def test_every_cause_a_test_names_is_a_fault_there_is(root: Path) -> None:
    rows = (root / "docs" / "guarantees.md").read_text()
    by_hand = rows.count("| by hand only |")

    assert all(f"`{name}" in rows for name in catalogue())
    assert by_hand < len(catalogue())


def test_faults_say_what_they_break_and_how_that_ends() -> None:
    assert all(one.breaks and one.undone for one in catalogue().values())
    assert all(one.end is None or not one.is_momentary for one in catalogue().values())


@pytest.mark.parametrize(
    ("name", "target", "profile", "words"),
    [
        ("nonsense", "", "full", "there is no fault 'nonsense'"),
        ("quota-exhausted", "", "core", "needs --on"),
        ("plane-cut", "acme", "core", "takes no --on"),
        ("argo-down", "", "core", "needs a stack with a node"),
    ],
)
def test_fault_that_cannot_be_caused_is_refused_with_the_reason(
    name: str, target: str, profile: str, words: str
) -> None:
    with pytest.raises(DevstackError, match=words):
        find(name, target, profile)
