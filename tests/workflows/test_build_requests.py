from __future__ import annotations

import asyncio
from typing import Any

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.exceptions import CancelledError

from domain import ids
from domain.deliveries import BuildRequest
from domain.errors import DependencyUnavailable, InvalidRequest
from domain.phases import Phase
from runtime.errors import as_domain_error
from tests.workflows.conftest import COMMIT, World
from tests.workflows.test_promotions import never
from workflows.starting import build_result, request_build, start_build

pytestmark = pytest.mark.workflows


async def a_failing_resolution(request: Any) -> None:
    raise InvalidRequest(f"{request.revision}: no such branch, tag or commit")


async def test_a_branch_is_resolved_before_the_build_starts(
    temporal: Client, running: World, organization: str
) -> None:
    request = BuildRequest(organization=organization, component="web", revision="main")

    started = await (await request_build(temporal, request, "key-1")).result()
    build = await build_result(temporal, started)

    assert started.workflow_id == ids.build_id(organization, "web", COMMIT)
    assert (started.existing, build.commit) == (False, COMMIT)
    assert running.last("register_build").branch == "main"


async def test_a_request_for_a_commit_that_is_built_already_adopts_that_build(
    temporal: Client, running: World, organization: str
) -> None:
    known = await start_build(
        temporal, BuildRequest(organization=organization, component="web", commit=COMMIT)
    )
    await build_result(temporal, known)
    request = BuildRequest(
        organization=organization, component="web", revision="main", build="mine"
    )

    started = await (await request_build(temporal, request, "key-1")).result()

    assert started.existing
    assert running.last("adopt_build").build == "mine"
    assert running.names().count("submit_build") == 1


async def test_a_revision_that_does_not_exist_is_told_on_the_build_that_asked(
    temporal: Client, running: World, organization: str
) -> None:
    running.behaviours["resolve_revision"] = a_failing_resolution
    request = BuildRequest(
        organization=organization, component="web", revision="nowhere", build="mine"
    )

    with pytest.raises(WorkflowFailureError) as failed:
        await (await request_build(temporal, request, "key-1")).result()

    error = as_domain_error(failed.value)
    assert isinstance(error, InvalidRequest)
    assert error.message == "nowhere: no such branch, tag or commit"
    refusal = running.last("refuse_build")
    assert (refusal.request.build, refusal.phase) == ("mine", Phase.FAILED)
    assert refusal.message == error.message


async def test_a_request_without_a_build_resource_has_nobody_else_to_tell(
    temporal: Client, running: World, organization: str
) -> None:
    running.behaviours["resolve_revision"] = a_failing_resolution
    request = BuildRequest(organization=organization, component="web", revision="nowhere")

    with pytest.raises(WorkflowFailureError):
        await (await request_build(temporal, request, "key-1")).result()

    assert running.names() == ["resolve_revision"]


async def test_a_fault_of_the_git_server_that_passes_is_not_seen(
    temporal: Client, running: World, organization: str
) -> None:
    tries = []

    async def at_the_second_try(_request: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise DependencyUnavailable("the Git server did not answer")

    running.behaviours["resolve_revision"] = at_the_second_try
    request = BuildRequest(
        organization=organization, component="web", revision="main", build="mine"
    )

    started = await (await request_build(temporal, request, "key-1")).result()

    assert (await build_result(temporal, started)).commit == COMMIT
    assert "refuse_build" not in running.names()


async def test_a_cancelled_request_is_not_taken_for_a_refusal(
    temporal: Client, running: World, organization: str
) -> None:
    async def cancelled_meanwhile(request: Any) -> None:
        handle = temporal.get_workflow_handle(
            ids.build_request_id(request.organization, request.component, "key-1")
        )
        await handle.cancel()
        raise InvalidRequest("no such branch")

    running.behaviours["resolve_revision"] = cancelled_meanwhile
    request = BuildRequest(
        organization=organization, component="web", revision="main", build="mine"
    )

    with pytest.raises(WorkflowFailureError):
        await (await request_build(temporal, request, "key-1")).result()

    assert "submit_build" not in running.names()


async def test_a_cancelled_request_builds_nothing(
    temporal: Client, running: World, organization: str
) -> None:
    begun = asyncio.Event()

    async def waits(request: Any) -> None:
        begun.set()
        await never(request)

    running.behaviours["resolve_revision"] = waits
    request = BuildRequest(organization=organization, component="web", revision="main")
    handle = await request_build(temporal, request, "key-cancelled")
    await begun.wait()

    await handle.cancel()
    with pytest.raises(WorkflowFailureError) as ended:
        await handle.result()

    assert isinstance(ended.value.cause, CancelledError)
    assert running.names() == ["resolve_revision"]
