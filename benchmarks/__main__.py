"""Measures a running stack and shows a table: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx
from rich.console import Console

from benchmarks import tenant
from benchmarks.approvals import waiting_approvals
from benchmarks.builds import builds
from benchmarks.burst import burst
from benchmarks.changes import crowd, load, one_change, one_change_under_load
from benchmarks.failures import pod_failures
from benchmarks.machine import this_machine
from benchmarks.parked import parked_operations
from benchmarks.promotions import waiting_promotions
from benchmarks.report import NotAReport, Report, read_measurements, table
from benchmarks.requests import api_requests
from benchmarks.rotations import rotations_at_once
from benchmarks.samples import Measurement
from benchmarks.sightings import NotMeasured
from benchmarks.stacks import Bench, NoStack, bench_on, ensure_stack, remove_stack
from benchmarks.starts import api_start, cli_start, worker_start
from devstack.errors import DevstackError
from devstack.record import StackRecord
from domain.errors import PlatformError

_ROOT = Path(__file__).resolve().parent.parent
_FAILED = 1
_NOT_READY = 2
PARTS = (
    "starts", "change", "failure", "api", "burst", "load", "parked", "approvals", "promotions",
    "rotations", "builds",
)  # fmt: skip
_ON_NODES = {"builds"}
"""What needs pods that run, so a full stack."""
_MOST = 5000
_FEWER = 10
"""Changes that wait behind 200 others take so long each that a tenth of them is measured."""


def _starts(record: StackRecord) -> list[Measurement]:
    environment = record.environment
    return [
        cli_start("--help"),
        cli_start("status", environment=environment),
        worker_start(environment),
        api_start(environment),
    ]


class Measured:
    """What was measured so far; a part that fails takes nothing of the others along."""

    def __init__(self) -> None:
        """Starts with nothing."""
        self.found: list[Measurement] = []
        self.missing: list[str] = []

    async def take(self, part: str, measuring: Awaitable[Sequence[Measurement]]) -> None:
        """Waits for a part, tells of it, and keeps what it measured or why it did not."""
        start = time.perf_counter()
        print(f"measuring {part} ...", file=sys.stderr, flush=True)
        try:
            self.found += await measuring
            how = "done"
        except (NotMeasured, PlatformError, httpx.HTTPError) as error:
            self.missing.append(f"{part}: {error}")
            how = "not measured"
        took = time.perf_counter() - start
        print(f"measuring {part}: {how} after {took:.0f} s", file=sys.stderr, flush=True)


async def _on_stack(record: StackRecord, arguments: argparse.Namespace, into: Measured) -> None:
    async with bench_on(record) as bench:
        parts: list[tuple[str, Callable[[], Awaitable[Sequence[Measurement]]]]] = [
            ("change", lambda: one_change(bench, arguments.runs)),
            ("failure", lambda: pod_failures(bench, list(_names()[-arguments.failures :]))),
            ("api", lambda: api_requests(bench, arguments.requests)),
            *(
                ("burst", lambda number=number: burst(bench, _names()[:number]))
                for number in arguments.burst
            ),
            ("load", lambda: _under_load(bench, arguments)),
            ("parked", lambda: parked_operations(bench, arguments.parked)),
            (
                "approvals",
                lambda: waiting_approvals(bench, arguments.approvals, arguments.approved),
            ),
            ("promotions", lambda: waiting_promotions(bench, _names()[: arguments.promotions])),
            ("rotations", lambda: rotations_at_once(bench, arguments.rotations)),
        ]
        for part, begin in parts:
            if part in arguments.parts:
                await into.take(part, begin())


async def _under_load(bench: Bench, arguments: argparse.Namespace) -> list[Measurement]:
    components = _names()[: arguments.load]
    await burst(bench, components)
    found: list[Measurement] = []
    async with crowd(bench, _names()[: arguments.load]) as others:
        found += await one_change_under_load(bench, arguments.runs, others, tenant.CROWD)
        async with load(bench, others, tenant.CROWD):
            when = f", while {len(others)} of another organization are deployed"
            found += await api_requests(bench, arguments.requests, when)
    few = max(arguments.runs // _FEWER, 1)
    return [*found, *await one_change_under_load(bench, few, components, tenant.ORGANIZATION)]


async def _on_nodes(record: StackRecord, arguments: argparse.Namespace, into: Measured) -> None:
    async with bench_on(record) as bench:
        await into.take("builds", builds(bench, arguments.builds))


def _names() -> Sequence[str]:
    """Names that no earlier run on the same stack has used."""
    mark = f"{time.time_ns() // 10**9 % 10**6:x}"
    return [f"b{mark}-{one:04}" for one in range(_MOST)]


def measure(arguments: argparse.Namespace) -> Report:
    """Measures one thing after the other, so that none disturbs another.

    Raises:
        NoStack: The stack is not there and cannot be started.
    """
    machine = this_machine()
    wanted = set(arguments.parts)
    into = Measured()
    stacks = []
    if wanted - _ON_NODES:
        with _stack(arguments, arguments.name, "core") as record:
            stacks.append(f"{record.name} ({record.profile})")
            into.found += _starts(record) if "starts" in wanted else []
            asyncio.run(_on_stack(record, arguments, into))
    if wanted & _ON_NODES:
        with _stack(arguments, arguments.nodes, "full") as record:
            stacks.append(f"{record.name} ({record.profile})")
            asyncio.run(_on_nodes(record, arguments, into))
    return Report(", ".join(stacks), machine, into.found, into.missing)


@contextmanager
def _stack(arguments: argparse.Namespace, name: str, profile: str) -> Iterator[StackRecord]:
    """A stack that runs; one that was started for this is removed afterwards."""
    record, started = ensure_stack(name, profile)
    try:
        yield record
    finally:
        if started and not arguments.keep:
            remove_stack(name)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--name", default="bench", help="stack; one that does not run is started and removed again"
    )
    parser.add_argument("--nodes", default="bench-full", help="the same for what needs pods")
    parser.add_argument("--keep", action="store_true", help="leave a stack that was started")
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--runs", type=int, default=50, help="changes that are measured")
    parser.add_argument(
        "--burst", type=int, nargs="+", default=[200, 1000], help="components created at once"
    )
    parser.add_argument("--requests", type=int, default=300, help="API requests of each kind")
    parser.add_argument("--load", type=int, default=200, help="components deployed meanwhile")
    parser.add_argument("--failures", type=int, default=20, help="deployments whose pod fails")
    parser.add_argument("--approvals", type=int, default=2000, help="approvals that wait")
    parser.add_argument("--approved", type=int, default=500, help="of those, given at once")
    parser.add_argument("--promotions", type=int, default=500, help="promotions approved at once")
    parser.add_argument("--rotations", type=int, default=500, help="secrets turned over at once")
    parser.add_argument("--parked", type=int, default=10000, help="operations that only wait")
    parser.add_argument("--builds", type=int, default=5, help="builds that are measured")
    parser.add_argument("--compare", type=Path, help="report of an earlier run")
    parser.add_argument("--output", type=Path, default=_ROOT / "build" / "bench.json")
    return parser.parse_args()


def main() -> int:
    """Measures, shows, writes; returns the exit code. A budget that is exceeded is no failure."""
    arguments = _arguments()
    # A name is a sentence: what goes to a file is not broken at the 80 columns of no terminal.
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 140)
    try:
        before = read_measurements(arguments.compare) if arguments.compare else None
        report = measure(arguments)
    except NoStack as error:
        console.print(f"not measured: {error}", markup=False)
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
    for one in report.missing:
        console.print(f"not measured: {one}", markup=False)
    return _FAILED if report.missing else 0


if __name__ == "__main__":
    sys.exit(main())
