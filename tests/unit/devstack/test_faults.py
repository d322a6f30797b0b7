"""Faults begun and undone by a supervisor with real, tiny processes."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from devstack.assembly import assemble
from devstack.component import Component
from devstack.control import Reply
from devstack.errors import DevstackError
from devstack.faults.desk import FaultDesk
from devstack.faults.model import Fault, World
from devstack.record import PartPhase
from devstack.state import StateDir
from devstack.supervisor import Supervisor

pytestmark = pytest.mark.unit
SLEEP = ("sleep", "600")


@pytest.fixture
async def supervisor(tmp_path: Path) -> AsyncIterator[Supervisor]:
    context = assemble("test", StateDir(tmp_path / "stack"), "core", platform=False)
    running = Supervisor(context, os.getpid())
    parts = [Component("temporal", SLEEP), Component("worker", SLEEP)]
    await running.become(context, parts, {})
    await running.component("temporal").wait_ready()
    await running.component("worker").wait_ready()
    yield running
    await running.stop()


@pytest.fixture
async def desk(supervisor: Supervisor) -> AsyncIterator[FaultDesk]:
    desk = FaultDesk(supervisor)
    yield desk
    await desk.close()


async def ask(desk: FaultDesk, verb: str, name: str = "", seconds: float = 0) -> Reply:
    request = {"verb": verb, "name": name, "seconds": seconds}
    (reply,) = [reply async for reply in desk.serve(request)]
    return reply


async def active(desk: FaultDesk) -> list[str]:
    return [one["name"] for one in (await ask(desk, "faults"))["faults"]]


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():  # noqa: ASYNC110 - any fact may be awaited
            await asyncio.sleep(0.005)


def state_of(supervisor: Supervisor, name: str) -> str:
    """How the kernel sees the process: S sleeps, T stands still."""
    process = supervisor.record.parts[name].process
    assert process is not None
    return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]


async def test_process_that_is_down_stays_down_until_the_fault_ends(
    supervisor: Supervisor, desk: FaultDesk
) -> None:
    await ask(desk, "fault-begin", "temporal-down")
    await until(lambda: supervisor.record.parts["temporal"].phase is PartPhase.HELD)
    assert await active(desk) == ["temporal-down"]

    await ask(desk, "fault-end", "temporal-down")

    assert supervisor.record.parts["temporal"].phase is PartPhase.READY
    assert await active(desk) == []


async def test_fault_with_an_end_ends_although_nobody_asks_any_more(
    supervisor: Supervisor, desk: FaultDesk
) -> None:
    await ask(desk, "fault-begin", "temporal-frozen", seconds=0.2)
    await until(lambda: state_of(supervisor, "temporal") == "T")

    await until(lambda: state_of(supervisor, "temporal") != "T")
    assert await active(desk) == []


async def test_momentary_fault_leaves_nothing_to_undo(
    supervisor: Supervisor, desk: FaultDesk
) -> None:
    before = supervisor.record.parts["temporal"].process

    await ask(desk, "fault-begin", "temporal-killed")

    assert await active(desk) == []
    await until(lambda: supervisor.record.parts["temporal"].restarts == 1)
    await supervisor.component("temporal").wait_ready()
    assert supervisor.record.parts["temporal"].process != before


async def test_every_fault_is_ended_at_once(supervisor: Supervisor, desk: FaultDesk) -> None:
    await ask(desk, "fault-begin", "temporal-frozen")
    await ask(desk, "fault-begin", "worker-frozen")
    await until(lambda: state_of(supervisor, "worker") == "T")

    await ask(desk, "fault-end-all")

    assert await active(desk) == []
    await until(lambda: state_of(supervisor, "temporal") != "T")
    await until(lambda: state_of(supervisor, "worker") != "T")


async def test_frozen_process_ends_in_order_with_its_stack(
    supervisor: Supervisor, desk: FaultDesk
) -> None:
    await ask(desk, "fault-begin", "worker-frozen")
    await until(lambda: state_of(supervisor, "worker") == "T")

    async with asyncio.timeout(5):  # half of what a process that does not hear is given
        await supervisor.component("worker").end()


async def test_fault_of_something_the_stack_lacks_is_refused(desk: FaultDesk) -> None:
    with pytest.raises(DevstackError, match="no component 'etcd'"):
        await ask(desk, "fault-begin", "etcd-down")


class Lasting:
    """A fault that outlives the stack and cannot be undone the first times."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.undone: list[str] = []

    async def begin(self, world: World, target: str) -> None:
        """Does nothing: only the undoing is looked at."""

    async def end(self, world: World, target: str) -> None:
        if self.refusals:
            self.refusals -= 1
            raise DevstackError("not yet")
        self.undone.append(target)

    def fault(self) -> Fault:
        return Fault("lasting", "test", "b", "u", self.begin, self.end, target="any", outlives=True)


async def test_what_a_dead_supervisor_left_is_undone_by_the_next_as_soon_as_possible(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    lasting = Lasting(refusals=2)
    monkeypatch.setattr("devstack.faults.desk.catalogue", lambda: {"lasting": lasting.fault()})
    monkeypatch.setattr("devstack.faults.desk._PAUSE", 0.001)
    left = supervisor.context.state.faults
    left.write_text(json.dumps([{"name": "lasting", "target": "acme"}, {"name": "unknown"}]))

    await FaultDesk(supervisor).recover()

    assert lasting.undone == ["acme"]
    assert not left.exists()


async def test_what_cannot_be_undone_at_the_end_of_the_stack_stays_written_down(
    supervisor: Supervisor, monkeypatch: pytest.MonkeyPatch
) -> None:
    lasting = Lasting(refusals=1)
    fault = lasting.fault()
    monkeypatch.setattr("devstack.faults.desk.catalogue", lambda: {"lasting": fault})
    monkeypatch.setattr("devstack.faults.desk.find", lambda *_: fault)
    desk = FaultDesk(supervisor)
    await ask(desk, "fault-begin", "lasting")

    await desk.close()

    assert json.loads(supervisor.context.state.faults.read_text())[0]["name"] == "lasting"
