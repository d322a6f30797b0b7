"""What a program is, and the sources it may come from; nothing here touches the machine."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from devstack.errors import DevstackError


@dataclass(frozen=True, slots=True)
class Program:
    """A program that is ready to run, or a set of data files."""

    name: str
    version: str
    path: Path
    """The main file; the folder of the files for data."""

    files: Mapping[str, Path]
    """Every executable, link or data file by its name."""


@dataclass(frozen=True, slots=True)
class Release:
    """An official archive or bare executable, pinned by checksum, for each machine."""

    url: Mapping[str, str]
    sha256: Mapping[str, str]
    files: Mapping[str, str]
    """Name in the cache to member of the archive; the one member "." is a bare executable."""


@dataclass(frozen=True, slots=True)
class GoBuild:
    """Programs compiled from a module of our own under `devstack/go/`."""

    module: Path
    packages: Mapping[str, str]
    """Name of the executable to the package it is built from."""

    links: Mapping[str, str]
    """Name of a symbolic link in the cache to the executable it stands for."""

    variables: Mapping[str, str]
    """String variables set by the linker; `{version}` stands for the pinned version."""

    restored: Mapping[str, str]
    """Files a module archive cannot hold (symbolic links), to the neighbour they are copied from.

    Not empty: the build runs from a vendored copy of all modules.
    """


@dataclass(frozen=True, slots=True)
class GoFiles:
    """Files of a published Go module, checked against its module checksum."""

    module: str
    version: str
    sum: str
    include: tuple[str, ...]
    """Patterns below the root of the module; files are kept by their last name."""


@dataclass(frozen=True, slots=True)
class Wheel:
    """Executables inside a wheel of the Python package index, pinned by checksum."""

    project: str
    version: str
    sha256: Mapping[str, str]
    files: Mapping[str, str]
    """Name to path inside the wheel."""

    tree: str
    """Folder of the wheel to take as a whole; empty takes only the files."""


@dataclass(frozen=True, slots=True)
class Debian:
    """Packages of the distribution; used where they are, never copied."""

    packages: tuple[str, ...]
    files: Mapping[str, str]
    """Name to absolute path; the packages are wanted while one of these is not there."""

    services: tuple[str, ...]
    """Services that the packages would start by themselves, which must not happen."""


Source: TypeAlias = Release | GoBuild | GoFiles | Wheel | Debian

KINDS: Mapping[type[Source], str] = {
    Release: "release",
    GoBuild: "go",
    GoFiles: "go",
    Wheel: "pypi",
    Debian: "debian",
}
"""What a person calls each source in PAVANE_PROGRAM_SOURCES."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What acquiring a program takes, measured; the largest of its sources."""

    typical: timedelta
    kept: int
    """Bytes that stay in the cache."""

    work: int = 0
    """Bytes of compiler and download caches on top."""

    memory: int = 0
    """Bytes of memory while it runs."""


@dataclass(frozen=True, slots=True)
class ProgramSpec:
    """A pinned program with its sources in the order they are tried."""

    name: str
    version: str
    summary: str
    main: str
    """Name of the main file; empty for data."""

    sources: tuple[Source, ...]
    cost: Cost
    key: str
    """Version and hash of all that defines the content; names the folder in the cache."""

    @property
    def debian(self) -> Debian | None:
        """The packages it comes from, if it does."""
        return next((source for source in self.sources if isinstance(source, Debian)), None)


def index(programs: Mapping[str, Program] | Iterable[Program]) -> dict[str, Path]:
    """Gives all files of the programs by file name.

    Raises:
        DevstackError: two programs have a file of the same name.
    """
    found: dict[str, Path] = {}
    values = programs.values() if isinstance(programs, Mapping) else programs
    for program in values:
        for name, path in program.files.items():
            if found.setdefault(name, path) != path:
                message = f"{name} is a file of two programs: {found[name]} and {path}"
                raise DevstackError(message)
    return found
