from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio import activity
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import CancelledError

from domain.deliveries import (
    Bundle,
    Deployment,
    DriftedField,
    DriftRequest,
    Inspection,
    OperationStatus,
    Trigger,
    TriggerKind,
)
from domain.errors import RolloutFailed
from domain.phases import Phase, StepPhase
from runtime.search_attributes import ORGANIZATION
from tests.servers import temporal_server
from tests.workflows.conftest import World, a_place, a_release, workers
from tests.workflows.test_deployments import a_request, forever
from workflows.deployments.drift import DriftWorkflow
from workflows.starting import signal_deployment, signal_drift

pytestmark = pytest.mark.workflows

REPLICAS = DriftedField(
    object="Deployment/web", field="spec.replicas", wanted="2", live="5", manager="kubectl"
)


def seen(organization: str, what: str = "Deployment/web was written by others") -> DriftRequest:
    return DriftRequest(organization=organization, component="web", environment="dev", seen=what)


class Plane:
    """A plane whose objects drift when told, and are as wanted after a put-back that works."""

    def __init__(self, world: World, **place: Any) -> None:
        self.drifted: tuple[DriftedField, ...] = ()
        self.outcome = Phase.SUCCEEDED
        self.place = place
        self.told = False
        world.behaviours |= {
            "read_drift_place": self._place,
            "inspect_release": self._inspect,
            "record_drift": self._record,
            "await_put_back": self._end,
        }

    async def _place(self, _: Any) -> Any:
        return a_place(**({"told": self.told} | self.place))

    async def _inspect(self, _: Any) -> Any:
        return Inspection(drifted=self.drifted, objects=1)

    async def _record(self, record: Any) -> Any:
        self.told = bool(record.drifted)
        return True

    async def _end(self, request: Any) -> Any:
        if self.outcome is Phase.SUCCEEDED:
            self.drifted = ()
        return Deployment(
            organization=request.organization,
            component=request.component,
            environment=request.environment,
            request_id=request.request_id,
            phase=self.outcome,
            message="pods are missing",
        )


async def until_remembering(handle: WorkflowHandle[Any, Any]) -> OperationStatus:
    while True:
        status: OperationStatus = await handle.query(DriftWorkflow.status)
        remember = next(each for each in status.steps if each.name == "remember")
        if remember.phase is StepPhase.RUNNING:
            return status
        await asyncio.sleep(0.02)


async def ended(handle: WorkflowHandle[Any, Any]) -> None:
    """Ends a run that would remember for an hour."""
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()


async def until_asked(world: World, times: int) -> None:
    while True:
        if world.names().count("ask_put_back") >= times:
            return
        await asyncio.sleep(0.02)


async def until_told(world: World, reason: str) -> None:
    while True:
        if world.last("record_drift").reason == reason:
            return
        await asyncio.sleep(0.02)


async def test_a_place_that_is_as_wanted_is_left_alone_and_nothing_is_written(
    temporal: Client, running: World, organization: str
) -> None:
    handle = await signal_drift(temporal, seen(organization))

    report = await handle.result()

    assert running.names() == ["read_drift_place", "inspect_release"]
    assert (report.release, report.drifted) == ("web-one", ())


async def test_drift_is_reported_with_its_manager_and_left_where_policy_says_so(
    temporal: Client, running: World, organization: str
) -> None:
    Plane(running).drifted = (REPLICAS,)
    handle = await signal_drift(temporal, seen(organization))

    report = await handle.result()

    record = running.last("record_drift")
    assert record.reason == "Drifted"
    assert record.message == "Deployment/web spec.replicas is 5, wanted 2 (kubectl)"
    assert "ask_put_back" not in running.names()
    assert report.drifted == (REPLICAS,)


@pytest.mark.parametrize("drifted", [(), (REPLICAS,)])
async def test_only_looks_that_found_something_are_listed(
    temporal: Client, running: World, organization: str, drifted: tuple[DriftedField, ...]
) -> None:
    Plane(running).drifted = drifted
    handle = await signal_drift(temporal, seen(organization))
    await handle.result()

    known = (await handle.describe()).typed_search_attributes

    assert (known.get(ORGANIZATION) is not None) is bool(drifted)


async def test_what_was_told_is_taken_back_when_the_drift_is_gone(
    temporal: Client, running: World, organization: str
) -> None:
    plane = Plane(running)
    plane.told = True
    handle = await signal_drift(temporal, seen(organization))

    await handle.result()

    assert running.last("record_drift").drifted == ()


async def test_drift_is_put_back_by_the_queue_of_deployments_and_then_no_longer_told(
    temporal: Client, running: World, organization: str
) -> None:
    Plane(running, restore=True).drifted = (REPLICAS,)
    handle = await signal_drift(temporal, seen(organization))

    status = await until_remembering(handle)
    await ended(handle)

    asked = running.last("ask_put_back")
    assert (asked.put_back, asked.release) == (("Deployment/web",), "web-one")
    assert asked.trigger == Trigger(kind=TriggerKind.AUTOMATIC, reference="drift of Deployment/web")
    told = [argument.reason for name, argument in running.calls if name == "record_drift"]
    assert told == ["PuttingBack", "Drifted"]
    assert running.last("record_drift").drifted == ()
    assert status.waiting_for is not None
    assert status.waiting_for.until is not None
    assert "another change" in status.waiting_for.what


async def test_a_look_waits_for_the_end_of_a_running_deployment(
    temporal: Client, running: World, organization: str
) -> None:
    over = asyncio.Event()

    async def place(_: Any) -> Any:
        return a_place(busy=not over.is_set())

    async def deployment(_: Any) -> None:
        over.set()

    running.behaviours |= {"read_drift_place": place, "await_deployments": deployment}
    handle = await signal_drift(temporal, seen(organization))

    await handle.result()

    assert running.names() == [
        "read_drift_place",
        "await_deployments",
        "read_drift_place",
        "inspect_release",
    ]


async def test_what_was_seen_is_looked_at_again_when_a_deployment_began_meanwhile(
    temporal: Client, running: World, organization: str
) -> None:
    plane = Plane(running)
    plane.drifted = (REPLICAS,)
    answers = [False, True]

    async def record(_: Any) -> bool:
        return answers.pop(0)

    running.behaviours["record_drift"] = record
    handle = await signal_drift(temporal, seen(organization))

    await handle.result()

    assert running.names().count("inspect_release") == 2


async def test_nothing_is_looked_at_where_no_release_runs(
    temporal: Client, running: World, organization: str
) -> None:
    Plane(running, release="", bundle=Bundle(), told=True)
    handle = await signal_drift(temporal, seen(organization))

    await handle.result()

    assert running.names() == ["read_drift_place", "record_drift"]


async def test_a_field_that_is_changed_again_and_again_is_contested_and_left_alone(
    temporal: Client, running: World, organization: str
) -> None:
    plane = Plane(running, restore=True, limit=2)
    handle = await signal_drift(temporal, seen(organization))
    for times in (1, 2):
        plane.drifted = (REPLICAS,)
        await signal_drift(temporal, seen(organization))
        await until_asked(running, times)
        await until_remembering(handle)
    plane.drifted = (REPLICAS,)
    await signal_drift(temporal, seen(organization))
    await until_told(running, "DriftContested")

    status = await until_remembering(handle)
    await ended(handle)

    assert running.names().count("ask_put_back") == 2
    assert running.last("record_drift").message.startswith(
        "kubectl changed Deployment/web spec.replicas again after 2 put-backs within an hour"
    )
    assert status.waiting_for is not None
    assert status.waiting_for.what == "the end of a contest"
    assert "kubectl" in status.waiting_for.who


async def test_a_put_back_that_fails_is_told_and_not_tried_again_by_itself(
    temporal: Client, running: World, organization: str
) -> None:
    plane = Plane(running, restore=True)
    plane.drifted, plane.outcome = (REPLICAS,), Phase.FAILED
    handle = await signal_drift(temporal, seen(organization))

    await until_remembering(handle)
    await ended(handle)

    record = running.last("record_drift")
    assert record.reason == "PutBackFailed"
    assert record.message.startswith("putting back failed: pods are missing; Deployment/web")
    assert running.names().count("ask_put_back") == 1


@pytest.mark.parametrize("held", ["await_deployments", "await_put_back"])
async def test_a_cancel_ends_each_wait(
    temporal: Client, running: World, organization: str, held: str
) -> None:
    reached = asyncio.Event()
    plane = Plane(running, restore=True, busy=held == "await_deployments")
    plane.drifted = (REPLICAS,)

    async def hold(_: Any) -> Any:
        reached.set()
        while True:
            activity.heartbeat()
            await asyncio.sleep(0.05)

    running.behaviours[held] = hold
    handle = await signal_drift(temporal, seen(organization))
    await reached.wait()

    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, CancelledError)


async def test_a_worker_without_cache_replays_every_task_to_the_same_end(
    temporal: Client, world: World, organization: str
) -> None:
    Plane(world).drifted = (REPLICAS,)
    async with workers(
        temporal, world, max_cached_workflows=0, max_concurrent_workflow_task_polls=1
    ):
        handle = await signal_drift(temporal, seen(organization))
        report = await handle.result()

    assert report.drifted == (REPLICAS,)


async def test_a_worker_that_takes_over_goes_on_where_the_other_was(
    temporal: Client, world: World, organization: str
) -> None:
    plane = Plane(world, restore=True, limit=1)
    plane.drifted = (REPLICAS,)
    async with workers(temporal, world):
        handle = await signal_drift(temporal, seen(organization))
        await until_remembering(handle)
    plane.drifted = (REPLICAS,)
    await signal_drift(temporal, seen(organization))
    async with workers(temporal, world):
        await until_told(world, "DriftContested")
        await ended(handle)

    assert world.names().count("ask_put_back") == 1


async def test_after_a_quiet_hour_nothing_is_remembered_and_the_run_ends(
    skipping: Client, world: World, organization: str
) -> None:
    Plane(world, restore=True).drifted = (REPLICAS,)
    async with workers(skipping, world):
        handle = await signal_drift(skipping, seen(organization))
        report = await handle.result()
        description = await handle.describe()

    assert (report.put_backs, report.drifted) == (1, ())
    assert description.close_time is not None
    assert description.execution_time is not None
    assert description.close_time - description.execution_time > timedelta(hours=1)


async def test_a_contest_is_tried_again_after_a_day(
    skipping: Client, world: World, organization: str
) -> None:
    plane = Plane(world, restore=True, limit=1)
    plane.drifted = (REPLICAS,)
    done = plane._end

    async def insist(request: Any) -> Any:
        answer = await done(request)
        if world.names().count("ask_put_back") == 1:
            plane.drifted = (REPLICAS,)
        return answer

    world.behaviours["await_put_back"] = insist
    async with workers(skipping, world):
        handle = await signal_drift(skipping, seen(organization))
        report = await handle.result()

    told = [argument.reason for name, argument in world.calls if name == "record_drift"]
    assert told[:3] == ["PuttingBack", "DriftContested", "PuttingBack"]
    assert (report.put_backs, report.contested) == (2, False)


async def test_a_long_history_goes_on_as_a_new_run_that_remembers_what_was_put_back(
    temporal_program: Path, world: World, organization: str
) -> None:
    plane = Plane(world, restore=True, limit=2)
    async with (
        temporal_server(temporal_program, longest_history=20) as client,
        workers(client, world),
    ):
        plane.drifted = (REPLICAS,)
        handle = await signal_drift(client, seen(organization))
        for times in (1, 2):
            await until_asked(world, times)
            await until_remembering(handle_of(client, handle.id))
            plane.drifted = (REPLICAS,)
            await signal_drift(client, seen(organization))
        await until_told(world, "DriftContested")
        latest = await handle_of(client, handle.id).describe()
        await ended(handle_of(client, handle.id))

    assert latest.run_id != handle.first_execution_run_id
    assert world.names().count("ask_put_back") == 2


def handle_of(client: Client, workflow_id: str) -> WorkflowHandle[Any, Any]:
    """Of whichever run is the latest."""
    return client.get_workflow_handle(workflow_id)


async def test_a_put_back_restores_the_named_objects_and_follows_them_to_ready(
    temporal: Client, running: World, organization: str
) -> None:
    async def prepared(request: Any) -> Any:
        return a_release(request, put_back=request.put_back, take_over=True)

    running.behaviours["prepare_release"] = prepared
    request = a_request(organization, put_back=("Deployment/web",), release="web-new")
    handle = await signal_deployment(temporal, request)

    deployment = await handle.result()

    assert deployment.phase is Phase.SUCCEEDED
    assert running.names()[1:3] == ["put_back_objects", "follow_rollout"]
    assert running.last("put_back_objects").objects == ("Deployment/web",)
    assert running.last("put_back_objects").take_over
    assert running.last("follow_rollout").only == ("Deployment/web",)


@pytest.mark.parametrize("held", ["put_back_objects", "follow_rollout"])
async def test_a_cancelled_put_back_is_recorded_and_what_it_did_stays(
    temporal: Client, running: World, organization: str, held: str
) -> None:
    reached = asyncio.Event()

    async def prepared(request: Any) -> Any:
        return a_release(request, put_back=request.put_back)

    async def hold(argument: Any) -> None:
        reached.set()
        await forever(argument)

    running.behaviours |= {"prepare_release": prepared, held: hold}
    handle = await signal_deployment(temporal, a_request(organization, put_back=("Service/web",)))
    await reached.wait()

    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, CancelledError)
    record = running.last("record_deployment")
    assert (record.phase, record.undone) == (Phase.CANCELLED, ())
    assert "apply_release" not in running.names()


async def test_a_put_back_whose_pods_do_not_come_is_not_undone(
    temporal: Client, running: World, organization: str
) -> None:
    async def prepared(request: Any) -> Any:
        return a_release(request, put_back=request.put_back)

    async def crash(_: Any) -> Any:
        raise RolloutFailed("no pods", facts={"reason": "CrashLoopBackOff"})

    running.behaviours |= {"prepare_release": prepared, "follow_rollout": crash}
    handle = await signal_deployment(temporal, a_request(organization, put_back=("Service/web",)))

    with pytest.raises(WorkflowFailureError):
        await handle.result()

    assert running.names().count("put_back_objects") == 1
    assert "apply_release" not in running.names()
    assert running.last("record_deployment").undone == ()
