"""Lanes on the shared stack, whose own worker rests meanwhile, and the recorded scenarios."""

from __future__ import annotations

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from clients.kubernetes import Cluster
from devstack.lifecycle import steer
from devstack.state import state_dir
from tests.durability.build_scenarios import Build
from tests.durability.lane import Lane, lane
from tests.durability.scenarios import Crash, SecondVersion
from tests.durability.sweep import Recorded, record

_LANES = 3
_SCENARIOS = (Build(), SecondVersion(), Crash())


@pytest.fixture(scope="session")
async def cluster(stack: dict[str, str]) -> AsyncIterator[Cluster]:
    if "PAVANE_REGISTRY__PULL_HOST" not in stack:
        pytest.fail("this test needs a full stack: pavane stack up --profile full", pytrace=False)
    cluster = await Cluster.connect(Path(stack["KUBECONFIG"]), user_agent="pavane-durability")
    yield cluster
    await cluster.close()


@pytest.fixture(scope="session")
async def lanes(
    stack: dict[str, str], stack_name: str, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[list[Lane]]:
    """The stack's own intake would act on the organizations of the lanes too, so it rests."""
    state = state_dir(stack_name)
    await steer(state, "stop", "worker")
    try:
        async with AsyncExitStack() as entered:
            folder = tmp_path_factory.mktemp("lanes")
            made = [
                await entered.enter_async_context(
                    lane(f"durability-{os.getpid()}-{number}", stack, folder / f"{number}")
                )
                for number in range(_LANES)
            ]
            await asyncio.gather(*(each.start() for each in made))
            yield made
    finally:
        await steer(state, "start", "worker")


@pytest.fixture(scope="session")
async def recorded(lanes: list[Lane], cluster: Cluster) -> dict[str, Recorded]:
    found = await asyncio.gather(
        *(record(one, own, cluster) for one, own in zip(_SCENARIOS, lanes, strict=True))
    )
    return {one.scenario.name: one for one in found}


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """Chooses points by the seed of the run, which the run prints."""
    return random.Random(int(request.config.getoption("randomly_seed")))
