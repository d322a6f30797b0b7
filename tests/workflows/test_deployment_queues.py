"""Queues of one place: what a running deployment answers, and what a cancel leaves waiting."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from domain import ids
from domain.deliveries import DeployRequest, Trigger, TriggerKind
from domain.errors import RolloutFailed
from domain.phases import Phase
from runtime import search_attributes as attributes
from tests.workflows.conftest import World, workers
from tests.workflows.test_deployments import a_request, forever, until_waiting
from workflows.starting import signal_deployment

pytestmark = pytest.mark.workflows


def of_the_binding(organization: str, generation: int) -> DeployRequest:
    """What the intake asks for when it sees a generation of the binding."""
    return a_request(
        organization,
        request_id=f"binding-{generation}",
        generation=generation,
        trigger=Trigger(kind=TriggerKind.RESOURCE),
    )


async def test_a_release_that_fails_is_not_rolled_out_again_for_the_change_of_the_order_itself(
    temporal: Client, running: World, organization: str
) -> None:
    followed: list[str] = []

    async def asked_meanwhile(argument: Any) -> None:
        followed.append(argument.bundle.release)
        if argument.bundle.release != "web-old":
            await signal_deployment(temporal, of_the_binding(organization, 3))
            raise RolloutFailed("it crashes")

    running.behaviours["follow_rollout"] = asked_meanwhile
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))
    with pytest.raises(Exception, match="Workflow execution failed"):
        await handle.result()

    assert followed == ["web-a1", "web-old"]
    assert running.names().count("prepare_release") == 1


async def test_a_later_generation_of_the_binding_is_carried_out_all_the_same(
    temporal: Client, running: World, organization: str
) -> None:
    async def asked_meanwhile(argument: Any) -> None:
        if "prepare_release" in running.names()[:1] and len(running.names()) < 4:
            await signal_deployment(temporal, of_the_binding(organization, 4))

    running.behaviours["follow_rollout"] = asked_meanwhile
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))
    await handle.result()

    assert running.names().count("prepare_release") == 2


@pytest.mark.parametrize("cache", [1000, 0])
async def test_a_cancel_stops_the_running_deployment_and_those_that_wait_go_on(
    temporal: Client, world: World, organization: str, cache: int
) -> None:
    async def hold_the_first(argument: Any) -> None:
        if argument.bundle.release == "web-a1":
            await forever(argument)

    world.behaviours["follow_rollout"] = hold_the_first
    options: dict[str, Any] = {"max_cached_workflows": cache}
    options |= {} if cache else {"max_concurrent_workflow_task_polls": 1}
    async with workers(temporal, world, **options):
        handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))
        await until_waiting(handle, "rollout")
        for name in ("a2", "a3"):
            order = a_request(organization, artifact=name, request_id=f"deploy-{name}")
            await signal_deployment(temporal, order)
        await handle.cancel()
        queue = temporal.get_workflow_handle(
            ids.deploy_id(organization, "web", "dev"), result_type=None
        )
        async with asyncio.timeout(30):
            await queue.result()
        first = await temporal.get_workflow_handle(
            handle.id, run_id=handle.first_execution_run_id
        ).describe()

    prepared = [argument.artifact for name, argument in world.calls if name == "prepare_release"]
    ends = [record.phase for name, record in world.calls if name == "record_deployment"]
    assert prepared == ["a1", "a2", "a3"]
    assert ends == [Phase.CANCELLED, Phase.SUCCEEDED, Phase.SUCCEEDED]
    assert first.status is WorkflowExecutionStatus.CONTINUED_AS_NEW
    assert first.typed_search_attributes.get(attributes.PHASE) == Phase.CANCELLED.value
