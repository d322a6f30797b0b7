from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import pytest
from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from domain.deliveries import ClosedBy, DeployRequest, FreezeVerdict, OperationStatus
from domain.deliveries.freezes import LiftedBy
from domain.phases import Phase
from tests.workflows.conftest import World, a_release
from workflows.common.waking import tell_freezes
from workflows.starting import enqueue_deployment, signal_deployment

pytestmark = pytest.mark.workflows


class Frozen:
    """A place that is closed until a test opens it."""

    def __init__(self, world: World) -> None:
        self.is_open = False
        self.until = datetime.now(UTC) + timedelta(days=2)
        world.behaviours["prepare_release"] = self._prepare

    async def _prepare(self, request: DeployRequest) -> Any:
        if self.is_open or request.put_back:
            return a_release(request)
        closed = ClosedBy(window="weekend", reason="nobody is on call", until=self.until)
        verdict = FreezeVerdict(at=datetime.now(UTC), closed_by=(closed,), until=self.until)
        return a_release(request, freeze=verdict)


def wanted(organization: str, key: str = "") -> DeployRequest:
    return DeployRequest(
        organization=organization,
        component="web",
        environment="production",
        request_id=key or uuid.uuid4().hex,
        artifact="web-1",
    )


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110 - Temporal has no event for it
            await asyncio.sleep(0.05)


async def status_of(handle: Any) -> OperationStatus:
    return await handle.query("status", result_type=OperationStatus)  # type: ignore[no-any-return]


async def frozen(handle: Any) -> bool:
    waiting = (await status_of(handle)).waiting_for
    return waiting is not None and "freeze weekend" in waiting.what


async def test_deployment_waits_in_a_freeze_and_goes_on_when_a_window_changes(
    temporal: Client, running: World, organization: str
) -> None:
    place = Frozen(running)
    handle, _ = await enqueue_deployment(temporal, wanted(organization))
    await eventually(lambda: frozen(handle))
    waiting = (await status_of(handle)).waiting_for
    assert waiting is not None
    assert waiting.what == "freeze weekend: nobody is on call"
    assert waiting.until == place.until
    assert waiting.who == "admin with `pavane freeze override weekend`"
    assert "apply_release" not in running.names()

    place.is_open = True

    async def was_told() -> bool:
        return await tell_freezes(temporal, organization) == 1

    await eventually(was_told)
    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert running.names().count("prepare_release") == 2


async def test_a_window_that_changes_while_it_is_looked_at_is_not_missed(
    temporal: Client, running: World, organization: str
) -> None:
    place = Frozen(running)
    read = running.behaviours["prepare_release"]
    has_looked, goes_on = asyncio.Event(), asyncio.Event()

    async def slowly(request: DeployRequest) -> Any:
        found = await read(request)
        has_looked.set()
        await goes_on.wait()
        return found

    running.behaviours["prepare_release"] = slowly
    handle, _ = await enqueue_deployment(temporal, wanted(organization))
    async with asyncio.timeout(60):
        await has_looked.wait()
        place.is_open = True
        await handle.signal("freezes_changed")
        goes_on.set()
        assert (await handle.result()).phase is Phase.SUCCEEDED


async def test_deployment_that_waits_in_a_freeze_gives_way_to_the_next_one(
    temporal: Client, running: World, organization: str
) -> None:
    place = Frozen(running)
    handle, _ = await enqueue_deployment(temporal, wanted(organization, "first"))
    await eventually(lambda: frozen(handle))
    place.is_open = True
    await signal_deployment(temporal, wanted(organization, "second"))
    assert (await handle.result()).request_id == "second"
    done = {one.request_id: one.phase for one in (await status_of(handle)).deployments}
    assert done == {"first": Phase.SUPERSEDED, "second": Phase.SUCCEEDED}


async def test_cancel_ends_the_wait_and_changes_nothing(
    temporal: Client, running: World, organization: str
) -> None:
    Frozen(running)
    handle, _ = await enqueue_deployment(temporal, wanted(organization))
    await eventually(lambda: frozen(handle))
    await handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await handle.result()
    assert "apply_release" not in running.names()
    assert running.last("record_deployment").phase is Phase.CANCELLED


async def test_override_is_written_down_with_who_and_why(
    temporal: Client, running: World, organization: str
) -> None:
    async def lifted(request: DeployRequest) -> Any:
        by = LiftedBy(window="weekend", by="ada", reason="the shop is down")
        verdict = FreezeVerdict(at=datetime.now(UTC), overridden=("weekend",), lifted=(by,))
        return a_release(request, freeze=verdict)

    running.behaviours["prepare_release"] = lifted
    handle, _ = await enqueue_deployment(temporal, wanted(organization))
    assert (await handle.result()).phase is Phase.SUCCEEDED
    facts = running.last("record_deployment").facts
    told = [(one.actor, one.reason) for one in facts if one.action == "freeze.overridden"]
    assert told == [("ada", "the shop is down")]


class _Told:
    """A Temporal in which one waits, and answers of its signal as the test wants."""

    id = "deploy/acme/web/production"

    def __init__(self, status: RPCStatusCode) -> None:
        self._status = status

    async def list_workflows(self, _query: str) -> AsyncIterator[_Told]:
        yield self

    def get_workflow_handle(self, _: str) -> _Told:
        return self

    async def signal(self, _: str) -> None:
        raise RPCError("no", self._status, b"")


async def test_who_ended_meanwhile_need_not_be_told() -> None:
    assert await tell_freezes(cast("Client", _Told(RPCStatusCode.NOT_FOUND)), "acme") == 0


async def test_who_cannot_be_told_is_told_again() -> None:
    with pytest.raises(RPCError):
        await tell_freezes(cast("Client", _Told(RPCStatusCode.UNAVAILABLE)), "acme")
