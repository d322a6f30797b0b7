"""What acquiring programs needs of the machine, and whether the machine has it."""

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from devstack.errors import PreflightFailed
from devstack.programs import debian
from devstack.programs.catalogue import catalogue
from devstack.programs.model import Debian, GoBuild, ProgramSpec
from devstack.programs.store import Store, default_root

_GIGABYTE = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Space:
    """Bytes that acquiring needs; nothing when all programs are there."""

    cache: int
    """Below the cache folder, for good."""

    work: int
    """In the person's Go caches and temporary folders."""

    memory: int
    """Of memory, for the largest build alone."""


def required_space(names: Sequence[str], root: Path | None = None) -> Space:
    """What acquiring those of the programs that are missing needs."""
    store = Store(root or default_root())
    missing = [catalogue()[name] for name in names if not _is_there(catalogue()[name], store)]
    return space_for(missing)


def space_for(missing: Sequence[ProgramSpec]) -> Space:
    """What acquiring these programs needs."""
    return Space(
        cache=sum(spec.cost.kept for spec in missing),
        work=sum(spec.cost.work for spec in missing),
        memory=max((spec.cost.memory for spec in missing), default=0),
    )


def check(missing: Sequence[ProgramSpec], store: Store) -> None:
    """Makes sure of space and memory before any work starts.

    Raises:
        PreflightFailed: with every problem found.
    """
    needed = space_for(missing)
    problems = []
    compiled = any(isinstance(source, GoBuild) for spec in missing for source in spec.sources)
    places = [(store.root, needed.cache, "PAVANE_CACHE_DIR")]
    if compiled:
        places.append((_go_cache(), needed.work, "GOCACHE and GOMODCACHE"))
    for place, wanted, setting in _joined(places):
        free = shutil.disk_usage(_existing(place)).free
        if free < wanted:
            problems.append(
                f"{place} has {_gigabytes(free)} free, acquiring the programs needs "
                f"{_gigabytes(wanted)}; free some, or point {setting} to another disk"
            )
    available = psutil.virtual_memory().available
    if available < needed.memory:
        problems.append(
            f"{_gigabytes(available)} of memory are available, compiling needs "
            f"{_gigabytes(needed.memory)}; end something that uses memory"
        )
    if problems:
        raise PreflightFailed(problems)


def _joined(places: list[tuple[Path, int, str]]) -> list[tuple[Path, int, str]]:
    """Adds up what is wanted of the same file system."""
    by_device: dict[int, tuple[Path, int, str]] = {}
    for place, wanted, setting in places:
        device = _existing(place).stat().st_dev
        first, before, names = by_device.get(device, (place, 0, ""))
        joined = f"{names}, {setting}" if names else setting
        by_device[device] = (first, before + wanted, joined)
    return list(by_device.values())


def _is_there(spec: ProgramSpec, store: Store) -> bool:
    if any(isinstance(source, Debian) for source in spec.sources):
        return debian.find(spec) is not None
    return store.find(spec) is not None


def _go_cache() -> Path:
    given = os.environ.get("GOCACHE")
    return Path(given) if given else Path.home() / ".cache" / "go-build"


def _existing(path: Path) -> Path:
    return next(parent for parent in (path, *path.parents) if parent.exists())


def _gigabytes(amount: int) -> str:
    return f"{amount / _GIGABYTE:.1f} GB"
