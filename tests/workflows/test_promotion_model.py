"""No sequence of calls, by any mix of callers, brings in what people did not agree to.

A stateful model test: seeded sequences of builds, edits, promotions, votes (also stale, forged, for
oneself and of strangers), freezes, rollbacks, cancels and kills, several in flight at once, judged
by an oracle that knows nothing of how it is done. The seed is told with a failure;
`PAVANE_TEST_SEED` repeats it, `PAVANE_MODEL_RUNS` says how many there are besides the fixed ones:
none with `make test-fast`, where there is one fixed one and it is shorter, one with `make test`,
many with `make proof`.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest
from temporalio.client import Client

from domain.deliveries import DeployRequest, Trigger, TriggerKind
from tests.workflows.promotion_model import ARTIFACTS, GatedPlace, Workers, bounded
from tests.workflows.promotion_moves import Moves
from workflows.starting import signal_deployment

pytestmark = [pytest.mark.workflows, pytest.mark.timeout(600)]

MORE = int(os.environ.get("PAVANE_MODEL_RUNS", "1"))
FIXED = (1, 2) if MORE else (1,)
SEED = int(os.environ.get("PAVANE_TEST_SEED") or random.SystemRandom().randrange(2**32))
STEPS = 25 if MORE else 12


@pytest.fixture
def temporal(own_temporal: Client) -> Client:
    """The workers here serve queues that other tests use as well."""
    return own_temporal


@pytest.mark.parametrize(
    "seed", [*FIXED, *(pytest.param(SEED + one, id=f"new {one}") for one in range(MORE))]
)
async def test_nothing_comes_to_a_gated_place_that_two_others_did_not_agree_to(
    temporal: Client, tmp_path: Path, organization: str, seed: int
) -> None:
    place = GatedPlace(temporal, organization, tmp_path, seed)
    async with Workers(place) as workers:
        moves = Moves(place, workers, random.Random(seed))
        await moves.begin()
        for _ in range(STEPS):
            await moves.one()
        await moves.settle()
        await bounded(moves.until_something_comes(), 180)

    assert place.oracle.violations == [], f"seed {seed}: {moves.done}"
    assert place.oracle.came


@pytest.mark.parametrize("kind", [TriggerKind.API, TriggerKind.RESOURCE])
async def test_the_oracle_sees_what_comes_without_having_passed(
    temporal: Client, tmp_path: Path, organization: str, kind: TriggerKind
) -> None:
    """With the admission of deployments taken away, one edit of a binding is a violation."""
    place = GatedPlace(temporal, organization, tmp_path, 0, guarded=False)
    request = DeployRequest(
        organization=organization,
        component="web",
        environment="staging",
        request_id="edit-1",
        artifact=ARTIFACTS[0],
        trigger=Trigger(kind=kind, actor="eve"),
    )
    async with Workers(place):
        await bounded((await signal_deployment(temporal, request)).result())

    assert len(place.oracle.violations) == 1
