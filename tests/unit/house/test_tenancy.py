"""The page of tenancy says what the test of two hostile tenants tries."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.unit


def test_page_is_what_the_tests_try(root: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts.generate_tenancy", "--check"],
        cwd=root,
        check=False,
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stdout + done.stderr
