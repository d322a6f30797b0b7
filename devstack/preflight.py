"""What a stack needs of the machine, asked before any work starts."""

import ctypes
import os
import shutil
from pathlib import Path

import psutil

from devstack.errors import PreflightFailed
from devstack.state import StateDir

_GIGABYTE = 1_000_000_000
_DISK = {"core": 1 * _GIGABYTE, "ha": 2 * _GIGABYTE, "full": 6 * _GIGABYTE}
_MEMORY = {"core": int(1.2 * _GIGABYTE), "ha": 3 * _GIGABYTE, "full": 3 * _GIGABYTE}
_WATCHERS = {"core": 16, "ha": 24, "full": 32}
"""Instances of inotify that the programs of a stack open: 13 and 24, and some for pods."""
_WATCHER_LIMIT = Path("/proc/sys/fs/inotify/max_user_instances")
_LIBC = ctypes.CDLL(None, use_errno=True)
_NET_ADMIN, _SYS_ADMIN = 12, 21
_NAMESPACES = ("net", "mnt", "pid", "uts", "ipc")
_TOOLS = {"nsenter": "util-linux"}
"""What the stack cannot install itself; the rest is in the catalogue of programs."""


def check(profile: str, state: StateDir) -> None:
    """Makes sure the machine can carry the stack.

    Raises:
        PreflightFailed: with every problem found, each saying what, why and what to do.
    """
    problems = [*_space(profile, state), *_watchers(profile)]
    if profile == "full":
        problems += _rights()
    if profile == "ha" and os.geteuid() == 0 and shutil.which("setpriv") is None:
        problems.append("setpriv is not there, and PostgreSQL refuses to be root; install it: "
                        "apt-get install util-linux")  # fmt: skip
    if problems:
        raise PreflightFailed(problems)


def _space(profile: str, state: StateDir) -> list[str]:
    problems = []
    place = next(folder for folder in (state.root, *state.root.parents) if folder.exists())
    free = shutil.disk_usage(place).free
    if free < _DISK[profile]:
        problems.append(
            f"{place} has {_gigabytes(free)} free, the {profile} stack needs "
            f"{_gigabytes(_DISK[profile])}; free some, or point PAVANE_STATE_DIR elsewhere"
        )
    available = psutil.virtual_memory().available
    if available < _MEMORY[profile]:
        problems.append(
            f"{_gigabytes(available)} of memory are available, the {profile} stack needs "
            f"{_gigabytes(_MEMORY[profile])}; end something that uses memory"
        )
    return problems


def _watchers(profile: str) -> list[str]:
    wanted = _WATCHERS[profile]
    left = spare_watchers(wanted)
    if left >= wanted:
        return []
    limit = int(_WATCHER_LIMIT.read_text())
    problem = (
        f"{left} of the {limit} inotify instances a user may have are left, the {profile} stack "
        f"needs {wanted}, or its programs end with 'too many open files'; take another stack "
        f"down, or allow more: sysctl fs.inotify.max_user_instances={max(1024, limit * 2)}"
    )
    return [problem]


def spare_watchers(wanted: int) -> int:
    """Returns how many instances of inotify can be had now, up to what is wanted."""
    opened: list[int] = []
    try:
        while len(opened) < wanted and (handle := _LIBC.inotify_init1(os.O_CLOEXEC)) >= 0:
            opened.append(handle)
        return len(opened)
    finally:
        for handle in opened:
            os.close(handle)


def _rights() -> list[str]:
    if os.geteuid() != 0:
        problem = (
            "the full stack makes network namespaces and runs pods, which only root may; "
            "use sudo, or `--profile core`, which needs no root"
        )
        return [problem]
    problems = []
    for bit, name in ((_SYS_ADMIN, "CAP_SYS_ADMIN"), (_NET_ADMIN, "CAP_NET_ADMIN")):
        if not effective_capabilities() >> bit & 1:
            problems.append(
                f"this process lacks {name}, so no pod can run; start the container or machine "
                "with it (a privileged container has it), or use `--profile core`"
            )
    missing = [name for name in _NAMESPACES if not Path(f"/proc/self/ns/{name}").exists()]
    if missing:
        problems.append(
            f"the kernel has no {', '.join(missing)} namespaces, which pods need; "
            "use another kernel, or `--profile core`"
        )
    problems += [
        f"{tool} is not there; install it: apt-get install {package}"
        for tool, package in _TOOLS.items()
        if shutil.which(tool) is None
    ]
    return problems


def effective_capabilities() -> int:
    """The effective capabilities of this process, one bit each."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def _gigabytes(amount: int) -> str:
    return f"{amount / _GIGABYTE:.1f} GB"
