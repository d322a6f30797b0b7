"""A fixed core and a sample of what `make sweep` does for every point of every scenario."""

from __future__ import annotations

import random
from functools import partial

import pytest

from clients.kubernetes import Cluster
from tests.durability.cancelling import cancelled
from tests.durability.lane import Lane
from tests.durability.points import Point
from tests.durability.sweep import Outcome, Recorded, disturbed, repeated
from tests.durability.table import table
from tests.durability.work import Run, Work

pytestmark = [pytest.mark.durability, pytest.mark.timeout(900)]

_CORE = {
    "deploy next": (
        "after activity prepare_release",
        "during effect 1 activity apply_release",
        "after activity apply_release",
        "after activity follow_rollout",
        "after activity record_deployment",
    ),
    "build": ("after activity submit_build", "after activity record_build"),
}
_SAMPLE = 4
_CANCELS = 3

Chosen = list[tuple[Recorded, Point]]


def core(recorded: dict[str, Recorded]) -> Chosen:
    chosen = [
        (recorded[name], point)
        for name, texts in _CORE.items()
        for point in recorded[name].points
        if str(point).partition(": ")[2] in texts
    ]
    assert len(chosen) == sum(len(texts) for texts in _CORE.values())
    return chosen


def others(recorded: dict[str, Recorded], besides: Chosen) -> Chosen:
    every = [(one, point) for name in sorted(recorded) for one in [recorded[name]]
             for point in one.points]  # fmt: skip
    return [each for each in every if each not in besides]


def judge(outcomes: list[Outcome]) -> None:
    print(table(outcomes))
    wrong = [f"{one.scenario} | {one.point}: {'; '.join(one.problems)}"
             for one in outcomes if one.problems]  # fmt: skip
    assert not wrong, "\n".join(wrong)


async def test_a_worker_killed_at_a_point_of_a_procedure_changes_nothing_in_its_end(
    recorded: dict[str, Recorded], lanes: list[Lane], cluster: Cluster, dice: random.Random
) -> None:
    fixed = core(recorded)
    chosen = fixed + dice.sample(others(recorded, fixed), _SAMPLE)
    runs: list[Run] = [partial(disturbed, one, point, cluster=cluster) for one, point in chosen]

    outcomes = await Work(lanes).done(runs)

    judge(outcomes)


async def test_a_cancel_at_a_point_of_a_procedure_undoes_everything_and_says_so(
    recorded: dict[str, Recorded], lanes: list[Lane], cluster: Cluster, dice: random.Random
) -> None:
    points = [(one, point) for one, point in others(recorded, []) if point.kind == "activity"]
    runs: list[Run] = [
        partial(cancelled, one, point, cluster=cluster)
        for one, point in dice.sample(points, _CANCELS)
    ]

    outcomes = await Work(lanes).done(runs)

    judge(outcomes)


async def test_requests_that_are_sent_twice_are_carried_out_once(
    recorded: dict[str, Recorded], lanes: list[Lane], cluster: Cluster
) -> None:
    runs: list[Run] = [
        partial(repeated, recorded[name], cluster=cluster, what="sent twice", times=2)
        for name in sorted(recorded)
    ]

    outcomes = await Work(lanes).done(runs)

    judge(outcomes)


@pytest.mark.parametrize(
    ("settings", "count"),
    [({"PAVANE_WORKER__MAX_CACHED_WORKFLOWS": "0"}, 1), ({}, 2)],
    ids=["a worker that replays every task", "two workers"],
)
async def test_other_workers_bring_a_procedure_to_the_same_end(
    recorded: dict[str, Recorded],
    lanes: list[Lane],
    cluster: Cluster,
    settings: dict[str, str],
    count: int,
) -> None:
    own = lanes[0]
    await own.stop()
    for _ in range(count):
        await own.start(**settings)
    runs: list[Run] = [
        partial(repeated, recorded[name], cluster=cluster, what=f"{count} workers {settings}")
        for name in ("deploy next", "deploy crashing")
    ]

    try:
        outcomes = await Work([own]).done(runs)
    finally:
        await own.stop()
        await own.start()

    judge(outcomes)
