"""The control groups of one node, on machines with version 1, version 2 or both."""

import asyncio
import contextlib
import os
import signal
from pathlib import Path

from devstack.errors import DevstackError

_TRIES = 50
_PAUSE = 0.05


class Cgroups:
    """One folder in every hierarchy of the machine, below which the kubelet keeps its pods."""

    def __init__(self, name: str, mounts: Path = Path("/proc/self/mounts")) -> None:
        """Takes the name of the folder, which no other stack may use."""
        self.name = name
        self._mounts = mounts

    def create(self) -> None:
        """Creates the folders; safe to repeat.

        Raises:
            DevstackError: the machine has no control groups, or they may not be changed.
        """
        hierarchies = self._hierarchies()
        if not hierarchies:
            message = "no control groups are mounted on this machine; pods cannot run without them"
            raise DevstackError(message)
        for hierarchy in hierarchies:
            try:
                (hierarchy / self.name).mkdir(exist_ok=True)
            except OSError as error:
                message = f"control groups in {hierarchy} cannot be changed: {error.strerror}"
                raise DevstackError(message) from error

    async def remove(self) -> None:
        """Ends what still runs in the folders and removes them; nothing there is fine.

        Raises:
            DevstackError: a folder stays occupied.
        """
        for hierarchy in self._hierarchies():
            for _ in range(_TRIES):
                if _empty(hierarchy / self.name):
                    break
                # The kernel lets go of a group a moment after its last process.
                await asyncio.sleep(_PAUSE)
            else:
                message = f"control group {hierarchy / self.name} is still occupied"
                raise DevstackError(message)

    def left(self) -> list[Path]:
        """The folders that are still there."""
        return [path for root in self._hierarchies() if (path := root / self.name).exists()]

    def _hierarchies(self) -> list[Path]:
        mounts = (line.split() for line in self._mounts.read_text().splitlines())
        found = {Path(target) for _, target, kind, *_ in mounts if kind in {"cgroup", "cgroup2"}}
        return sorted(found)


def _empty(root: Path) -> bool:
    """Removes what can be removed of a tree, and tells whether it is gone."""
    for folder in [Path(name) for name, _, _ in os.walk(root, topdown=False)]:
        _end_members(folder)
        with contextlib.suppress(OSError):
            folder.rmdir()
    return not root.exists()


def _end_members(folder: Path) -> None:
    with contextlib.suppress(OSError):
        for pid in (folder / "cgroup.procs").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
