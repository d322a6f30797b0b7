"""The runs of a sweep: which there are, and that one of them does not end the others."""

from __future__ import annotations

import argparse
import asyncio
import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial

from clients.kubernetes import Cluster
from tests.durability.cancelling import cancelled, resumed
from tests.durability.lane import Lane, WorkerDied
from tests.durability.points import Point
from tests.durability.progress import Progress
from tests.durability.scenario import Scenario
from tests.durability.sweep import Outcome, Recorded, disturbed, record, repeated
from tests.durability.work import Run


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
            partial(
                cancelled if one.scenario.is_undone_by_cancel else resumed,
                one,
                point,
                cluster=cluster,
            ),
        )
        for one, point in wanted
        if point.kind == "activity" and _is_cancelled_there(one.scenario, point)
    ]
    found = [
        one
        for one in [*([] if options.only_cancel else kills), *cancels]
        if not progress.has_passed(one.scenario, one.point)
    ]
    if options.sample:
        found = random.Random(options.seed).sample(found, min(options.sample, len(found)))
    return found


def _is_cancelled_there(scenario: Scenario, point: Point) -> bool:
    if scenario.is_undone_by_cancel:
        return True
    return bool(scenario.resumes) and point.workflow.startswith(scenario.resumes)


def again(
    recorded: list[Recorded], cluster: Cluster, progress: Progress, what: str
) -> list[Wanted]:
    """Every scenario undisturbed, for workers that are other than those it was recorded with."""
    found = [
        Wanted(one.scenario.name, what, partial(repeated, one, cluster=cluster, what=what))
        for one in recorded
    ]
    return [one for one in found if not progress.has_passed(one.scenario, one.point)]
