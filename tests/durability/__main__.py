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
from collections.abc import Iterable
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

from clients.kubernetes import Cluster
from tests.durability.cancelling import cancelled
from tests.durability.lane import Lane, lane
from tests.durability.scenarios import SCENARIOS, Scenario
from tests.durability.sweep import Outcome, Recorded, disturbed, record
from tests.durability.table import table
from tests.durability.work import Run, Work


def told(done: int, total: int, outcome: Outcome) -> None:
    """One line a run, and what was wrong below it."""
    verdict = "ok" if not outcome.problems else "FAILED"
    recovery = f"{outcome.recovery:5.1f}" if outcome.recovery is not None else "    -"
    print(f"{done:4}/{total} {verdict:6} {recovery} s {outcome.seconds:5.1f} s  "
          f"{outcome.scenario} | {outcome.point}", flush=True)  # fmt: skip
    for problem in outcome.problems:
        print(f"        {problem}", flush=True)


async def recordings(
    lanes: list[Lane], cluster: Cluster, scenarios: Iterable[Scenario]
) -> list[Recorded]:
    """Runs each scenario undisturbed."""
    pending, recorded = list(scenarios), list[Recorded]()

    async def recording(own: Lane) -> None:
        while pending:
            found = await record(pending.pop(0), own, cluster)
            recorded.append(found)
            print(f"recorded {found.scenario.name}: {len(found.points)} points, "
                  f"{found.seconds:.1f} s undisturbed", flush=True)  # fmt: skip

    await asyncio.gather(*(recording(each) for each in lanes))
    return recorded


def runs(recorded: list[Recorded], cluster: Cluster, options: argparse.Namespace) -> list[Run]:
    """Every point of every scenario, killed; with `--cancel` cancelled at those of activities."""
    points = [(one, point) for one in recorded for point in one.points]
    wanted = [(one, point) for one, point in points if options.match in str(point)]
    kills = [partial(disturbed, one, point, cluster=cluster) for one, point in wanted]
    cancels = [
        partial(cancelled, one, point, cluster=cluster)
        for one, point in wanted
        if point.kind == "activity" and one.scenario.is_undone_by_cancel
    ]
    found: list[Run] = [*([] if options.only_cancel else kills), *cancels]
    if options.sample:
        found = random.Random(options.seed).sample(found, min(options.sample, len(found)))
    return found


async def _stack_worker_runs() -> bool:
    """Whether the stack's own worker is up: its intake would act on the scenarios as well."""
    host, _, port = os.environ["PAVANE_WORKER__LISTEN"].rpartition(":")
    try:
        _, writer = await asyncio.open_connection(host, int(port))
    except OSError:
        return False
    writer.close()
    return True


async def _main(options: argparse.Namespace) -> int:
    if await _stack_worker_runs():
        print("the stack's own worker runs: pavane stack stop worker --name NAME")
        return 2
    scenarios = [one for one in SCENARIOS if options.scenario in one.name]
    folder = Path(tempfile.mkdtemp(prefix="pavane-durability-"))
    print(f"logs of the workers: {folder}; seed {options.seed}", flush=True)
    start = time.monotonic()
    async with AsyncExitStack() as stack:
        cluster = await Cluster.connect(Path(os.environ["KUBECONFIG"]))
        stack.push_async_callback(cluster.close)
        lanes = [
            await stack.enter_async_context(
                lane(f"durability-{os.getpid()}-{number}", dict(os.environ), folder / f"{number}")
            )
            for number in range(options.lanes)
        ]
        for each in lanes:
            await each.start()
        recorded = await recordings(lanes, cluster, scenarios)
        outcomes = await Work(lanes, told).done(runs(recorded, cluster, options))
    print(table(outcomes))
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if any(one.problems for one in outcomes) else 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.durability", description=__doc__)
    parser.add_argument("--scenario", default="", help="only those whose name contains this")
    parser.add_argument("--match", default="", help="only points whose text contains this")
    parser.add_argument("--only-cancel", action="store_true", help="cancel, do not kill")
    parser.add_argument("--lanes", type=int, default=3, help="how many run beside each other")
    parser.add_argument("--sample", type=int, default=0, help="only so many points, by the seed")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    return asyncio.run(_main(parser.parse_args()))


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    # The SDK's native threads can crash the interpreter's exit after all work is done.
    os._exit(code)
