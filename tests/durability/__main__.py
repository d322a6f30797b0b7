"""The exhaustive proof: every point of every scenario, each with a worker killed there.

    python -m tests.durability [--scenario NAME] [--lanes N] [--sample N --seed N]

needs a full stack whose own worker is stopped: `pavane stack stop worker`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

from clients.kubernetes import Cluster
from tests.durability.lane import Lane, lane
from tests.durability.points import Point
from tests.durability.scenarios import SCENARIOS, Scenario
from tests.durability.sweep import Outcome, Recorded, disturbed, record
from tests.durability.table import table


async def sweep(
    lanes: list[Lane], cluster: Cluster, scenarios: list[Scenario], options: argparse.Namespace
) -> list[Outcome]:
    """Records every scenario, then works off all points on all lanes."""
    recordings: asyncio.Queue[Scenario] = asyncio.Queue()
    recorded: list[Recorded] = []
    for scenario in scenarios:
        recordings.put_nowait(scenario)

    async def recording(own: Lane) -> None:
        while not recordings.empty():
            found = await record(recordings.get_nowait(), own, cluster)
            recorded.append(found)
            print(f"recorded {found.scenario.name}: {len(found.points)} points, "
                  f"{found.seconds:.1f} s undisturbed", flush=True)  # fmt: skip

    await asyncio.gather(*(recording(each) for each in lanes))
    work = [(one, point) for one in recorded for point in one.points if options.match in str(point)]
    dice = random.Random(options.seed)
    if options.sample:
        work = dice.sample(work, min(options.sample, len(work)))
    return await _all(lanes, cluster, work)


async def _all(
    lanes: list[Lane], cluster: Cluster, work: list[tuple[Recorded, Point]]
) -> list[Outcome]:
    pending = list(reversed(work))
    outcomes: list[Outcome] = []

    async def working(own: Lane) -> None:
        while pending:
            recorded, point = pending.pop()
            outcome = await disturbed(recorded, point, own, cluster)
            own.check()
            outcomes.append(outcome)
            told = "ok" if not outcome.problems else "FAILED"
            recovery = f"{outcome.recovery:5.1f}" if outcome.recovery is not None else "    -"
            print(f"{len(outcomes):4}/{len(work)} {told:6} {recovery} s {outcome.seconds:5.1f} s  "
                  f"{outcome.scenario} | {outcome.point}", flush=True)  # fmt: skip
            for problem in outcome.problems:
                print(f"        {problem}", flush=True)

    await asyncio.gather(*(working(each) for each in lanes))
    return outcomes


async def _main(options: argparse.Namespace) -> int:
    scenarios = [one for one in SCENARIOS if options.scenario in one.name]
    folder = Path(tempfile.mkdtemp(prefix="pavane-durability-"))
    print(f"logs of the workers: {folder}; seed {options.seed}", flush=True)
    start = time.monotonic()
    async with AsyncExitStack() as stack:
        cluster = await Cluster.connect(Path(os.environ["KUBECONFIG"]))
        stack.push_async_callback(cluster.close)
        lanes = [
            await stack.enter_async_context(
                lane(f"durability-{number}", dict(os.environ), folder / f"{number}")
            )
            for number in range(options.lanes)
        ]
        for each in lanes:
            await each.start()
        outcomes = await sweep(lanes, cluster, scenarios, options)
    print(table(outcomes))
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if any(one.problems for one in outcomes) else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.durability", description=__doc__)
    parser.add_argument("--scenario", default="", help="only those whose name contains this")
    parser.add_argument("--match", default="", help="only points whose text contains this")
    parser.add_argument("--lanes", type=int, default=3, help="how many run beside each other")
    parser.add_argument("--sample", type=int, default=0, help="only so many points, by the seed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    return asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The SDK's native threads can crash the interpreter's exit after all work is done.
    os._exit(code)
