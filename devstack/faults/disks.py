"""Faults of disks: a tiny file system, full from the start, lies over one folder of the stack.

Nothing is filled and nothing is lost: what the folder held is hidden until the fault ends.
"""

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

from devstack.errors import DevstackError
from devstack.faults.model import Fault, World
from devstack.state import StateDir

_SOURCE = "pavane-fault"
"""What the mounts are called, so that they are recognised whoever left them behind."""
_PAGE = 4096


def faults() -> list[Fault]:
    """Every fault of the family."""
    return [
        _full("worker-disk-full", "the object store's folder of the worker", _objects),
        _full(
            "registry-full",
            "the registry's folder of an organization",
            _repositories,
            target="an organization",
        ),
    ]


def unmount_all(state: StateDir) -> None:
    """Undoes every fault of the family in a stack, also after its supervisor died. Idempotent.

    Raises:
        DevstackError: a mount cannot be undone.
    """
    for folder in _mounted(state.data):
        _run("umount", "--lazy", str(folder))


def _full(
    name: str, what: str, folder_of: Callable[[StateDir, str], Path], *, target: str = ""
) -> Fault:
    async def begin(world: World, on: str) -> None:
        folder = folder_of(world.context.state, on)
        if folder in _mounted(world.context.state.data):
            return
        if os.geteuid() != 0:
            message = f"{name} needs root: a small file system is mounted"
            raise DevstackError(message)
        folder.mkdir(parents=True, exist_ok=True)
        options = f"--options=size={_PAGE},mode=0755"
        _run("mount", "--types=tmpfs", options, _SOURCE, str(folder))
        (folder / ".full").write_bytes(bytes(_PAGE))

    async def end(world: World, on: str) -> None:
        folder = folder_of(world.context.state, on)
        if folder in _mounted(world.context.state.data):
            _run("umount", "--lazy", str(folder))

    return Fault(
        name=name,
        family="disks",
        breaks=f"{what} is on a disk without space (a full tmpfs)",
        undone="the tmpfs is unmounted; what was there before is there again",
        begin=begin,
        end=end,
        profile="full",
        target=target,
        outlives=True,
    )


def _objects(state: StateDir, _: str) -> Path:
    return state.data / "objects"


def _repositories(state: StateDir, organization: str) -> Path:
    return state.data / "registry" / "docker" / "registry" / "v2" / "repositories" / organization


def _mounted(below: Path) -> list[Path]:
    lines = (line.split() for line in Path("/proc/self/mounts").read_text().splitlines())
    return [
        Path(fields[1])
        for fields in lines
        if fields[0] == _SOURCE and Path(fields[1]).is_relative_to(below)
    ]


def _run(*argv: str) -> None:
    done = subprocess.run(argv, check=False, capture_output=True, text=True)
    if done.returncode != 0:
        message = f"{argv[0]} failed: {done.stderr.strip()}"
        raise DevstackError(message)
