from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client

from domain.deliveries.promotion_effects import OrderState
from domain.errors import InvalidRequest
from domain.phases import Phase
from tests.workflows.conftest import World, a_release
from tests.workflows.test_deployments import a_request
from tests.workflows.test_promotions import never
from workflows.deployments.queues import TemporalDeployQueues

pytestmark = pytest.mark.workflows


async def test_a_place_that_was_never_deployed_to_is_idle(
    temporal: Client, organization: str
) -> None:
    queues = TemporalDeployQueues(temporal)

    assert not await queues.is_busy(organization, "web", "dev")
    await queues.idle(organization, "web", "dev")
    assert await queues.outcome(a_request(organization)) is None


async def test_a_place_is_busy_until_its_deployment_has_ended(
    temporal: Client, running: World, organization: str
) -> None:
    queues, released = TemporalDeployQueues(temporal), asyncio.Event()

    async def wait(request: Any) -> Any:
        await released.wait()
        return a_release(request)

    running.behaviours["prepare_release"] = wait
    await queues.ask(a_request(organization))
    busy = await queues.is_busy(organization, "web", "dev")
    idle = asyncio.create_task(queues.idle(organization, "web", "dev"))
    released.set()
    await idle

    assert busy
    assert not await queues.is_busy(organization, "web", "dev")


async def test_the_outcome_is_that_of_the_request_and_not_of_the_last_in_the_queue(
    temporal: Client, running: World, organization: str
) -> None:
    queues = TemporalDeployQueues(temporal)
    first = a_request(organization, "one")

    async def second_is_broken(request: Any) -> Any:
        if request.request_id == "one":
            await queues.ask(a_request(organization, "two"))
            return a_release(request)
        raise InvalidRequest("broken")

    running.behaviours["prepare_release"] = second_is_broken
    await queues.ask(first)

    done = await queues.outcome(first)
    broken = await queues.outcome(a_request(organization, "two"))

    assert done is not None
    assert broken is not None
    assert (done.phase, broken.phase) == (Phase.SUCCEEDED, Phase.FAILED)
    assert await queues.outcome(a_request(organization, "never asked")) is None


async def test_what_runs_is_cancelled_what_waits_is_taken_out_and_what_is_over_stays(
    temporal: Client, running: World, organization: str
) -> None:
    queues, begun = TemporalDeployQueues(temporal), asyncio.Event()
    first, second = a_request(organization, "one"), a_request(organization, "two")

    async def wait(request: Any) -> None:
        begun.set()
        await never(request)

    running.behaviours["follow_rollout"] = wait
    await queues.ask(first)
    await begun.wait()
    await queues.ask(second)

    assert (await queues.look(second)).state is OrderState.OPEN
    assert await queues.stop(second) is OrderState.LOST
    del running.behaviours["follow_rollout"]  # what ran before is followed to its end
    assert await queues.stop(first) is OrderState.OPEN
    stopped = await queues.outcome(first)

    assert stopped is not None
    assert stopped.phase is Phase.CANCELLED
    assert await queues.stop(first) is OrderState.OVER
