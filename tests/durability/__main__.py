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
from collections.abc import Iterable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from clients.kubernetes import Cluster
from tests.durability.cancelling import cancelled
from tests.durability.lane import Lane, WorkerDied, lane
from tests.durability.progress import FOLDER, Progress, version
from tests.durability.scenarios import SCENARIOS, Scenario
from tests.durability.sweep import Outcome, Recorded, disturbed, record
from tests.durability.table import table
from tests.durability.work import Run, Work


def told(progress: Progress, done: int, total: int, outcome: Outcome) -> None:
    """One line a run, and what was wrong below it."""
    progress.note(outcome)
    verdict = "ok" if not outcome.problems else "FAILED"
    recovery = f"{outcome.recovery:5.1f}" if outcome.recovery is not None else "    -"
    print(f"{done:4}/{total} {verdict:6} {recovery} s {outcome.seconds:5.1f} s  "
          f"{outcome.scenario} | {outcome.point}", flush=True)  # fmt: skip
    for problem in outcome.problems:
        print(f"        {problem}", flush=True)


@dataclass(frozen=True)
class Wanted:
    """One run of a sweep, known before it is made."""

    scenario: str
    point: str
    run: Run

    async def __call__(self, own: Lane) -> Outcome:
        """A run that breaks off is a failure of its point; the sweep goes on."""
        try:
            return await self.run(own)
        except WorkerDied:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it was, it is told
            return Outcome(self.scenario, self.point, [f"broke off: {error!r}"[:500]])


async def recordings(
    lanes: list[Lane], cluster: Cluster, scenarios: Iterable[Scenario], progress: Progress
) -> list[Recorded]:
    """Runs each scenario undisturbed; one that does not even end so is told and left out."""
    pending, recorded = list(scenarios), list[Recorded]()

    async def recording(own: Lane) -> None:
        while pending:
            scenario = pending.pop(0)
            try:
                found = await record(scenario, own, cluster)
            except (AssertionError, TimeoutError) as error:
                progress.note(Outcome(scenario.name, "undisturbed", [f"{error!r}"[:2000]]))
                print(f"not recorded: {scenario.name}: {error!r}", flush=True)
                continue
            progress.note(Outcome(scenario.name, "undisturbed", seconds=found.seconds))
            recorded.append(found)
            print(f"recorded {found.scenario.name}: {len(found.points)} points, "
                  f"{found.seconds:.1f} s undisturbed", flush=True)  # fmt: skip

    await asyncio.gather(*(recording(each) for each in lanes))
    return recorded


def runs(
    recorded: list[Recorded], cluster: Cluster, options: argparse.Namespace, progress: Progress
) -> list[Wanted]:
    """Every point of every scenario, killed, and cancelled at those of activities."""
    points = [(one, point) for one in recorded for point in one.points]
    wanted = [(one, point) for one, point in points if options.match in str(point)]
    kills = [
        Wanted(one.scenario.name, str(point), partial(disturbed, one, point, cluster=cluster))
        for one, point in wanted
    ]
    cancels = [
        Wanted(
            f"cancel {one.scenario.name}",
            str(point),
            partial(cancelled, one, point, cluster=cluster),
        )
        for one, point in wanted
        if point.kind == "activity" and one.scenario.is_undone_by_cancel
    ]
    found = [
        one
        for one in [*([] if options.only_cancel else kills), *cancels]
        if not progress.has_passed(one.scenario, one.point)
    ]
    if options.sample:
        found = random.Random(options.seed).sample(found, min(options.sample, len(found)))
    return found


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


async def _main(options: argparse.Namespace) -> int:
    if await _stack_worker_runs():
        print("the stack's own worker runs: pavane stack stop worker --name NAME")
        return 2
    progress = Progress(options.state or FOLDER / f"{version()}.jsonl", resume=options.resume)
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
        recorded = await recordings(lanes, cluster, chosen(options.scenario), progress)
        await Work(lanes, partial(told, progress)).done(runs(recorded, cluster, options, progress))
    print(table(progress.outcomes()))
    print(f"{time.monotonic() - start:.0f} s")
    return 1 if any(one.problems for one in progress.outcomes()) else 0


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
    # The SDK's native threads can crash the interpreter's exit after all work is done.
    os._exit(code)
