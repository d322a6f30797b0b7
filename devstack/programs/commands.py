"""Runs compilers and downloaders: output to a log file, ended when the work is given up."""

import contextlib
import os
import signal
import subprocess
from collections import deque
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Event

import psutil

from devstack.programs.errors import Cancelled, SourceFailed

_POLL = 0.2
_GRACE = 5.0
_TAIL = 15


def run_logged(
    argv: Sequence[str],
    *,
    log: Path,
    cancel: Event,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
) -> None:
    """Runs the command to its end, appending what it says to the log.

    Raises:
        SourceFailed: it could not be started or ended with an error; has its last lines.
        Cancelled: `cancel` was set meanwhile; the command and its children are gone.
    """
    with log.open("ab") as output:
        output.write(f"$ {' '.join(argv)}\n".encode())
        output.flush()
        try:
            process = subprocess.Popen(
                argv,
                cwd=cwd,
                env={**os.environ, **(env or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            message = f"{argv[0]} could not be started: {error.strerror}"
            raise SourceFailed(message) from error
        status = _wait(process, cancel)
    if status != 0:
        message = (
            f"{Path(argv[0]).name} {' '.join(argv[1:3])} ended with status {status}; "
            f"the whole log is {log}\n{tail(log)}"
        )
        raise SourceFailed(message)


def tail(log: Path, lines: int = _TAIL) -> str:
    """The last lines of a log, indented."""
    with log.open(errors="replace") as file:
        return "".join(f"    | {line}" for line in deque(file, maxlen=lines)).rstrip()


def _wait(process: subprocess.Popen[bytes], cancel: Event) -> int:
    try:
        while not cancel.is_set():
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.wait(timeout=_POLL)
    finally:
        if process.returncode is None:
            _end(process)
    message = "given up"
    raise Cancelled(message)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends the command and all it started: a child may live on when the command has ended."""
    family = [psutil.Process(process.pid)]
    family += family[0].children(recursive=True)
    os.killpg(process.pid, signal.SIGTERM)
    _, alive = psutil.wait_procs(family, timeout=_GRACE)
    for each in alive:
        with contextlib.suppress(psutil.NoSuchProcess):
            each.kill()
    psutil.wait_procs(alive)
    process.wait()
