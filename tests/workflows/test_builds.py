from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError

from domain import ids
from domain.deliveries import BuildRequest
from domain.deliveries.parking import Choice
from domain.errors import BuildFailed, Errored, InvalidRequest
from domain.phases import Phase
from domain.policies import build_retries
from tests.workflows.conftest import COMMIT, World, workers
from tests.workflows.test_deployments import failure_of, forever, until_waiting
from tests.workflows.test_parking import resolve, until_parked
from workflows.builds.build import BuildWorkflow
from workflows.starting import build_result, start_build

pytestmark = pytest.mark.workflows

OTHER = "f" * 40


def a_request(organization: str, commit: str = COMMIT) -> BuildRequest:
    return BuildRequest(organization=organization, component="web", commit=commit, branch="main")


async def test_a_commit_is_registered_submitted_followed_and_recorded(
    temporal: Client, running: World, organization: str
) -> None:
    started = await start_build(temporal, a_request(organization))

    build = await build_result(temporal, started)

    assert running.names() == [
        "register_build",
        "enter_build_lane",
        "submit_build",
        "follow_build",
        "record_build",
    ]
    assert (build.phase, build.commit) == (Phase.SUCCEEDED, COMMIT)


async def test_the_same_commit_is_built_once(
    temporal: Client, running: World, organization: str
) -> None:
    first = await start_build(temporal, a_request(organization))
    again = await start_build(temporal, a_request(organization))
    await build_result(temporal, first)

    after = await start_build(temporal, a_request(organization))

    assert (first.existing, again.existing, after.existing) == (False, True, True)
    assert running.names().count("submit_build") == 1


async def test_a_failed_build_says_why_and_can_be_tried_again(
    temporal: Client, running: World, organization: str
) -> None:
    async def fail(_: Any) -> Any:
        raise BuildFailed("the tests failed", facts={"log": "assert 1 == 2"})

    running.behaviours["follow_build"] = fail
    started = await start_build(temporal, a_request(organization))
    with pytest.raises(WorkflowFailureError) as failed:
        await build_result(temporal, started)
    record = running.last("record_build")
    running.behaviours.clear()

    again = await start_build(temporal, a_request(organization))
    build = await build_result(temporal, again)

    assert failure_of(failed.value).type == "BuildFailed"
    assert (record.phase, record.log_tail) == (Phase.FAILED, "assert 1 == 2")
    assert (again.existing, build.phase) == (False, Phase.SUCCEEDED)


async def test_a_redelivered_webhook_does_not_repeat_a_failed_build(
    temporal: Client, running: World, organization: str
) -> None:
    async def fail(_: Any) -> Any:
        raise BuildFailed("the build failed")

    running.behaviours["follow_build"] = fail
    started = await start_build(temporal, a_request(organization), again="never")
    with pytest.raises(WorkflowFailureError):
        await build_result(temporal, started)

    redelivered = await start_build(temporal, a_request(organization), again="never")

    assert redelivered.existing


async def test_a_technical_fault_is_tried_again_and_ends_as_errored_when_it_stays(
    temporal: Client, running: World, organization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fault(_: Any) -> Any:
        raise Errored("the repository could not be read")

    monkeypatch.setattr(build_retries, "_PAUSE", timedelta(milliseconds=10))
    running.behaviours["follow_build"] = fault
    started = await start_build(temporal, a_request(organization))
    handle = temporal.get_workflow_handle(started.workflow_id)
    await until_parked(handle)
    await resolve(handle, Choice.COMPENSATE)

    with pytest.raises(WorkflowFailureError) as failed:
        await build_result(temporal, started)

    assert failure_of(failed.value).type == "Errored"
    tries = [argument.attempt for name, argument in running.calls if name == "submit_build"]
    assert tries == [1, 2, 3]
    assert running.last("record_build").phase is Phase.ERRORED


async def test_a_technical_fault_that_passes_is_not_seen_in_the_result(
    temporal: Client, running: World, organization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fault_once(request: Any) -> Any:
        if request.plan.attempt == 1:
            raise Errored("the pod was evicted")

    monkeypatch.setattr(build_retries, "_PAUSE", timedelta(milliseconds=10))
    running.behaviours["follow_build"] = fault_once
    started = await start_build(temporal, a_request(organization))

    build = await build_result(temporal, started)

    assert build.phase is Phase.SUCCEEDED
    logs = [argument.log for name, argument in running.calls if name == "submit_build"]
    assert logs == ["", "@2"]


@pytest.mark.parametrize(
    ("step", "held"),
    [("register", "register_build"), ("submit", "submit_build"), ("build", "follow_build")],
)
async def test_a_cancel_at_any_step_stops_the_build_on_its_plane(
    temporal: Client, running: World, organization: str, step: str, held: str
) -> None:
    cancelled = asyncio.Event()

    async def hold(argument: Any) -> Any:
        if step == "register":
            await cancelled.wait()
            return await World().register_build(argument)
        return await forever(argument)

    running.behaviours[held] = hold
    started = await start_build(temporal, a_request(organization))
    handle = temporal.get_workflow_handle(started.workflow_id)
    await until_waiting(handle, step)

    await handle.cancel()
    cancelled.set()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert isinstance(failed.value.cause, CancelledError)
    assert ("stop_build" in running.names()) is (step != "register")
    assert running.last("record_build").phase is Phase.CANCELLED


async def test_a_newer_commit_supersedes_the_build_that_runs(
    temporal: Client, running: World, organization: str
) -> None:
    async def hold_the_older(request: Any) -> Any:
        if request.plan.commit == COMMIT:
            await forever(request)
        return await World().follow_build(request)

    async def plan_with_older(request: BuildRequest) -> Any:
        plan = await World().register_build(request)
        older = ids.build_id(request.organization, request.component, COMMIT)
        return plan.model_copy(update={"older": (older,) if request.commit == OTHER else ()})

    running.behaviours |= {"follow_build": hold_the_older, "register_build": plan_with_older}
    older = await start_build(temporal, a_request(organization))
    await until_waiting(temporal.get_workflow_handle(older.workflow_id), "build")

    newer = await start_build(temporal, a_request(organization, OTHER))
    build = await build_result(temporal, newer)
    with pytest.raises(WorkflowFailureError) as failed:
        await build_result(temporal, older)

    assert build.phase is Phase.SUCCEEDED
    assert failure_of(failed.value).type == "Superseded"
    assert running.last("stop_build").commit == COMMIT
    phases = {
        record.plan.commit: record.phase for name, record in running.calls if name == "record_build"
    }
    assert phases == {COMMIT: Phase.SUPERSEDED, OTHER: Phase.SUCCEEDED}


async def test_an_older_build_that_has_ended_does_not_hold_up_the_newer(
    temporal: Client, running: World, organization: str
) -> None:
    async def plan_with_older(request: BuildRequest) -> Any:
        plan = await World().register_build(request)
        return plan.model_copy(update={"older": (ids.build_id(organization, "web", OTHER),)})

    running.behaviours["register_build"] = plan_with_older
    started = await start_build(temporal, a_request(organization))

    build = await build_result(temporal, started)

    assert build.phase is Phase.SUCCEEDED


async def test_a_build_superseded_while_it_registers_gives_way_before_it_submits(
    temporal: Client, running: World, organization: str
) -> None:
    superseded = asyncio.Event()

    async def hold(request: BuildRequest) -> Any:
        await superseded.wait()
        return await World().register_build(request)

    running.behaviours["register_build"] = hold
    started = await start_build(temporal, a_request(organization))
    handle = temporal.get_workflow_handle(started.workflow_id)
    await until_waiting(handle, "register")

    await handle.signal(BuildWorkflow.superseded, "build/x/web/ffffffffffff")
    superseded.set()
    with pytest.raises(WorkflowFailureError) as failed:
        await handle.result()

    assert failure_of(failed.value).type == "Superseded"
    assert "submit_build" not in running.names()


async def test_a_build_that_could_not_be_registered_has_nothing_to_record(
    temporal: Client, running: World, organization: str
) -> None:
    async def refuse(_: Any) -> Any:
        raise InvalidRequest("component web has no repository")

    running.behaviours["register_build"] = refuse
    started = await start_build(temporal, a_request(organization))

    with pytest.raises(WorkflowFailureError) as failed:
        await build_result(temporal, started)

    assert failure_of(failed.value).type == "InvalidRequest"
    assert running.names() == ["register_build"]


async def test_a_build_that_cannot_be_stopped_is_recorded_with_its_own_reason(
    temporal: Client, running: World, organization: str
) -> None:
    async def fail(_: Any) -> Any:
        raise BuildFailed("the tests failed")

    async def refuse(_: Any) -> Any:
        raise Errored("the plane is on fire")

    running.behaviours |= {"follow_build": fail, "stop_build": refuse}
    started = await start_build(temporal, a_request(organization))

    with pytest.raises(WorkflowFailureError) as failed:
        await build_result(temporal, started)

    assert failure_of(failed.value).type == "BuildFailed"
    record = running.last("record_build")
    assert (record.phase, record.message) == (Phase.FAILED, "the tests failed")


async def test_a_superseded_signal_after_the_end_changes_nothing(
    temporal: Client, running: World, organization: str
) -> None:
    async def signal_then_record(record: Any) -> Any:
        handle = temporal.get_workflow_handle(ids.build_id(organization, "web", record.plan.commit))
        await handle.signal(BuildWorkflow.superseded, "build/x/web/ffffffffffff")
        await asyncio.sleep(0)
        return await World().record_build(record)

    running.behaviours["record_build"] = signal_then_record
    started = await start_build(temporal, a_request(organization))

    build = await build_result(temporal, started)

    assert build.phase is Phase.SUCCEEDED


async def test_a_worker_without_cache_replays_a_build_to_the_same_end(
    temporal: Client, world: World, organization: str
) -> None:
    async with workers(
        temporal, world, max_cached_workflows=0, max_concurrent_workflow_task_polls=1
    ):
        started = await start_build(temporal, a_request(organization))
        build = await build_result(temporal, started)

    assert build.phase is Phase.SUCCEEDED
