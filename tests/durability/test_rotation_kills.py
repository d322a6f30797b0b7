"""Each engine of rotations, with a worker killed in one step that the seed chooses."""

from __future__ import annotations

import random
from functools import partial

import pytest

from clients.kubernetes import Cluster
from tests.durability.lane import Lane
from tests.durability.points import Moment, Point
from tests.durability.rotation_scenarios import ENGINES, ROTATION, ValueRotation
from tests.durability.sweep import Recorded, disturbed
from tests.durability.test_kills import judge
from tests.durability.work import Run, Work

pytestmark = [pytest.mark.durability, pytest.mark.timeout(900)]

_STEPS = (
    *("inspect_secret", "create_version", "give_to_target", "test_version", "use_version"),
    *("deliver_secret", "restart_consumer", "follow_rollout"),
    *("observe_old_users", "lock_old", "destroy_old"),
)
_MOMENTS: tuple[Moment, ...] = ("before", "after")


def a_point(dice: random.Random, engine: ValueRotation) -> Point:
    step, moment = dice.choice(_STEPS + engine.own_steps), dice.choice(_MOMENTS)
    return Point(f"rotation/{ROTATION}", "activity", step, moment=moment)


async def test_a_worker_killed_while_a_credential_is_turned_over_fails_no_log_in(
    lanes: list[Lane], cluster: Cluster, dice: random.Random
) -> None:
    runs: list[Run] = [
        partial(disturbed, Recorded(one, (), {}, {}, 0), a_point(dice, one), cluster=cluster)
        for one in ENGINES
    ]

    outcomes = await Work(lanes).done(runs)

    judge(outcomes)
