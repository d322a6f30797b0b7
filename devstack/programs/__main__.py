"""Acquires the programs of a profile, or named ones, and lists where they are."""

import argparse
import sys
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from devstack.errors import DevstackError
from devstack.programs.acquire import ensure
from devstack.programs.catalogue import PROFILES
from devstack.programs.model import Program
from devstack.programs.progress import reporter

_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Acquires, then lists where each program is; 1 when one could not be acquired."""
    parser = argparse.ArgumentParser(prog="python -m devstack.programs", description=__doc__)
    parser.add_argument("--profile", choices=PROFILES, default="core")
    parser.add_argument("names", nargs="*", metavar="NAME", help="these instead of a profile")
    parser.add_argument("--quiet", action="store_true", help="do not list the programs afterwards")
    chosen = parser.parse_args(arguments)
    names = chosen.names or PROFILES[chosen.profile]
    try:
        with reporter() as progress:
            programs = ensure(names, progress=progress)
    except DevstackError as error:
        Console(stderr=True).print(str(error), markup=False, highlight=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        Console(stderr=True).print("Interrupted; the next call goes on from here.")
        return _INTERRUPTED
    if not chosen.quiet:
        _list(list(programs.values()))
    return 0


def _list(programs: Sequence[Program]) -> None:
    table = Table("program", "version", "path", box=None)
    for program in programs:
        table.add_row(program.name, program.version, str(program.path))
    Console(width=None if sys.stdout.isatty() else 240).print(table)


if __name__ == "__main__":
    sys.exit(main())
