"""Deployments that wait for their time, and those that are not begun in time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError, WorkflowAlreadyStartedError

from domain.deliveries import ClosedBy, Deployment, FreezeVerdict, Trigger
from domain.deliveries.appointments import DeployAtRequest
from domain.errors import RolloutFailed
from domain.phases import Phase
from tests.workflows.conftest import World, a_release, workers
from tests.workflows.promoting import Line
from tests.workflows.test_deployments import a_request
from tests.workflows.test_time_passes import NIGHT, lasted
from workflows.appointments.starting import start_deploy_at
from workflows.starting import signal_deployment

pytestmark = pytest.mark.workflows


def ordered(organization: str, wait: timedelta, **more: Any) -> DeployAtRequest:
    return DeployAtRequest(
        organization=organization,
        component="web",
        environment="dev",
        artifact="a1",
        not_before=datetime.now(UTC) + wait,
        trigger=Trigger(actor="ann"),
        **more,
    )


async def refusal(handle: Any) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()
    assert isinstance(failed.value.cause, ApplicationError)
    return failed.value.cause


async def test_what_waits_for_its_time_is_deployed_then_by_the_queue_of_its_place(
    skipping: Client, world: World, organization: str
) -> None:
    line = Line(skipping, organization)
    async with workers(skipping, world, line):
        handle = await start_deploy_at(skipping, ordered(organization, NIGHT))
        done: Deployment = await handle.result()

    assert done.phase is Phase.SUCCEEDED
    assert await lasted(handle) >= NIGHT - timedelta(minutes=1)
    asked = world.last("prepare_release")
    assert (asked.artifact, asked.trigger.actor, asked.trigger.reference) == (
        "a1",
        "ann",
        handle.id,
    )
    scheduled = line.facts[0]
    assert (scheduled.action, scheduled.actor, scheduled.after) == (
        "deployment.scheduled", "ann", "a1",
    )  # fmt: skip


async def test_while_it_waits_others_are_deployed_there_and_a_cancel_takes_it_back(
    line: Line, world: World, organization: str
) -> None:
    order = ordered(organization, timedelta(days=1))
    handle = await start_deploy_at(line.client, order)
    async with asyncio.timeout(90):
        status = await line.waits_for(handle, "time")
        assert status.waiting_for is not None
        assert status.waiting_for.until == order.not_before
        assert "pavane operations cancel" in status.waiting_for.who
        with pytest.raises(WorkflowAlreadyStartedError):
            await start_deploy_at(line.client, order)
        other = await signal_deployment(line.client, a_request(organization, artifact="a2"))
        await other.result()
        await handle.cancel(reason="ann: not this one")
        with pytest.raises(WorkflowFailureError) as ended:
            await handle.result()

    assert isinstance(ended.value.cause, CancelledError)
    assert [one.artifact for name, one in world.calls if name == "prepare_release"] == ["a2"]
    assert line.told() == ["deployment.scheduled", "deployment.unscheduled"]
    assert (line.facts[1].actor, line.facts[1].reason) == ("ann", "not this one")


async def test_it_ends_as_its_deployment_ended(
    skipping: Client, world: World, organization: str
) -> None:
    async def crash(request: Any) -> None:
        if request.bundle.release != "web-old":
            raise RolloutFailed("pod crashes", facts={"reason": "CrashLoopBackOff"})

    world.behaviours["follow_rollout"] = crash
    async with workers(skipping, world, Line(skipping, organization)):
        handle = await start_deploy_at(skipping, ordered(organization, NIGHT))
        cause = await refusal(handle)

    assert (cause.type, cause.message) == ("RolloutFailed", "pod crashes")


async def test_what_a_freeze_did_not_let_begin_in_time_is_given_up(
    skipping: Client, world: World, organization: str
) -> None:
    opens = datetime.now(UTC) + 2 * NIGHT

    async def prepare(request: Any) -> Any:
        closed = ClosedBy(window="night", reason="nobody is on call", until=opens)
        verdict = FreezeVerdict(at=datetime.now(UTC), closed_by=(closed,), until=opens)
        return a_release(request, freeze=verdict)

    world.behaviours["prepare_release"] = prepare
    async with workers(skipping, world):
        request = a_request(organization, expires=datetime.now(UTC) + NIGHT)
        handle = await signal_deployment(skipping, request)
        cause = await refusal(handle)

    assert (cause.type, "it was not begun by" in cause.message) == ("Denied", True)
    assert "apply_release" not in world.names()
    assert NIGHT - timedelta(minutes=1) <= await lasted(handle) < 2 * NIGHT
    assert world.last("record_deployment").reason == "Expired"


async def test_what_waited_too_long_behind_another_is_given_up(
    temporal: Client, running: World, organization: str
) -> None:
    begun, ends = asyncio.Event(), asyncio.Event()

    async def slow(request: Any) -> None:
        if request.bundle.release != "web-old":
            begun.set()
            await ends.wait()

    running.behaviours["follow_rollout"] = slow
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))
    await begun.wait()
    soon = datetime.now(UTC) + timedelta(seconds=1)
    await signal_deployment(temporal, a_request(organization, "two", artifact="a2", expires=soon))
    while datetime.now(UTC) < soon:  # noqa: ASYNC110 - what is waited for is the time
        await asyncio.sleep(0.1)
    ends.set()
    cause = await refusal(handle)

    assert "it was not begun by" in cause.message
    phases = [one.phase for name, one in running.calls if name == "record_deployment"]
    assert phases == [Phase.SUCCEEDED, Phase.DENIED]


async def test_a_moment_too_far_away_is_refused(
    temporal: Client, running: World, organization: str
) -> None:
    handle = await start_deploy_at(temporal, ordered(organization, timedelta(days=91)))
    cause = await refusal(handle)

    assert (cause.type, "more than 90 days away" in cause.message) == ("InvalidRequest", True)
