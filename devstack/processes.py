"""Starts, recognises and ends single processes.

A process is known by its id and its start time together: ids are used again, pairs are not.
"""

import asyncio
import contextlib
import ctypes
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from devstack.errors import PartFailed

_SET_PARENT_DEATH_SIGNAL = 1
_SET_CHILD_SUBREAPER = 36
_PAUSE = 0.02
SUCCESS = "exit status 0"
_LIBC = ctypes.CDLL(None, use_errno=True)
_LARGEST_LOG = 50_000_000
_TAIL = 4_000
_LONGEST_WORDS = 300
_INHERITED = (
    "HOME",
    "LANG",
    "LC_ALL",
    "LOGNAME",
    "NO_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "PATH",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TMPDIR",
    "TZ",
    "USER",
    "http_proxy",
    "https_proxy",
    "no_proxy",
)


@dataclass(frozen=True, slots=True)
class ProcessId:
    """One process for all time, until the machine boots again."""

    pid: int
    started: int
    """In clock ticks since boot, as the kernel tells it."""


def identify(pid: int) -> ProcessId | None:
    """The identity of a living process; None when there is none, or only its remains."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()
    if fields[0] in {"Z", "X"}:
        return None
    return ProcessId(pid, int(fields[19]))


def is_alive(process: ProcessId) -> bool:
    """Tells whether this very process still runs."""
    return identify(process.pid) == process


def boot_id() -> str:
    """Names this boot of the machine; process identities do not outlive it."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def base_environment() -> dict[str, str]:
    """The part of this process's environment that children may see."""
    return {name: os.environ[name] for name in _INHERITED if name in os.environ}


def last_words(log: Path, since: int = 0) -> str:
    """Returns the last line a process left in its log, shortened; empty = none.

    Args:
        log: Its log file.
        since: Size of the file when it began: what came before is of others.
    """
    try:
        with log.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(since if since <= end else 0, end - _TAIL))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return ""
    said = [line.strip() for line in lines if line.strip()]
    return said[-1][:_LONGEST_WORDS] if said else ""


class RunningProcess:
    """A child that leads a process group of its own and dies with this process."""

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], cwd: Path, log: Path) -> None:
        """Starts the child; its output is appended to the log.

        Raises:
            PartFailed: the program is not there or may not be run.
        """
        _make_room(log)
        self._log = log
        with log.open("ab") as output:
            self._said_before = output.tell()
            try:
                self._popen = subprocess.Popen(
                    list(argv),
                    env=dict(env),
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    preexec_fn=_die_with(os.getpid()),  # noqa: PLW1509 - this process has one thread
                )
            except OSError as error:
                message = f"{argv[0]} cannot be started: {error.strerror}"
                raise PartFailed(message) from error
        self._pidfd = os.pidfd_open(self._popen.pid)
        self._ended = asyncio.Event()
        asyncio.get_running_loop().add_reader(self._pidfd, self._on_end)
        found = identify(self._popen.pid)
        self.id = found if found is not None else ProcessId(self._popen.pid, 0)

    @property
    def last_words(self) -> str:
        """The last line it wrote; empty = it wrote none."""
        return last_words(self._log, self._said_before)

    @property
    def status(self) -> str | None:
        """How it ended, in words; None while it runs."""
        code = self._popen.returncode
        if code is None:
            return None
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit status {code}"

    async def wait(self) -> None:
        """Returns when the leader of the group has ended."""
        await self._ended.wait()

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Signals the whole group; nothing happens when it is gone."""
        if self._ended.is_set() and not _has_members(self._popen.pid):
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._popen.pid, number)

    async def stop(self, number: int, patience: timedelta) -> None:
        """Asks the group to end, and kills what is left of it after `patience`."""
        self.kill(number)
        deadline = asyncio.get_running_loop().time() + patience.total_seconds()
        while not (self._ended.is_set() and not _has_members(self._popen.pid)):
            if asyncio.get_running_loop().time() > deadline:
                self.kill()
            await asyncio.sleep(_PAUSE)

    def _on_end(self) -> None:
        self._popen.poll()
        asyncio.get_running_loop().remove_reader(self._pidfd)
        os.close(self._pidfd)
        self._ended.set()


def adopt_orphans() -> None:
    """Makes this process the parent of grandchildren that lose theirs, so that it can reap them."""
    _LIBC.prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _has_members(group: int) -> bool:
    """Tells whether a group whose leader ended still has members; reaps those that ended too."""
    with contextlib.suppress(ChildProcessError):
        while os.waitid(os.P_PGID, group, os.WEXITED | os.WNOHANG) is not None:
            pass
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


async def end_stale(processes: Sequence[ProcessId], patience: timedelta) -> list[ProcessId]:
    """Ends processes another supervisor left behind, and says which those were."""
    alive = [process for process in processes if is_alive(process)]
    for process in alive:
        _signal(process, signal.SIGTERM)
    deadline = asyncio.get_running_loop().time() + patience.total_seconds()
    left = alive
    while left := [process for process in left if is_alive(process)]:
        if asyncio.get_running_loop().time() > deadline:
            for process in left:
                _signal(process, signal.SIGKILL)
        await asyncio.sleep(_PAUSE)
    return alive


def _signal(process: ProcessId, number: signal.Signals) -> None:
    """Signals the group the process leads; the identity was checked just before."""
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(process.pid) == process.pid:
            os.killpg(process.pid, number)
        else:
            os.kill(process.pid, number)


def _die_with(parent: int) -> Callable[[], None]:
    """Makes the kernel kill the child when this process ends, however it ends."""
    prctl = _LIBC.prctl

    def arrange() -> None:
        prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def _make_room(log: Path) -> None:
    if log.exists() and log.stat().st_size > _LARGEST_LOG:
        log.replace(log.with_suffix(".log.1"))
