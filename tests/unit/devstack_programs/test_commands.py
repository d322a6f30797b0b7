from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from devstack.programs.commands import run_logged, tail
from devstack.programs.errors import Cancelled, SourceFailed


def test_a_failed_command_shows_its_last_lines_and_its_log(tmp_path: Path) -> None:
    log = tmp_path / "log"

    with pytest.raises(SourceFailed) as failure:
        run_logged(
            ["sh", "-c", "seq 1 40; echo broken >&2; exit 3"], log=log, cancel=threading.Event()
        )

    assert "ended with status 3" in str(failure.value)
    assert str(log) in str(failure.value)
    assert "| broken" in str(failure.value)
    assert "| 5\n" not in str(failure.value)


def test_a_command_that_does_not_exist_is_a_failed_source(tmp_path: Path) -> None:
    with pytest.raises(SourceFailed, match="/nonexistent/go could not be started: No such file"):
        run_logged(["/nonexistent/go"], log=tmp_path / "log", cancel=threading.Event())


def test_a_command_given_up_is_gone_with_its_children(tmp_path: Path) -> None:
    cancel = threading.Event()
    pids = tmp_path / "pids"
    script = (
        "import os, subprocess, sys, time\n"
        "child = subprocess.Popen(['sleep', '100'])\n"
        f"open({str(pids)!r} + '.new', 'w').write(f'{{os.getpid()}} {{child.pid}}')\n"
        f"os.rename({str(pids)!r} + '.new', {str(pids)!r})\n"
        "child.wait()\n"
    )
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(
            run_logged, [sys.executable, "-c", script], log=tmp_path / "log", cancel=cancel
        )
        while not pids.exists():
            assert not running.done()
        cancel.set()
        with pytest.raises(Cancelled):
            running.result(20)

    assert not [pid for pid in pids.read_text().split() if is_running(int(pid))]


def is_running(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_a_tail_copes_with_bytes_that_are_no_text(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(b"one\n\xff\xfe\n")

    assert tail(log, 1).startswith("    | ")
