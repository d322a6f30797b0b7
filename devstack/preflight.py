"""What a stack needs of the machine, asked before any work starts."""

import ctypes
import os
import shutil
from pathlib import Path

import psutil

from devstack.errors import PreflightFailed
from devstack.state import StateDir

_GIGABYTE = 1_000_000_000
_DISK = {"core": 1 * _GIGABYTE, "full": 6 * _GIGABYTE}
_MEMORY = {"core": int(1.2 * _GIGABYTE), "full": 3 * _GIGABYTE}
_NET_ADMIN, _SYS_ADMIN = 12, 21
_NAMESPACES = ("net", "mnt", "pid", "uts", "ipc")
_TOOLS = {"nsenter": "util-linux"}
"""What the stack cannot install itself; the rest is in the catalogue of programs."""
_FILE_WATCHES = 24
"""Inotify instances of a full stack: its Kubernetes has 18. A kubelet without one ends at once."""
_FILE_WATCHES_LIMIT = "fs.inotify.max_user_instances"


def check(profile: str, state: StateDir) -> None:
    """Makes sure the machine can carry the stack.

    Raises:
        PreflightFailed: with every problem found, each saying what, why and what to do.
    """
    problems = [*_space(profile, state)]
    if profile == "full":
        problems += [*_rights(), *_file_watches()]
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


def _file_watches() -> list[str]:
    """Takes as many inotify instances as a stack needs for a moment, as only that tells."""
    taken: list[int] = []
    while len(taken) < _FILE_WATCHES and (instance := file_watch()) >= 0:
        taken.append(instance)
    for instance in taken:
        os.close(instance)
    if len(taken) == _FILE_WATCHES:
        return []
    limit = Path("/proc/sys", *_FILE_WATCHES_LIMIT.split(".")).read_text().strip()
    problem = (
        f"of the {limit} watches of files that the kernel allows each user {len(taken)} are left, "
        f"the full stack needs {_FILE_WATCHES}; end another stack, or raise the limit: "
        f"sysctl {_FILE_WATCHES_LIMIT}=512"
    )
    return [problem]


def file_watch() -> int:
    """Opens an inotify instance and returns its descriptor; negative when there is none left."""
    return int(ctypes.CDLL(None).inotify_init1(os.O_CLOEXEC))


def effective_capabilities() -> int:
    """The effective capabilities of this process, one bit each."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapEff:"):
            return int(line.split()[1], 16)
    return 0


def _gigabytes(amount: int) -> str:
    return f"{amount / _GIGABYTE:.1f} GB"
