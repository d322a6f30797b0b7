"""A cancel that comes while a procedure already undoes what it did does not stop the undoing."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import ApplicationError

from domain.deliveries import BuildRequest, DeployRequest
from domain.errors import BuildFailed, RolloutFailed
from domain.phases import Phase
from tests.workflows.conftest import COMMIT, World
from workflows.builds.build import BuildWorkflow
from workflows.deployments.deployment import DeployWorkflow
from workflows.starting import signal_deployment, start_build

pytestmark = pytest.mark.workflows


class Gate:
    """Holds an activity until a test has done something meanwhile."""

    def __init__(self) -> None:
        self.reached = asyncio.Event()
        self.open = asyncio.Event()

    async def hold(self) -> None:
        self.reached.set()
        await self.open.wait()


@pytest.fixture
def gate() -> Gate:
    return Gate()


async def test_a_cancel_while_the_former_release_is_restored_lets_it_be_restored_and_recorded(
    temporal: Client, running: World, organization: str, gate: Gate
) -> None:
    async def crash(request: Any) -> Any:
        if request.bundle.release == "web-a1":
            raise RolloutFailed("pod crashes", facts={"reason": "CrashLoopBackOff"})

    async def restore(request: Any) -> Any:
        if request.bundle.release == "web-old":
            await gate.hold()

    running.behaviours |= {"follow_rollout": crash, "apply_release": restore}
    request = DeployRequest(
        organization=organization, component="web", environment="dev", request_id="1", artifact="a1"
    )
    handle = await signal_deployment(temporal, request)
    await gate.reached.wait()

    await handle.cancel()
    await handle.query(DeployWorkflow.status)  # is answered after the cancel was seen
    gate.open.set()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "RolloutFailed"
    record = running.last("record_deployment")
    assert (record.phase, record.undone) == (Phase.FAILED, ("restored web-old",))


async def test_a_cancel_while_a_failed_build_is_removed_lets_it_be_removed_and_recorded(
    temporal: Client, running: World, organization: str, gate: Gate
) -> None:
    async def fail(_: Any) -> Any:
        raise BuildFailed("the tests failed")

    async def stop(_: Any) -> Any:
        await gate.hold()

    running.behaviours |= {"follow_build": fail, "stop_build": stop}
    request = BuildRequest(organization=organization, component="web", commit=COMMIT)
    started = await start_build(temporal, request)
    handle = temporal.get_workflow_handle_for(BuildWorkflow.run, started.workflow_id)
    await gate.reached.wait()

    await handle.cancel()
    await handle.query(BuildWorkflow.status)  # is answered after the cancel was seen
    gate.open.set()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, ApplicationError)
    assert failed.value.cause.type == "BuildFailed"
    assert running.last("record_build").phase is Phase.FAILED
