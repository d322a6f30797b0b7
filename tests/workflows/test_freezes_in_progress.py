"""What a freeze does with what is under way when it begins."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import pytest
from temporalio import activity
from temporalio.client import Client

from domain.deliveries import ClosedBy, FreezePlace, FreezeVerdict, OperationStatus
from domain.deliveries.promotions import StepRules
from domain.errors import VerificationFailed
from domain.phases import Phase
from domain.policies.promotion.rollback import KnownRelease
from domain.resources.pipeline import OnFailure
from tests.workflows.conftest import World, a_release, workers
from tests.workflows.promoting import Line
from tests.workflows.test_freezes import wanted
from tests.workflows.test_promotions import failure
from workflows.promotions import passage
from workflows.starting import signal_deployment

pytestmark = pytest.mark.workflows


def frozen(
    policy: Literal["Finish", "Hold", "Revert"], until: datetime | None = None
) -> FreezeVerdict:
    until = until or datetime.now(UTC) + timedelta(days=2)
    shut = ClosedBy(window="weekend", reason="off call", until=until, in_progress=policy)
    return FreezeVerdict(at=datetime.now(UTC), closed_by=(shut,), until=until)


class Rollout:
    """One that is never ready the first time, in a place that a test freezes."""

    def __init__(self, world: World) -> None:
        self.freeze: FreezeVerdict | None = None
        self.began = asyncio.Event()
        world.behaviours |= {
            "prepare_release": self._prepare,
            "follow_rollout": self._follow,
            "read_freeze": self._read,
        }

    async def _prepare(self, request: Any) -> Any:
        return a_release(request, freeze=self.freeze)

    async def _read(self, _: FreezePlace) -> Any:
        return self.freeze

    async def _follow(self, request: Any) -> None:
        first = not self.began.is_set()
        self.began.set()
        while first and request.bundle.release == "web-web-1":
            activity.heartbeat()
            await asyncio.sleep(0.05)


async def waits_for(handle: Any, what: str) -> OperationStatus:
    async with asyncio.timeout(60):
        while True:
            status: OperationStatus = await handle.query("status", result_type=OperationStatus)
            if status.waiting_for is not None and status.waiting_for.what.startswith(what):
                return status
            await asyncio.sleep(0.05)


async def test_a_rollout_is_undone_when_a_freeze_begins_that_wants_that_and_comes_again(
    temporal: Client, running: World, organization: str
) -> None:
    rollout = Rollout(running)
    handle = await signal_deployment(temporal, wanted(organization))
    await asyncio.wait_for(rollout.began.wait(), 60)
    rollout.freeze = frozen("Revert")

    await handle.signal("freezes_changed")

    status = await waits_for(handle, "freeze weekend: off call")
    assert status.phase is Phase.RUNNING
    restored = running.last("apply_release")
    assert restored.bundle.release == "web-old"
    assert running.last("follow_rollout").bundle.release == "web-old"
    rollout.freeze = None
    await handle.signal("freezes_changed")
    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert running.last("apply_release").bundle.release == "web-web-1"
    told = [one.action for one in running.last("record_deployment").facts]
    assert told.count("freeze.reverted") == 1
    assert told.count("deployment.applied") == 2
    assert "deployment.restored" not in told


@pytest.mark.parametrize("policy", ["Finish", "Hold"])
async def test_a_rollout_goes_on_when_a_freeze_begins_that_does_not_want_it_undone(
    temporal: Client, running: World, organization: str, policy: Literal["Finish", "Hold"]
) -> None:
    rollout, looked, ready = Rollout(running), asyncio.Event(), asyncio.Event()

    async def read(_: FreezePlace) -> Any:
        looked.set()
        return frozen(policy)

    async def follow(_: Any) -> None:
        rollout.began.set()
        while not ready.is_set():
            activity.heartbeat()
            await asyncio.sleep(0.05)

    running.behaviours |= {"read_freeze": read, "follow_rollout": follow}
    handle = await signal_deployment(temporal, wanted(organization))
    await asyncio.wait_for(rollout.began.wait(), 60)
    await handle.signal("freezes_changed")
    await asyncio.wait_for(looked.wait(), 60)
    ready.set()

    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert running.names().count("apply_release") == 1


async def test_a_freeze_that_was_foreseen_is_not_missed_though_nobody_tells_of_it(
    temporal: Client, running: World, organization: str
) -> None:
    rollout = Rollout(running)
    rollout.freeze = frozen("Revert")
    begins = datetime.now(UTC)
    ends: list[datetime] = []

    async def prepare(request: Any) -> Any:
        """Says by what was done, and by the clock of Temporal: a try that is repeated is equal."""
        now = activity.info().scheduled_time
        if "apply_release" not in running.names():
            soon = FreezeVerdict(at=begins, until=begins, reverts_then=True)
            return a_release(request, freeze=soon)
        ends.append(now + timedelta(seconds=1))
        return a_release(request, freeze=frozen("Revert", ends[0]) if now < ends[0] else None)

    running.behaviours["prepare_release"] = prepare
    handle = await signal_deployment(temporal, wanted(organization))
    done = await handle.result()

    assert done.phase is Phase.SUCCEEDED
    applied = [one.bundle.release for name, one in running.calls if name == "apply_release"]
    assert applied == ["web-web-1", "web-old", "web-web-1"]


async def test_what_is_watched_is_put_back_for_a_freeze_and_comes_again_without_a_veto(
    line: Line, world: World
) -> None:
    line.rules = StepRules(watch_seconds=600)
    line.health.clear()
    line.known = (KnownRelease(name="web-old", artifact="web-0", since=datetime.now(UTC)),)
    handle = await line.promote()
    await line.waits_for(handle, "verify")
    line.freeze = frozen("Revert")

    await handle.signal("freezes_changed")

    status = await line.waits_for(handle, "freeze")
    assert status.waiting_for is not None
    assert status.waiting_for.what == "freeze weekend: off call"
    assert world.last("prepare_release").rollback == "web-old"
    standing = await line.standing()
    assert (standing.hold, standing.vetoes, standing.passes) == (None, (), ())
    line.freeze = None
    line.health.set()
    await handle.signal("freezes_changed")
    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert world.last("prepare_release").artifact == "web-a"
    assert line.told().count("freeze.reverted") == 1
    assert (await line.standing()).passes[0].verified is not None


async def test_what_was_watched_waits_in_a_freeze_that_holds_and_is_verified_afterwards(
    line: Line,
) -> None:
    line.rules = StepRules(watch_seconds=600, on_failure=OnFailure.KEEP)
    line.health.clear()
    handle = await line.promote()
    await line.waits_for(handle, "verify")
    line.freeze = frozen("Hold")
    line.health.set()

    status = await waits_for(handle, "freeze weekend: off call")

    assert status.waiting_for is not None
    assert status.waiting_for.until == line.freeze.until
    assert status.waiting_for.who == "admin with `pavane freeze override weekend`"
    assert [one.name for one in status.steps if one.phase == "Running"] == ["verify"]
    assert (await line.standing()).passes[0].verified is None
    line.freeze = None
    await handle.signal("freezes_changed")
    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert (await line.standing()).passes[0].verified is not None


async def test_a_freeze_that_lets_finish_what_is_under_way_is_not_waited_for_after_the_watch(
    line: Line,
) -> None:
    line.rules = StepRules(watch_seconds=600)
    line.health.clear()
    handle = await line.promote()
    await line.waits_for(handle, "verify")
    line.freeze = frozen("Finish")
    line.health.set()

    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert (await line.standing()).passes[0].verified is not None


async def test_a_freeze_of_which_nobody_told_undoes_what_was_watched_before_it_counts_as_verified(
    line: Line, world: World
) -> None:
    line.rules = StepRules(watch_seconds=600)
    line.health.clear()
    handle = await line.promote()
    await line.waits_for(handle, "verify")
    line.freeze = frozen("Revert")
    line.health.set()

    await waits_for(handle, "freeze weekend: off call")

    assert world.last("prepare_release").rollback == "web-old"
    assert (await line.standing()).passes == ()
    line.freeze = None
    await handle.signal("freezes_changed")
    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert world.last("prepare_release").artifact == "web-a"


async def test_where_nothing_ran_before_a_freeze_undoes_nothing_and_is_waited_for(
    line: Line, world: World
) -> None:
    line.rules = StepRules(watch_seconds=600)
    line.target = line.target.model_copy(update={"release": "", "artifact": "", "ready": False})
    line.freeze = FreezeVerdict(at=datetime.now(UTC))
    line.health.clear()
    handle = await line.promote()
    await line.waits_for(handle, "verify")
    line.freeze = frozen("Revert")
    line.health.set()

    status = await waits_for(handle, "freeze weekend: off call")

    assert [one.name for one in status.steps if one.phase == "Running"] == ["verify"]
    line.freeze = None
    await handle.signal("freezes_changed")
    assert (await handle.result()).phase is Phase.SUCCEEDED
    assert world.names().count("prepare_release") == 1


async def test_a_freeze_that_does_not_end_ends_what_waits_for_it(
    skipping: Client, world: World, organization: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passage, "_LOOKS_AGAIN", timedelta(days=40))
    line = Line(skipping, organization)
    line.freeze = frozen("Finish", datetime.now(UTC) + timedelta(days=3650))
    async with workers(skipping, world, line):
        cause = await failure(await line.promote())

    assert cause.type == "Denied"
    assert cause.message.startswith("not open within 90 days: ")
    assert "weekend" in cause.message
    assert "apply_release" not in world.names()


async def test_what_a_freeze_holds_is_watched_on_and_rolled_back_when_it_loses_its_health(
    line: Line, world: World
) -> None:
    line.rules = StepRules(watch_seconds=600)
    line.known = (KnownRelease(name="web-old", artifact="web-0", since=datetime.now(UTC)),)
    line.running = "web-web-a"
    line.health.clear()
    handle = await line.promote()
    await line.waits_for(handle, "verify")
    line.freeze = frozen("Hold")
    line.health.set()
    await waits_for(handle, "freeze weekend: off call")
    line.health.clear()
    line.fails = VerificationFailed("it lost its health", facts={"reason": "Unhealthy"})

    await handle.signal("freezes_changed")  # it looks again, and is still held

    assert "rolled back to web-old" in (await failure(handle)).message
    assert world.last("prepare_release").rollback == "web-old"
    assert [one.artifact for one in (await line.standing()).vetoes] == ["web-a"]
