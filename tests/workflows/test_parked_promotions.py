"""A technical fault of a promotion or a rollback that outlasts its budget: a person decides."""

from __future__ import annotations

from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError

from domain.deliveries.parking import Choice
from domain.deliveries.promotions import Promotion
from domain.phases import Phase
from tests.workflows.conftest import World
from tests.workflows.promoting import Line
from tests.workflows.test_parking import resolve, until_parked
from tests.workflows.test_rollbacks import bad, request
from workflows.promotions.starting import start_rollback

pytestmark = pytest.mark.workflows
__all__ = ["bad"]


async def failed_as(handle: Any) -> str:
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    return str(failed.value.cause.type)


async def test_a_promotion_parks_and_is_retried_from_its_gates(line: Line, world: World) -> None:
    line.faults = 1
    handle = await line.promote()

    parked = await until_parked(handle)
    assert (parked.step, parked.choices) == ("gates", (Choice.RETRY, Choice.COMPENSATE))
    assert world.names() == []
    await resolve(handle, Choice.RETRY)
    promotion = await handle.result()

    assert promotion.phase is Phase.SUCCEEDED
    assert line.told()[:1] == ["promotion.requested"]
    assert {"promotion.parked", "promotion.resolved"} < set(line.told())


async def test_a_parked_promotion_that_is_given_up_ends_as_errored(line: Line) -> None:
    line.faults = 1
    handle = await line.promote()
    await until_parked(handle)

    await resolve(handle, Choice.COMPENSATE)

    assert await failed_as(handle) == "Errored"
    assert line.told()[-1] == "promotion.errored"


async def test_a_parked_promotion_gives_way_to_another_request(line: Line) -> None:
    line.faults = 1
    handle = await line.promote("one")
    await until_parked(handle)

    await line.promote("two")
    promotion = await handle.result()

    assert (promotion.phase, promotion.request_id) == (Phase.SUCCEEDED, "two")
    assert "promotion.errored" in line.told()


async def test_a_parked_promotion_can_be_cancelled(line: Line) -> None:
    line.faults = 1
    handle = await line.promote()
    await until_parked(handle)

    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, CancelledError)
    ended: Promotion = await handle.query("promotion", result_type=Promotion)
    assert ended.phase is Phase.CANCELLED
    assert line.told()[-1] == "promotion.cancelled"


async def test_a_rollback_parks_and_is_retried(temporal: Client, bad: Line) -> None:
    bad.faults = 1
    handle = await start_rollback(temporal, request(bad))

    parked = await until_parked(handle)
    assert parked.step == "choose"
    await resolve(handle, Choice.RETRY)

    assert (await handle.result()).release == "web-old"
    assert bad.told() == ["rollback.parked", "rollback.resolved", "rollback.ended"]


async def test_a_parked_rollback_that_is_given_up_says_so(temporal: Client, bad: Line) -> None:
    bad.faults = 1
    handle = await start_rollback(temporal, request(bad))
    await until_parked(handle)

    await resolve(handle, Choice.COMPENSATE)

    assert await failed_as(handle) == "Errored"
    assert bad.told()[-1] == "rollback.ended"
