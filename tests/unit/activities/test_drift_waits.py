from __future__ import annotations

import asyncio
from typing import cast

import pytest
from temporalio.testing import ActivityEnvironment

from activities.releases.drift import DeployQueues, DriftActivities
from clients.kubernetes.cluster import Cluster
from domain.deliveries import DriftRequest
from domain.errors import RateLimited

pytestmark = pytest.mark.unit
PLACE = DriftRequest(organization="acme", component="web", environment="dev")


class Busy:
    """A place in which a deployment runs until the test says that it has ended."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.waiting = 0

    async def idle(self, _organization: str, _component: str, _environment: str) -> None:
        self.waiting += 1
        await self.ended.wait()


async def test_those_who_wait_for_deployments_leave_hands_for_the_deployments() -> None:
    queues = Busy()
    drift = DriftActivities(cast("Cluster", None), cast("DeployQueues", queues), waiters=2)
    waits = [
        asyncio.ensure_future(ActivityEnvironment().run(drift.await_deployments, PLACE))
        for _ in range(2)
    ]
    async with asyncio.timeout(30):
        while queues.waiting < 2:  # noqa: ASYNC110 - a fake has no event for each
            await asyncio.sleep(0.01)

    with pytest.raises(RateLimited, match="web: many wait"):
        await ActivityEnvironment().run(drift.await_deployments, PLACE)
    queues.ended.set()
    await asyncio.gather(*waits)

    await ActivityEnvironment().run(drift.await_deployments, PLACE)
    assert queues.waiting == 3
