"""Measures a running full stack and shows a table: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path

import httpx
from rich.console import Console

from benchmarks.bindings import NotMeasured, binding_changes
from benchmarks.machine import this_machine
from benchmarks.report import NotAReport, Report, read_measurements, table
from benchmarks.waits import api_answer, cli_start
from devstack.errors import DevstackError
from devstack.lifecycle import running
from devstack.state import state_dir
from domain.errors import NotFound, PlatformError

_ROOT = Path(__file__).resolve().parent.parent
_FAILED = 1
_NOT_READY = 2


class NoDemo(Exception):
    """There is nothing to measure."""


def environment_of(name: str) -> dict[str, str]:
    """Returns how the stack is reached.

    Raises:
        NoDemo: It does not run completely.
    """
    record = running(state_dir(name))
    if record is None or not record.is_ready or "PAVANE_API__URL" not in record.environment:
        raise NoDemo(f"the full stack {name!r} is not running")
    return record.environment


def measure(name: str) -> Report:
    """Measures one thing after the other, so that none disturbs another.

    Raises:
        NoDemo: The stack or the demo's resources are not there.
        NotMeasured: A change took too long.
    """
    environment = environment_of(name)
    machine = this_machine()
    measurements = [cli_start(), api_answer(environment["PAVANE_API__URL"])]
    kubeconfig = Path(environment["KUBECONFIG"])
    try:
        measurements += asyncio.run(binding_changes(kubeconfig))
    except NotFound as error:
        raise NoDemo(str(error)) from error
    return Report(name, machine, measurements)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--name", default="demo", help="name of the stack")
    parser.add_argument("--compare", type=Path, help="report of an earlier run")
    parser.add_argument("--output", type=Path, default=_ROOT / "build" / "bench.json")
    return parser.parse_args()


def main() -> int:
    """Measures, shows, writes; returns the exit code. A budget that is exceeded is no failure."""
    arguments = _arguments()
    console = Console(highlight=False)
    try:
        before = read_measurements(arguments.compare) if arguments.compare else None
        report = measure(arguments.name)
    except NoDemo as error:
        console.print(f"{error}: run `make demo` first", markup=False)
        return _NOT_READY
    except (
        NotAReport, NotMeasured, PlatformError, DevstackError,
        httpx.HTTPError, subprocess.CalledProcessError,
    ) as error:  # fmt: skip
        console.print(f"not measured: {error}", markup=False)
        return _FAILED
    report.write(arguments.output)
    console.print(table(report, before))
    console.print(f"every time of every run: {arguments.output}", markup=False)
    return 0


if __name__ == "__main__":
    sys.exit(main())
