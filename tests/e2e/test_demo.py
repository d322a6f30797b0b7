from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

ROOT = Path(__file__).resolve().parents[2]


def test_commits_become_a_running_service_and_a_crash_is_restored_without_a_failed_request(
    stack: dict[str, str], stack_name: str
) -> None:
    """The demo itself, on the shared stack: it checks what it tells and fails when it is not so."""
    told = subprocess.run(
        [sys.executable, "-m", "scripts.demo", "--name", stack_name],
        cwd=ROOT,
        env={**os.environ, **stack},
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )

    assert told.returncode == 0, told.stdout[-8000:]
    assert ", 0 failed; it still answers with" in told.stdout
    assert "crashed: the setting DATABASE_URL is missing" in told.stdout
    assert "Temporal UI" in told.stdout
