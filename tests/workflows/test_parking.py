"""A technical fault that outlasts its budget: the flow parks, a person decides."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import (
    Client,
    WorkflowFailureError,
    WorkflowHandle,
    WorkflowUpdateFailedError,
)

from domain.deliveries import BuildRequest, OperationStatus
from domain.deliveries.parking import Choice, Parked, Resolution
from domain.errors import Errored
from domain.phases import Phase
from domain.policies import build_retries
from runtime.errors import as_domain_error
from tests.workflows.conftest import COMMIT, World, workers
from tests.workflows.test_deployments import a_request, failure_of
from workflows.starting import enqueue_deployment, signal_deployment, start_build

pytestmark = pytest.mark.workflows


def fails(world: World, name: str, times: int) -> None:
    """Lets an activity of the world fail for a technical reason that no try mends."""
    left = times

    async def fault(_: Any) -> None:
        nonlocal left
        left -= 1
        if left >= 0:
            raise Errored("the plane does not let the platform in")

    world.behaviours[name] = fault


async def until_parked(handle: WorkflowHandle[Any, Any]) -> Parked:
    while True:
        status: OperationStatus = await handle.query("status", result_type=OperationStatus)
        if status.parked is not None:
            assert status.waiting_for is not None
            assert status.waiting_for.until == status.parked.until
            return status.parked
        await asyncio.sleep(0.02)


async def resolve(handle: WorkflowHandle[Any, Any], choice: Choice, **more: Any) -> None:
    given = {"reason": "it is mended", "actor": "ada@example.com", **more}
    await handle.execute_update("resolve", Resolution(choice=choice, **given))


def told(world: World) -> list[str]:
    """What all records were told, in order."""
    names = {"record", "record_deployment", "record_build"}
    return [fact.action for name, given in world.calls if name in names for fact in given.facts]


async def test_a_deployment_parks_and_is_retried_with_its_facts_looked_at_anew(
    temporal: Client, running: World, organization: str
) -> None:
    fails(running, "apply_release", 1)
    handle = await signal_deployment(temporal, a_request(organization))

    parked = await until_parked(handle)
    assert (parked.step, parked.message) == ("apply", "the plane does not let the platform in")
    assert "record_deployment" not in running.names()
    await resolve(handle, Choice.RETRY)
    deployment = await handle.result()

    assert deployment.phase is Phase.SUCCEEDED
    assert running.names().count("prepare_release") == 2
    assert told(running) == [
        "deployment.parked",
        "deployment.resolved",
        "deployment.applied",
        "deployment.succeeded",
    ]


async def test_compensating_undoes_and_ends_as_errored(
    temporal: Client, running: World, organization: str
) -> None:
    fails(running, "follow_rollout", 1)
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))
    await until_parked(handle)

    await resolve(handle, Choice.COMPENSATE)
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert failure_of(failed.value).type == "Errored"
    assert running.last("apply_release").bundle.release == "web-old"
    assert running.last("record_deployment").phase is Phase.ERRORED


async def test_skipping_the_rollout_keeps_what_is_applied(
    temporal: Client, running: World, organization: str
) -> None:
    fails(running, "follow_rollout", 1)
    handle = await signal_deployment(temporal, a_request(organization))
    await until_parked(handle)

    await resolve(handle, Choice.SKIP)

    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert running.names().count("apply_release") == 1


async def test_a_fix_changes_the_input_and_tries_again(
    temporal: Client, running: World, organization: str
) -> None:
    fails(running, "apply_release", 1)
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))
    await until_parked(handle)

    await resolve(handle, Choice.FIX, artifact="a2")
    await handle.result()

    assert running.last("prepare_release").artifact == "a2"
    assert running.last("record_deployment").request.artifact == "a2"


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"choice": Choice.SKIP}, "retry, fix, compensate can"),
        ({"choice": Choice.RETRY, "reason": " "}, "a reason is required"),
        ({"choice": Choice.FIX}, "needs what to change"),
    ],
)
async def test_what_cannot_be_chosen_is_refused_with_the_reason(
    temporal: Client, running: World, organization: str, given: dict[str, Any], why: str
) -> None:
    fails(running, "apply_release", 1)
    handle = await signal_deployment(temporal, a_request(organization))
    await until_parked(handle)

    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await resolve(handle, **given)

    assert why in as_domain_error(refused.value).message
    await resolve(handle, Choice.RETRY)
    await handle.result()


async def test_a_flow_that_is_not_parked_refuses_every_resolution(
    temporal: Client, running: World, organization: str
) -> None:
    gate = asyncio.Event()

    async def wait(_: Any) -> None:
        await gate.wait()

    running.behaviours["follow_rollout"] = wait
    handle = await signal_deployment(temporal, a_request(organization))
    with pytest.raises(WorkflowUpdateFailedError) as refused:
        await resolve(handle, Choice.RETRY)
    gate.set()
    await handle.result()

    assert "not parked" in as_domain_error(refused.value).message


async def test_a_cancel_ends_a_parked_deployment_and_undoes_it(
    temporal: Client, running: World, organization: str
) -> None:
    fails(running, "follow_rollout", 1)
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))
    await until_parked(handle)

    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert running.last("record_deployment").phase is Phase.CANCELLED
    assert running.last("apply_release").bundle.release == "web-old"


async def test_a_newer_request_ends_the_wait(
    temporal: Client, running: World, organization: str
) -> None:
    fails(running, "apply_release", 1)
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))
    await until_parked(handle)

    await enqueue_deployment(temporal, a_request(organization, "two", artifact="a2"))

    assert (await handle.result()).artifact == ""
    phases = [given.phase for name, given in running.calls if name == "record_deployment"]
    assert phases == [Phase.ERRORED, Phase.SUCCEEDED]


async def test_nobody_decides_for_a_week_and_it_gives_up(
    skipping: Client,
    world: World,
    organization: str,
) -> None:
    fails(world, "apply_release", 1)
    async with workers(skipping, world):
        handle = await signal_deployment(skipping, a_request(organization))
        with pytest.raises(WorkflowFailureError):
            await handle.result()
        description = await handle.describe()

    assert description.close_time is not None
    assert description.execution_time is not None
    assert description.close_time - description.execution_time >= timedelta(days=7)
    (resolved,) = [
        fact
        for name, given in world.calls
        if name == "record_deployment"
        for fact in given.facts
        if fact.action == "deployment.resolved"
    ]
    assert resolved.reason == "nobody decided in 7 days"


async def test_a_parked_deployment_outlives_its_worker(
    temporal: Client, world: World, organization: str
) -> None:
    fails(world, "apply_release", 1)
    async with workers(temporal, world):
        handle = await signal_deployment(temporal, a_request(organization))
        await until_parked(handle)
    async with workers(temporal, world):
        await until_parked(handle)
        await resolve(handle, Choice.RETRY)
        await handle.result()

    assert told(world).count("deployment.parked") == 1


async def test_a_parked_build_holds_no_slot_and_no_pod_and_begins_again(
    temporal: Client, running: World, organization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(build_retries, "_PAUSE", timedelta(milliseconds=10))
    fails(running, "follow_build", 3)
    started = await start_build(
        temporal, BuildRequest(organization=organization, component="web", commit=COMMIT)
    )
    handle = temporal.get_workflow_handle(started.workflow_id)

    parked = await until_parked(handle)
    assert parked.choices == (Choice.RETRY, Choice.COMPENSATE)
    assert running.names().count("stop_build") == 1
    await resolve(handle, Choice.RETRY)
    await handle.result()

    assert running.names().count("enter_build_lane") == 2
    plans = [given for name, given in running.calls if name == "submit_build"]
    assert [plan.attempt for plan in plans] == [1, 2, 3, 4]
    assert running.last("record_build").phase is Phase.SUCCEEDED
    assert told(running) == ["build.parked", "build.resolved", "build.succeeded"]
