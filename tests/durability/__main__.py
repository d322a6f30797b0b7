"""The exhaustive proof: every point of every scenario, each with a worker killed there.

    python -m tests.durability [--scenario NAME] [--resume] [--lanes N] [--sample N --seed N]

needs a full stack whose own worker is stopped: `pavane stack stop worker`. What was found is kept
in build/sweep, a file for each state of the code; `--resume` goes on where a piece ended.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path

from clients.kubernetes import Cluster
from tests.durability import databases, registries
from tests.durability.lane import Lane, lane
from tests.durability.pieces import Wanted, again, recordings, runs, told
from tests.durability.progress import FOLDER, Progress, version
from tests.durability.scenario import Scenario
from tests.durability.scenarios import SCENARIOS
from tests.durability.sweep import forget_all
from tests.durability.table import table
from tests.durability.work import Work

_INTAKES = 2
_ALL_ROLES = '["orchestration", "control", "plane", "secrets", "intake"]'


def chosen(name: str) -> list[Scenario]:
    """The scenario of that name; without one, all whose names contain it."""
    exactly = [one for one in SCENARIOS if one.name == name]
    return exactly or [one for one in SCENARIOS if name in one.name]


async def _stack_worker_runs() -> bool:
    """Whether the stack's own worker is up: its intake would act on the scenarios as well."""
    host, _, port = os.environ["PAVANE_WORKER__LISTEN"].rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True


class Sweep:
    """One piece of a sweep, on the stack that the environment names."""

    def __init__(self, options: argparse.Namespace, cluster: Cluster, folder: Path) -> None:
        self._options = options
        self._cluster = cluster
        self._folder = folder
        state = options.state or FOLDER / f"{version()}.jsonl"
        self.progress = Progress(state, resume=options.resume)

    @asynccontextmanager
    async def _lanes(self, name: str, count: int) -> AsyncIterator[list[Lane]]:
        async with AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(
                    lane(
                        f"durability-{os.getpid()}-{name}{number}",
                        dict(os.environ),
                        self._folder / f"{name}{number}",
                    )
                )
                for number in range(count)
            ]

    async def _work(self, lanes: list[Lane], runs: list[Wanted]) -> None:
        await Work(lanes, partial(told, self.progress)).done(runs)

    async def workers(self, scenarios: list[Scenario]) -> None:
        """Kills the workers of procedures at every point; then lets others do without a cache."""
        async with self._lanes("", self._options.lanes) as lanes:
            for each in lanes:
                await each.start()
            recorded = await recordings(lanes, self._cluster, scenarios, self.progress)
            await self._work(lanes, runs(recorded, self._cluster, self._options, self.progress))
            if self._options.match or self._options.only_cancel or self._options.sample:
                return
            for each in lanes:
                await each.stop()
                await each.start(PAVANE_WORKER__MAX_CACHED_WORKFLOWS="0")
            without = again(recorded, self._cluster, self.progress, "undisturbed, without cache")
            await self._work(lanes, without)

    async def intakes(self, scenarios: list[Scenario]) -> None:
        """Kills the one of two workers whose intake leads, alone: it acts on all there is."""
        async with self._lanes("intake", 1) as lanes:
            for _ in range(_INTAKES):
                await lanes[0].start(PAVANE_WORKER__ROLES=_ALL_ROLES)
            recorded = await recordings(lanes, self._cluster, scenarios, self.progress)
            await self._work(lanes, runs(recorded, self._cluster, self._options, self.progress))


async def _main(options: argparse.Namespace) -> int:
    if await _stack_worker_runs():
        print("the stack's own worker runs: pavane stack stop worker --name NAME")
        return 2
    scenarios = chosen(options.scenario)
    folder = Path(tempfile.mkdtemp(prefix="pavane-durability-"))
    print(f"logs of the workers: {folder}; seed {options.seed}", flush=True)
    start = time.monotonic()
    cluster = await Cluster.connect(Path(os.environ["KUBECONFIG"]))
    try:
        await forget_all(cluster)
        sweep = Sweep(options, cluster, folder)
        by_intake = [one for one in scenarios if one.by_intake]
        others = [one for one in scenarios if not one.by_intake]
        if others:
            await sweep.workers(others)
        if by_intake:
            await sweep.intakes(by_intake)
    finally:
        await cluster.close()
    outcomes = list(sweep.progress.outcomes())
    print(table(outcomes))
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if any(one.problems for one in outcomes) else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.durability", description=__doc__)
    parser.add_argument(
        "--scenario", default="", help="the one of this name, or all that contain it"
    )
    parser.add_argument(
        "--resume", action="store_true", help="leave out what passed with this code"
    )
    parser.add_argument("--state", type=Path, help="the file of what was found, for --resume")
    parser.add_argument("--match", default="", help="only points whose text contains this")
    parser.add_argument("--only-cancel", action="store_true", help="cancel, do not kill")
    parser.add_argument("--lanes", type=int, default=3, help="how many run beside each other")
    parser.add_argument("--sample", type=int, default=0, help="only so many points, by the seed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    return asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    databases.stop()
    registries.stop()
    # The SDK's native threads can crash the interpreter's exit after all work is done.
    os._exit(code)
