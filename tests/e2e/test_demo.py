from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.database import DemoDatabase

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]


def test_the_demo_goes_as_told_from_commits_to_production_and_back_to_what_did_well(
    stack: dict[str, str], stack_name: str
) -> None:
    """The demo itself, on the shared stack: it checks what it tells and fails when it is not so."""
    try:
        told = subprocess.run(
            [sys.executable, "-m", "scripts.demo", "--name", stack_name],
            cwd=ROOT,
            env={**os.environ, **stack},
            check=False,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
    finally:
        DemoDatabase(stack_name, "").remove()

    assert told.returncode == 0, told.stdout[-8000:]
    assert ", 0 failed; it still answers with" in told.stdout
    assert re.search(r"meanwhile, 0 failed; the service is signed in as visits_[ab]", told.stdout)
    assert "crashed: the setting DATABASE_URL is missing" in told.stdout
    assert "dev@example.test asked for it, and somebody else must approve" in told.stdout
    assert "✓ counted: approved by ada@example.test" in told.stdout
    assert re.search(r"lost its health: .* rolled back to web-production-", told.stdout)
    assert "without anybody having done anything" in told.stdout
    assert re.search(r"\d+ facts of acme are as they were written", told.stdout)
    assert "Temporal UI" in told.stdout
