"""Waits that nobody ends, to their own end: the time of the server is skipped."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle

from domain import ids
from domain.deliveries import ClosedBy, FreezeVerdict
from domain.deliveries.standings import Hold, StandingChange
from domain.phases import Phase
from tests.workflows.conftest import World, a_release, workers
from tests.workflows.promoting import Line
from tests.workflows.test_deployments import a_request, failure_of
from workflows.promotions.standings import TemporalStandings
from workflows.starting import signal_deployment

pytestmark = pytest.mark.workflows
NIGHT = timedelta(hours=3)


async def lasted(handle: WorkflowHandle[Any, Any]) -> timedelta:
    described = await handle.describe()
    assert described.close_time is not None
    assert described.execution_time is not None
    return described.close_time - described.execution_time


async def test_a_freeze_that_ends_lets_what_waits_go_on_by_itself(
    skipping: Client, world: World, organization: str
) -> None:
    until = datetime.now(UTC) + NIGHT

    async def prepare(request: Any) -> Any:
        if activity.info().scheduled_time >= until:
            return a_release(request)
        closed = ClosedBy(window="night", reason="nobody is on call", until=until)
        verdict = FreezeVerdict(at=datetime.now(UTC), closed_by=(closed,), until=until)
        return a_release(request, freeze=verdict)

    world.behaviours["prepare_release"] = prepare
    async with workers(skipping, world):
        handle = await signal_deployment(skipping, a_request(organization))
        done = await handle.result()

    assert done.phase is Phase.SUCCEEDED
    assert await lasted(handle) >= NIGHT - timedelta(minutes=1)


async def test_a_place_of_which_nothing_is_to_be_remembered_is_forgotten(
    skipping: Client, world: World, organization: str
) -> None:
    standings = TemporalStandings(skipping)

    def change(key: str, **what: Any) -> StandingChange:
        return StandingChange(
            organization=organization,
            component="web",
            environment="staging",
            key=key,
            at=datetime.now(UTC),
            **what,
        )

    async with workers(skipping, world):
        held = Hold(reason="look at it first", since=datetime.now(UTC))
        await standings.change(change("hold", hold=held))
        handle = skipping.get_workflow_handle(ids.standing_id(organization, "web", "staging"))
        await standings.change(change("lift", lift_hold=True))
        await handle.result()

    assert await lasted(handle) >= timedelta(minutes=1)


async def test_a_promotion_whose_deployment_was_lost_looks_for_it_and_fails(
    skipping: Client, world: World, organization: str
) -> None:
    line = Line(skipping, organization)
    place = skipping.get_workflow_handle(ids.deploy_id(organization, "web", "staging"))

    async def lost(_: Any) -> None:
        await place.terminate("lost")

    world.behaviours["follow_rollout"] = lost
    async with workers(skipping, world, line):
        handle = await line.promote()
        with pytest.raises(WorkflowFailureError) as failed:
            await handle.result()
        standing = await line.standing()

    assert "is not known any more" in failure_of(failed.value).message
    assert standing.passes == ()
