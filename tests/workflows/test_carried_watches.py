"""A watch that takes long holds up no newer promotion, and sees what happens meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from domain.deliveries import DeployRequest
from domain.deliveries.promotions import Promotion, StepRules
from domain.errors import VerificationFailed
from domain.phases import Phase
from domain.policies.promotion.rollback import KnownRelease
from tests.workflows.conftest import World
from tests.workflows.promoting import Line
from tests.workflows.test_freezes_in_progress import frozen, waits_for
from tests.workflows.test_promotions import APPROVAL, failure

pytestmark = pytest.mark.workflows


async def watched(line: Line) -> WorkflowHandle[Any, Promotion]:
    """Returns the promotion of ``web-a`` once it is watched, for long."""
    line.rules = StepRules(watch_seconds=86_400)
    line.health.clear()
    handle = await line.promote("one", artifact="web-a")
    await line.waits_for(handle, "verify")
    line.source = line.source.model_copy(update={"artifact": "web-b"})
    line.release = ""
    return handle


async def eventually(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(90):
        while not holds():  # noqa: ASYNC110 - what the workers do has no event
            await asyncio.sleep(0.05)


def prepared(world: World) -> list[DeployRequest]:
    return [asked for name, asked in world.calls if name == "prepare_release"]


async def test_the_next_one_is_let_through_and_ends_the_watch(line: Line, world: World) -> None:
    handle = await watched(line)
    line.rules = StepRules()

    await line.promote("two", artifact="web-b")
    promotion = await handle.result()

    assert (promotion.request_id, promotion.phase) == ("two", Phase.SUCCEEDED)
    assert world.last("prepare_release").artifact == "web-b"
    verified = {one.artifact: one.verified is not None for one in (await line.standing()).passes}
    assert verified == {"web-a": False, "web-b": True}
    assert line.told().count("promotion.watch-ended") == 1
    assert line.told().count("promotion.succeeded") == 2


async def test_health_that_is_lost_while_the_next_one_is_asked_about_is_rolled_back(
    line: Line, world: World
) -> None:
    handle = await watched(line)
    line.rules = APPROVAL
    await line.promote("two", artifact="web-b")
    await line.waits_for(handle, "approval")
    line.running = "web-web-a"
    line.known = (KnownRelease(name="web-old", artifact="web-0", since=datetime.now(UTC)),)

    line.fails = VerificationFailed("it lost its health", facts={"reason": "Unhealthy"})

    await eventually(lambda: any(one.rollback == "web-old" for one in prepared(world)))
    standing = await line.standing()
    assert [(one.bad, one.to, one.automatic) for one in standing.rollbacks] == [
        ("web-web-a", "web-old", True)
    ]
    assert [one.artifact for one in standing.vetoes] == ["web-a"]
    await line.waits_for(handle, "approval")
    await handle.cancel()


async def test_the_watch_goes_on_to_its_end_when_the_next_one_is_denied(line: Line) -> None:
    handle = await watched(line)
    line.problem = "a key is missing"
    await line.promote("two", artifact="web-b")
    await eventually(lambda: "promotion.denied" in line.told())
    assert not any(one.verified for one in (await line.standing()).passes)

    line.health.set()

    assert "a key is missing" in (await failure(handle)).message
    (passed,) = (await line.standing()).passes
    assert (passed.artifact, passed.verified is not None) == ("web-a", True)


async def test_a_carried_watch_is_put_back_for_a_freeze_and_comes_again_when_nothing_newer_came(
    line: Line, world: World
) -> None:
    line.known = (KnownRelease(name="web-old", artifact="web-0", since=datetime.now(UTC)),)
    handle = await watched(line)
    line.problem = "a key is missing"
    await line.promote("two", artifact="web-b")
    await eventually(lambda: "promotion.denied" in line.told())
    line.problem = ""
    line.source = line.source.model_copy(update={"artifact": "web-a"})
    line.release = "web-web-a"
    line.freeze = frozen("Revert")

    await handle.signal("freezes_changed")

    await eventually(lambda: any(one.rollback == "web-old" for one in prepared(world)))
    status = await waits_for(handle, "freeze weekend: off call")
    assert status.phase is Phase.RUNNING
    standing = await line.standing()
    assert (standing.hold, standing.vetoes, standing.passes) == (None, (), ())
    line.freeze = None
    line.health.set()
    await handle.signal("freezes_changed")
    promotion = await handle.result()
    assert (promotion.artifact, promotion.phase) == ("web-a", Phase.SUCCEEDED)
    assert line.told().count("freeze.reverted") == 1
    assert [one.verified is not None for one in (await line.standing()).passes] == [True]


async def test_a_carried_watch_that_a_freeze_put_back_gives_way_to_what_came_meanwhile(
    line: Line, world: World
) -> None:
    line.known = (KnownRelease(name="web-old", artifact="web-0", since=datetime.now(UTC)),)
    handle = await watched(line)
    line.rules = APPROVAL
    await line.promote("two", artifact="web-b")
    approval = await line.approval()
    await line.waits_for(handle, "approval")
    line.freeze = frozen("Revert")
    await handle.signal("freezes_changed")
    await eventually(lambda: any(one.rollback == "web-old" for one in prepared(world)))
    await approval.signal("decided", "approved")
    await waits_for(handle, "freeze weekend: off call")
    line.rules, line.freeze = StepRules(), None

    await handle.signal("freezes_changed")

    promotion = await handle.result()
    assert (promotion.artifact, promotion.phase) == ("web-b", Phase.SUCCEEDED)
    assert [one.artifact for one in prepared(world) if not one.rollback] == ["web-a", "web-b"]
