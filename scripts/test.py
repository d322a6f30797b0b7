"""Runs all tests in the order that finds mistakes early, on one shared stack, and tells the result.

Checks come first, beside the unit tests, then the other tiers that need no stack, then one full
stack for integration, e2e and durability, which is removed whatever happens. `--fast` runs the
tiers without a stack alone, and counts no coverage. What fails on the stack is tried once more at
the end of its tier, and told (scripts/tries.py).
"""

from __future__ import annotations

import argparse
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from scripts import check, tries
from scripts.reports import Report, coverage, required_coverage

ROOT = check.ROOT
REPORTS = ROOT / "build" / "test-reports"
COVERAGE = REPORTS / "coverage.data"
STACK = "test"
BUSY = ("-n", "logical", "--maxprocesses=4", "--dist", "worksteal")
"""Tests that only compute: a process for each core."""
WAITING = ("-n", "4", "--dist", "worksteal")
"""Tests that mostly wait for a Temporal server, of which each process has its own."""
SIDE_BY_SIDE = ("-n", "2", "--dist", "loadfile", "--no-loadscope-reorder")
"""Tests on the shared stack, which often wait for it too. Those of a file share what is set up;
tests/conftest.py puts those first that take longest."""
FAST_TIERS = (
    ("unit", ("unit",), BUSY),
    ("workflows and replay", ("workflows", "replay"), WAITING),
)
TOGETHER = "unit, workflows and replay"
"""What `--fast` runs as one: some wait while others compute."""
SMALL_SERVERS = {"GOMAXPROCS": "1", "GOGC": "800"}
"""Each process of these tests has a Temporal server of its own: more than a processor for each, and
memory tidied often, cost a fifth of the time."""
STACK_TIERS = (
    ("integration and e2e", ("integration", "e2e"), SIDE_BY_SIDE),
    # Apart from the others: the stack's own worker rests while workers are killed.
    ("durability", ("durability",), ()),
)
FAULTS = "faults"
ORACLE = "oracle"
"""Compiles Cilium's policy code first, which takes minutes: with --proof only."""
MODEL_RUNS = {"fast": "0", "all": "1", "proof": "100"}
"""Sequences of the model of promotions, half a minute each, besides a fixed core."""
SAMPLE = "0.4"
"""Share of the tests marked ``sampled`` that a run without --proof takes, by its seed."""
COUNTED = ("--cov", "--cov-append", "--cov-report=", "--cov-fail-under=0")
"""Each tier adds to the same data; what is asked of the sum is judged at the end."""
STOP_WAIT = 60.0


class StackFailed(Exception):
    """A command of the stack did not end well; its own output has told why."""


class Run:
    """One run: its random seed, what it found so far and how long each stage took."""

    def __init__(self, seed: int, *, proof: bool = False, fast: bool = False) -> None:
        """Starts with nothing found; ``proof`` runs what takes too long for every day as well."""
        self.model_runs = MODEL_RUNS["proof" if proof else "fast" if fast else "all"]
        self.seed = seed
        self.proof = proof
        self.fast = fast
        self.report = Report()
        self.stages: list[tuple[str, float]] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Names and times a stage."""
        print(f"\n== {name}", flush=True)
        start = time.monotonic()
        try:
            yield
        finally:
            self.stages.append((name, time.monotonic() - start))

    @contextmanager
    def checks(self) -> Iterator[None]:
        """Runs the checks beside the block and tells of them at its end; each may fail.

        The longest of them, of types, keeps only one processor busy.
        """
        told: list[str] = []
        start = time.monotonic()
        with ThreadPoolExecutor(1) as beside:
            running = beside.submit(check.run, check.CHECKS, told.append)
            yield
            failed = running.result()
        self.stages.append(("checks, beside unit", time.monotonic() - start))
        print("\n== checks", *told, sep="\n", flush=True)
        self.report.failures += [f"check: {name}" for name in failed]

    def tier(
        self,
        name: str,
        folders: tuple[str, ...],
        extra: Mapping[str, str],
        *choice: str,
        twice: bool = False,
    ) -> None:
        """Runs the tests of some folders; a missing folder is a failure, never a silent skip.

        ``twice`` gives what failed a second try at the end of the tier (scripts/tries.py).
        """
        tier = tries.Tier(REPORTS, folders[0])
        command = [
            *(sys.executable, "-m", "pytest", "-q", "--no-header"),
            *(() if self.fast else COUNTED),
            f"--randomly-seed={self.seed}",
            # All that a test left goes to its report: what raced is told from there.
            *(f"--junitxml={tier.first}", "-o", "junit_logging=all"),
            *("-o", "junit_log_passing_tests=false"),
            *tier.remembering(),
            *(f"tests/{folder}" for folder in folders),
            *choice,
        ]
        with self.stage(name):
            environment = {
                "PAVANE_MODEL_RUNS": self.model_runs,
                "PAVANE_SAMPLE": "1" if self.proof else SAMPLE,
                **os.environ,
                **extra,
                "COVERAGE_FILE": str(COVERAGE),
                "PAVANE_TEST_SEED": str(self.seed),
            }
            # Without byte code every process the tests start would compile all it imports again.
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            code = execute(command, environment)
            self.report.add(name, tier.first, code)
            if twice and (failed := tries.worth(self.report, tier.first, code)):
                print(f"\n== {name}: second try of {', '.join(failed)}", flush=True)
                tries.forgive(self.report, tier, execute(tier.again(command), environment))

    def by_oracle(self) -> None:
        """Has policies judged by Cilium's own code."""
        if self.proof:
            self.tier(ORACLE, (ORACLE,), {})

    def on_stack(self) -> None:
        """Runs the tiers that need a stack, on a new one that is taken down at the end."""
        before = len(self.report.failures)
        try:
            with self.stage("stack up"):
                stack("reset", "--yes")
                stack("up", "--profile", "full")
                connection = stack_environment()
            for name, folders, how in STACK_TIERS:
                self.tier(name, folders, connection, *how, twice=True)
            # Last, and alone: they break what all others stand on. Without --proof, a fixed core.
            core = () if self.proof else ("-m", "faults and cheap")
            connection["PAVANE_STACK"] = STACK
            self.tier(FAULTS, (FAULTS,), connection, *core, twice=True)
        except StackFailed as error:
            self.report.failures.append(str(error))
        finally:
            with self.stage("stack down"):
                told = len(self.report.failures) > before or bool(self.report.raced)
                self._remove_stack(keep=told)

    def _remove_stack(self, *, keep: bool) -> None:
        try:
            if keep:
                stack("down")
                print("Its logs are kept until the next run: pavane stack logs --name test NAME")
            else:
                stack("reset", "--yes")
        except StackFailed as error:
            self.report.failures.append(str(error))

    def conclude(self) -> int:
        """Prints times, slowest tests, coverage and failures; returns the exit code."""
        print("\n== result")
        for name, seconds in self.stages:
            print(f"  {seconds:7.1f} s  {name}")
        print("slowest tests:")
        for line in self.report.slowest():
            print(f"  {line}")
        if not self.fast:
            self._conclude_coverage()
        for line in tries.tell(self.report):
            print(line)
        for failure in self.report.failures:
            print(f"FAILED {failure}")
        if self.report.skipped:
            print(f"{self.report.skipped} skipped")
        print(f"random seed {self.seed} (same order again: PAVANE_TEST_SEED={self.seed})")
        raced = f", {len(self.report.raced)} raced" if self.report.raced else ""
        print(f"{self.report.passed} passed{raced}, {len(self.report.failures)} failed", flush=True)
        return 1 if self.report.failures else 0

    def _conclude_coverage(self) -> None:
        required = required_coverage(ROOT)
        for package in coverage(COVERAGE, ROOT):
            print(f"coverage of {package}")
            if package.lines < required or package.branches < required:
                self.report.failures.append(
                    f"coverage of {package.package}/ below {required:.0f} % of lines or branches"
                )


def execute(command: list[str], environment: Mapping[str, str] | None = None) -> int:
    """Runs a command with our own output; stops it in order when this run is stopped."""
    with subprocess.Popen(command, cwd=ROOT, env=environment) as process:
        try:
            return process.wait()
        except BaseException:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_WAIT)
            except subprocess.TimeoutExpired:
                process.kill()
            raise


def stack_command(verb: str, *arguments: str) -> list[str]:
    """Returns the command line for the stack of the tests."""
    return [sys.executable, "-m", "cli", "stack", verb, "--name", STACK, *arguments]


def stack(verb: str, *arguments: str) -> None:
    """Runs `pavane stack`.

    Raises:
        StackFailed: It ended with an error.
    """
    code = execute(stack_command(verb, *arguments))
    if code != 0:
        message = f"pavane stack {verb} ended with exit code {code}"
        raise StackFailed(message)


def stack_environment() -> dict[str, str]:
    """Reads how the stack is reached, the lines `export NAME='value'` of `pavane stack env`.

    Raises:
        StackFailed: The stack did not say.
    """
    done = subprocess.run(
        stack_command("env"), cwd=ROOT, check=False, stdout=subprocess.PIPE, text=True
    )
    if done.returncode != 0:
        message = f"pavane stack env ended with exit code {done.returncode}"
        raise StackFailed(message)
    words = shlex.split(done.stdout, comments=True)
    return dict(word.split("=", 1) for word in words if "=" in word)


def stop(number: int, _frame: object) -> None:
    """Ends this run in order when it is told to stop."""
    raise SystemExit(128 + number)


def main() -> int:
    """Runs the tests; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m scripts.test", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="only what needs no stack")
    parser.add_argument(
        "--proof",
        action="store_true",
        help="every fault, the oracle of policies, many sequences of the model of promotions",
    )
    arguments = parser.parse_args()
    signal.signal(signal.SIGTERM, stop)
    shutil.rmtree(REPORTS, ignore_errors=True)
    REPORTS.mkdir(parents=True)
    seed = int(os.environ.get("PAVANE_TEST_SEED") or random.SystemRandom().randrange(2**32))
    print(f"random seed {seed}", flush=True)
    run = Run(seed, proof=arguments.proof, fast=arguments.fast)
    if arguments.fast:
        folders = tuple(folder for _, each, _ in FAST_TIERS for folder in each)
        run.tier(TOGETHER, folders, SMALL_SERVERS, *WAITING)
        return run.conclude()
    unit, *others = FAST_TIERS
    with run.checks():
        run.tier(unit[0], unit[1], SMALL_SERVERS, *unit[2])
    for name, folders, how in others:
        run.tier(name, folders, SMALL_SERVERS, *how)
    run.by_oracle()
    run.on_stack()
    return run.conclude()


if __name__ == "__main__":
    sys.exit(main())
