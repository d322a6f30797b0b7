from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio import activity
from temporalio.api.enums.v1 import EventType
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.common import SearchAttributeKey
from temporalio.exceptions import ApplicationError, CancelledError

from domain.deliveries import (
    Applied,
    Bundle,
    DeployRequest,
    OperationStatus,
    Trigger,
    TriggerKind,
)
from domain.errors import CompensationFailed, Errored, InvalidRequest, RolloutFailed
from domain.phases import Phase, StepPhase
from tests.workflows.conftest import World, a_release, workers
from workflows.deployments.deployment import DeployWorkflow
from workflows.starting import enqueue_deployment, signal_deployment

pytestmark = pytest.mark.workflows


def a_request(organization: str, request_id: str = "one", **changes: Any) -> DeployRequest:
    return DeployRequest(
        organization=organization,
        component="web",
        environment="dev",
        request_id=request_id,
        **changes,
    )


def failure_of(error: WorkflowFailureError) -> ApplicationError:
    assert isinstance(error.cause, ApplicationError)
    return error.cause


async def until_waiting(handle: WorkflowHandle[Any, Any], step: str) -> OperationStatus:
    while True:
        status = await handle.query(DeployWorkflow.status)
        if any(each.name == step and each.phase is StepPhase.RUNNING for each in status.steps):
            return status
        await asyncio.sleep(0.02)


async def forever(_: Any) -> None:
    while True:
        activity.heartbeat()
        await asyncio.sleep(0.05)


async def test_a_release_is_prepared_applied_followed_and_recorded(
    temporal: Client, running: World, organization: str
) -> None:
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))

    deployment = await handle.result()

    assert running.names() == [
        "prepare_release",
        "apply_release",
        "follow_rollout",
        "record_deployment",
    ]
    assert (deployment.phase, deployment.release) == (Phase.SUCCEEDED, "web-a1")


async def test_the_phase_can_be_searched_for(
    temporal: Client, running: World, organization: str
) -> None:
    handle = await signal_deployment(temporal, a_request(organization))
    await handle.result()

    description = await handle.describe()

    phase = description.typed_search_attributes[SearchAttributeKey.for_keyword("PavanePhase")]
    assert phase == "Succeeded"


async def test_what_lists_filter_by_is_told_at_the_start_and_the_phase_once_at_the_end(
    temporal: Client, running: World, organization: str
) -> None:
    handle = await signal_deployment(temporal, a_request(organization))
    await handle.result()

    kinds = [event.event_type async for event in handle.fetch_history_events()]
    assert kinds.count(EventType.EVENT_TYPE_UPSERT_WORKFLOW_SEARCH_ATTRIBUTES) == 1
    attributes = (await handle.describe()).typed_search_attributes
    for name, value in (("Kind", "deploy"), ("Organization", organization), ("Component", "web")):
        assert attributes[SearchAttributeKey.for_keyword(f"Pavane{name}")] == value


async def test_objects_travel_to_the_apply_and_not_to_the_record(
    temporal: Client, running: World, organization: str
) -> None:
    handle = await signal_deployment(temporal, a_request(organization))
    await handle.result()

    assert running.last("apply_release").bundle.objects
    assert running.last("apply_release").previous.objects
    assert running.last("record_deployment").release.bundle.release
    assert not running.last("record_deployment").release.bundle.objects
    assert not running.last("record_deployment").release.previous.objects


async def holding_open(_: Any) -> Any:
    """Applies as a plane does whose policy would close something."""
    return Applied(applied=("NetworkPolicy/web",), held_open=("NetworkPolicy/web",))


async def test_equal_content_is_not_rolled_out_again(
    temporal: Client, running: World, organization: str
) -> None:
    async def same(request: DeployRequest) -> Any:
        return a_release(request, changed=False)

    running.behaviours["prepare_release"] = same
    handle = await signal_deployment(temporal, a_request(organization))

    await handle.result()

    assert running.names() == ["prepare_release", "record_deployment"]


async def test_a_failed_rollout_restores_what_ran_before_and_waits_until_it_is_ready(
    temporal: Client, running: World, organization: str
) -> None:
    async def crash(request: Any) -> Any:
        if request.bundle.release == "web-a1":
            raise RolloutFailed("pod crashes", facts={"reason": "CrashLoopBackOff", "log": "boom"})
        return None

    running.behaviours["follow_rollout"] = crash
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert failure_of(failed.value).type == "RolloutFailed"
    assert running.names()[3:5] == ["apply_release", "follow_rollout"]
    restored = running.last("apply_release")
    assert (restored.bundle.release, restored.previous.release) == ("web-old", "web-a1")
    record = running.last("record_deployment")
    assert (record.phase, record.reason, record.log_tail, record.restored) == (
        Phase.FAILED,
        "CrashLoopBackOff",
        "boom",
        True,
    )


async def test_ways_are_closed_when_the_pods_that_used_them_are_gone(
    temporal: Client, running: World, organization: str
) -> None:
    running.behaviours["apply_release"] = holding_open
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))

    await handle.result()

    assert running.names()[1:] == [
        "apply_release",
        "follow_rollout",
        "close_ways",
        "record_deployment",
    ]
    closed = running.last("close_ways")
    assert (closed.bundle.release, closed.policies) == ("web-a1", ("NetworkPolicy/web",))
    assert running.last("apply_release").holds_open


async def test_what_is_restored_closes_the_ways_of_what_failed_as_late(
    temporal: Client, running: World, organization: str
) -> None:
    async def crash(request: Any) -> Any:
        if request.bundle.release == "web-a1":
            raise RolloutFailed("pod crashes")

    running.behaviours |= {"apply_release": holding_open, "follow_rollout": crash}
    handle = await signal_deployment(temporal, a_request(organization, artifact="a1"))

    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert running.names()[-3:] == ["follow_rollout", "close_ways", "record_deployment"]
    assert running.last("close_ways").bundle.release == "web-old"


async def test_a_failed_first_deployment_removes_what_it_applied(
    temporal: Client, running: World, organization: str
) -> None:
    async def first(request: DeployRequest) -> Any:
        return a_release(request, previous=Bundle())

    async def crash(_: Any) -> Any:
        raise RolloutFailed("image missing", facts={"reason": "ImagePullBackOff"})

    running.behaviours |= {"prepare_release": first, "follow_rollout": crash}
    handle = await signal_deployment(temporal, a_request(organization))

    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert running.names().count("follow_rollout") == 1
    assert running.last("apply_release").bundle.release == ""
    assert running.last("record_deployment").undone == ("removed what was applied",)


async def test_an_undo_that_fails_is_told_as_such(
    temporal: Client, running: World, organization: str
) -> None:
    async def crash(_: Any) -> Any:
        raise RolloutFailed("pod crashes")

    async def refuse(request: Any) -> Any:
        if request.bundle.release == "web-old":
            raise Errored("the cluster is on fire")

    running.behaviours |= {"follow_rollout": crash, "apply_release": refuse}
    handle = await signal_deployment(temporal, a_request(organization))

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert failure_of(failed.value).type == CompensationFailed.__name__
    assert "the cluster is on fire" in failure_of(failed.value).message
    assert not running.last("record_deployment").restored


async def test_a_refused_rendering_is_recorded_with_its_generation(
    temporal: Client, running: World, organization: str
) -> None:
    async def refuse(_: Any) -> Any:
        facts = {"reason": "ReferenceMissing", "generation": "7"}
        raise InvalidRequest("no such class", facts=facts)

    running.behaviours["prepare_release"] = refuse
    handle = await signal_deployment(temporal, a_request(organization))

    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert failure_of(failed.value).type == "InvalidRequest"
    record = running.last("record_deployment")
    assert (record.generation, record.reason, record.release) == (7, "ReferenceMissing", None)
    assert "apply_release" not in running.names()


@pytest.mark.parametrize("step", ["prepare", "apply", "rollout"])
async def test_a_cancel_at_any_step_leaves_what_ran_before(
    temporal: Client, running: World, organization: str, step: str
) -> None:
    held = {"prepare": "prepare_release", "apply": "apply_release", "rollout": "follow_rollout"}
    cancelled = asyncio.Event()

    async def hold(argument: Any) -> Any:
        if step == "prepare":
            await cancelled.wait()
            return a_release(argument)
        if argument.bundle.release != "web-old":
            await forever(argument)
        return None

    running.behaviours[held[step]] = hold
    handle = await signal_deployment(temporal, a_request(organization))
    await until_waiting(handle, step)

    await handle.cancel()
    cancelled.set()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, CancelledError)
    record = running.last("record_deployment")
    assert record.phase is Phase.CANCELLED
    restored = () if step == "prepare" else ("restored web-old",)
    assert record.undone == restored


async def test_requests_wait_in_order_and_equal_ones_count_once(
    temporal: Client, running: World, organization: str
) -> None:
    released = asyncio.Event()

    async def wait(request: DeployRequest) -> Any:
        await released.wait()
        return a_release(request)

    running.behaviours["prepare_release"] = wait
    handle, first = await enqueue_deployment(temporal, a_request(organization, "one"))
    await until_waiting(handle, "prepare")
    _, second = await enqueue_deployment(temporal, a_request(organization, "two"))
    _, third = await enqueue_deployment(temporal, a_request(organization, "three"))
    _, again = await enqueue_deployment(temporal, a_request(organization, "two"))
    status = await handle.query(DeployWorkflow.status)
    released.set()

    await handle.result()

    assert [first.position, second.position, third.position, again.position] == [0, 1, 2, 1]
    assert status.queue == ("two", "three")
    prepared = [argument for name, argument in running.calls if name == "prepare_release"]
    assert [request.request_id for request in prepared] == ["one", "two", "three"]


async def test_a_newer_automatic_request_takes_the_place_of_an_older_waiting_one(
    temporal: Client, running: World, organization: str
) -> None:
    released = asyncio.Event()

    async def wait(request: DeployRequest) -> Any:
        await released.wait()
        return a_release(request)

    running.behaviours["prepare_release"] = wait
    automatic = Trigger(kind=TriggerKind.RESOURCE)
    handle = await signal_deployment(temporal, a_request(organization, "g1", trigger=automatic))
    await until_waiting(handle, "prepare")
    for name in ("g2", "g3"):
        await signal_deployment(temporal, a_request(organization, name, trigger=automatic))
    released.set()

    deployment = await handle.result()

    assert deployment.request_id == "g3"
    prepared = [argument for name, argument in running.calls if name == "prepare_release"]
    assert [request.request_id for request in prepared] == ["g1", "g3"]


async def test_a_waiting_request_can_be_withdrawn(
    temporal: Client, running: World, organization: str
) -> None:
    released = asyncio.Event()

    async def wait(request: DeployRequest) -> Any:
        await released.wait()
        return a_release(request)

    running.behaviours["prepare_release"] = wait
    handle, _ = await enqueue_deployment(temporal, a_request(organization, "one"))
    await until_waiting(handle, "prepare")
    await enqueue_deployment(temporal, a_request(organization, "two"))

    withdrawn = await handle.execute_update(DeployWorkflow.withdraw, "two")
    unknown = await handle.execute_update(DeployWorkflow.withdraw, "one")
    released.set()
    deployment = await handle.result()

    assert (withdrawn, unknown, deployment.request_id) == (True, False, "one")


async def test_a_request_that_waits_runs_after_one_that_failed(
    temporal: Client, running: World, organization: str
) -> None:
    async def first_is_broken(request: DeployRequest) -> Any:
        if request.request_id == "one":
            await enqueue_deployment(temporal, a_request(organization, "two"))
            raise InvalidRequest("broken")
        return a_release(request)

    running.behaviours["prepare_release"] = first_is_broken
    handle = await signal_deployment(temporal, a_request(organization, "one"))

    deployment = await handle.result()

    assert (deployment.request_id, deployment.phase) == ("two", Phase.SUCCEEDED)


async def test_the_wait_for_pods_says_what_and_until_when(
    temporal: Client, running: World, organization: str
) -> None:
    async def hold(argument: Any) -> Any:
        if argument.bundle.release != "web-old":
            await forever(argument)

    running.behaviours["follow_rollout"] = hold
    handle = await signal_deployment(temporal, a_request(organization))

    status = await until_waiting(handle, "rollout")
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert status.waiting_for is not None
    assert status.waiting_for.what == "ready pods"
    assert status.waiting_for.until == status.waiting_for.since + timedelta(seconds=600)


async def test_a_worker_without_cache_replays_every_task_to_the_same_end(
    temporal: Client, world: World, organization: str
) -> None:
    async with workers(
        temporal, world, max_cached_workflows=0, max_concurrent_workflow_task_polls=1
    ):
        handle = await signal_deployment(temporal, a_request(organization))
        deployment = await handle.result()

    assert deployment.phase is Phase.SUCCEEDED
    assert world.names().count("apply_release") == 1


async def test_the_time_of_the_build_is_part_of_the_lead_time_of_what_it_made(
    temporal: Client, running: World, organization: str
) -> None:
    async def prepare(request: DeployRequest) -> Any:
        return a_release(request, build_seconds=42.5)

    running.behaviours["prepare_release"] = prepare
    handle = await signal_deployment(temporal, a_request(organization))
    await handle.result()

    lead = running.last("record_deployment").lead_time
    assert lead.build == 42.5
    assert lead.total >= 42.5
