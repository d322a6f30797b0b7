"""The cache of programs: one folder a pinned program, complete or not there at all."""

import contextlib
import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from typing import TextIO

import platformdirs

from devstack.files import write_atomically
from devstack.programs.errors import Cancelled
from devstack.programs.model import Program, ProgramSpec

_STAGING = ".staging-"
_MANIFEST = "program.json"
_DURATIONS = "durations.json"
_POLL = 0.3


def default_root() -> Path:
    """The folder of all programs, below PAVANE_CACHE_DIR or the person's cache folder."""
    given = os.environ.get("PAVANE_CACHE_DIR")
    base = Path(given).absolute() if given else platformdirs.user_cache_path("pavane")
    return base / "programs"


@dataclass(frozen=True, slots=True)
class Store:
    """Programs below one folder; safe for many processes at the same time."""

    root: Path

    def find(self, spec: ProgramSpec) -> Program | None:
        """The program, if it is complete in the cache."""
        folder = self._folder(spec)
        try:
            manifest = json.loads((folder / _MANIFEST).read_text())
        except FileNotFoundError:
            return None
        files = {name: folder / path for name, path in manifest["files"].items()}
        if not all(path.exists() for path in files.values()):
            return None
        path = files[spec.main] if spec.main else folder
        return Program(name=spec.name, version=spec.version, path=path, files=files)

    @contextlib.contextmanager
    def locked(
        self, spec: ProgramSpec, *, waiting: Callable[[], None], cancel: Event
    ) -> Iterator[None]:
        """Holds the program against other processes, and removes what a dead one left half done.

        `waiting` is called once if another process holds it.

        Raises:
            Cancelled: `cancel` was set while another process held it.
        """
        home = self._folder(spec).parent
        home.mkdir(parents=True, exist_ok=True)
        with (home / ".lock").open("a+") as file:
            if not _lock(file):
                waiting()
                while not _lock(file):
                    if cancel.wait(_POLL):
                        message = "given up"
                        raise Cancelled(message)
            for leftover in home.glob(f"{_STAGING}*"):
                shutil.rmtree(leftover, ignore_errors=True)
            yield

    @contextlib.contextmanager
    def staging(self, spec: ProgramSpec) -> Iterator[Path]:
        """An empty folder beside the final one; gone afterwards unless it was kept."""
        home = self._folder(spec).parent
        folder = Path(tempfile.mkdtemp(dir=home, prefix=_STAGING))
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def keep(self, spec: ProgramSpec, staged: Path, files: Mapping[str, str]) -> Program:
        """Makes the staged folder the program's, in one step; `files` are paths below it."""
        staged.chmod(0o755)
        manifest = {"name": spec.name, "version": spec.version, "files": dict(files)}
        (staged / _MANIFEST).write_text(json.dumps(manifest, indent=2, sort_keys=True))
        _sync_tree(staged)
        folder = self._folder(spec)
        shutil.rmtree(folder, ignore_errors=True)
        staged.rename(folder)
        _sync(folder.parent)
        program = self.find(spec)
        if program is None:
            message = f"{folder} vanished while it was being put in place"
            raise FileNotFoundError(message)
        return program

    def log(self, spec: ProgramSpec) -> Path:
        """Where the output of the compiler or downloader goes; overwritten by the next attempt."""
        folder = self.root / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{spec.name}.log"

    def remembered_seconds(self, spec: ProgramSpec) -> float:
        """How long the program took last time here; the pinned typical time if unknown."""
        return self._durations().get(spec.name, spec.cost.typical.total_seconds())

    def remember_seconds(self, spec: ProgramSpec, seconds: float) -> None:
        """Keeps how long the program took; of two writers at the same moment one may lose."""
        durations = self._durations() | {spec.name: round(seconds, 1)}
        write_atomically(self.root / _DURATIONS, json.dumps(durations, indent=2, sort_keys=True))

    def _durations(self) -> dict[str, float]:
        try:
            known = json.loads((self.root / _DURATIONS).read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return known if isinstance(known, dict) else {}

    def _folder(self, spec: ProgramSpec) -> Path:
        return self.root / spec.name / spec.key


def _lock(file: TextIO) -> bool:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _sync_tree(folder: Path) -> None:
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if not path.is_symlink():
                _sync(path)
        _sync(Path(parent))


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
